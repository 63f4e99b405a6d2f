#include "engine/npz/npz.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An .npy file of version 1.0.
std::string Npy(const std::string& header, absl::string_view data) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes.push_back(static_cast<char>(header.size() & 0xff));
  bytes.push_back(static_cast<char>(header.size() >> 8));
  return bytes + header + std::string(data);
}

std::string ErrorOf(absl::string_view bytes) { return std::string(ParseNpy(bytes).status().message()); }

TEST(NpzTest, ArraysOfEveryTypeAndRankComeBack) {
  const TemporaryFolder folder;
  NamedTensors tensors;
  for (DataType type :
       {DataType::kFloat32, DataType::kFloat64, DataType::kFloat16, DataType::kInt8, DataType::kInt16, DataType::kInt32,
        DataType::kInt64, DataType::kUInt8, DataType::kUInt16, DataType::kUInt32, DataType::kUInt64, DataType::kBool}) {
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{0, 2}, Shape{2, 1, 3}}) {
      Tensor tensor(type, shape);
      for (size_t i = 0; i < tensor.num_bytes(); ++i) static_cast<char*>(tensor.data())[i] = i % 2 == 0 ? 1 : 0;
      tensors.emplace(absl::StrCat(NameOf(type), "/", ToString(shape)), tensor);
    }
  }
  const std::string path = (folder.path() / "all.npz").string();
  ASSERT_TRUE(WriteNpz(path, tensors).ok());
  const auto read = ReadNpz(path);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const Tensor& back = read->at(name);
    EXPECT_EQ(back.type(), tensor.type()) << name;
    EXPECT_EQ(back.shape(), tensor.shape()) << name;
    EXPECT_EQ(std::memcmp(back.data(), tensor.data(), tensor.num_bytes()), 0) << name;
  }
}

TEST(NpzTest, BFloat16IsWrittenAsFloat32ForNumPyHasNoSuchType) {
  Tensor tensor(DataType::kBFloat16, {1});
  static_cast<uint16_t*>(tensor.data())[0] = FloatToBFloat16(-2.5f);
  const auto back = ParseNpy(FormatNpy(tensor));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_THAT(ValuesOf(*back), ElementsAre(-2.5f));
}

TEST(NpzTest, EveryTruncationOfAnArrayIsRefused) {
  const std::string bytes = FormatNpy(Floats({2, 2}, {1, 2, 3, 4}));
  ASSERT_TRUE(ParseNpy(bytes).ok());
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ParseNpy(absl::string_view(bytes).substr(0, length)).ok()) << length;
  }
  EXPECT_FALSE(ParseNpy(bytes + "x").ok());
}

TEST(NpzTest, HeadersThatMakeNoSenseAreRefused) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  const absl::string_view four("\0\0\0\0", 4);
  ASSERT_TRUE(ParseNpy(Npy(good, four)).ok());
  EXPECT_THAT(ErrorOf(Npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", four)), HasSubstr("column"));
  EXPECT_THAT(ErrorOf(Npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", four)), HasSubstr(">f4"));
  EXPECT_THAT(ErrorOf(Npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", four)), HasSubstr("|O"));
  EXPECT_THAT(ErrorOf(Npy("{}", four)), HasSubstr("header"));
  for (const char* shape : {"(-1,)", "(4611686018427387904, 4)", "(1.5,)", "(x,)", "(0, 4611686018427387904, 16)"}) {
    const std::string header = absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': ", shape, ", }");
    EXPECT_FALSE(ParseNpy(Npy(header, four)).ok()) << shape;
  }
}

TEST(NpzTest, DamagedArchivesAreErrorsThatNameTheFile) {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "x.npz").string();
  ASSERT_TRUE(WriteNpz(path, {{"x", Floats({4}, {1, 2, 3, 4})}}).ok());
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    (void)ReadNpz(folder.Write("damaged.npz", damaged));  // some bytes matter little; none may crash
    (void)ReadNpz(folder.Write("damaged.npz", bytes.substr(0, i)));
  }
  EXPECT_THAT(std::string(ReadNpz(folder.Write("no.npz", "text")).status().message()), HasSubstr("no.npz"));
  EXPECT_THAT(std::string(ReadNpz((folder.path() / "absent.npz").string()).status().message()),
              HasSubstr("does not exist"));
  EXPECT_FALSE(WriteNpz((folder.path() / "absent/x.npz").string(), {}).ok());
}

}  // namespace
}  // namespace tandem::engine
