#include "tandem/client/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace tandem::client {
namespace {

using testing::ElementsAre;

TEST(Tensor, ViewsWhatItIsGiven) {
  std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const Tensor tensor = Tensor::Of<float>("x", {2, 3}, values);
  values[0] = 7;
  EXPECT_EQ(tensor.name(), "x");
  EXPECT_EQ(tensor.datatype(), "FP32");
  EXPECT_THAT(tensor.shape(), ElementsAre(2, 3));
  EXPECT_EQ(tensor.bytes().size(), 24u);
  EXPECT_THAT(*tensor.Values<float>(), ElementsAre(7, 2, 3, 4, 5, 6));
  EXPECT_TRUE(tensor.Check().ok());
}

template <typename T>
std::string CheckedDatatype() {
  const std::array<T, 3> values = {};
  const Tensor tensor = Tensor::Of<T>("x", {3}, values);
  EXPECT_TRUE(tensor.Check().ok()) << tensor.Check();
  EXPECT_EQ(tensor.Values<T>()->size(), 3u);
  return tensor.datatype();
}

TEST(Tensor, HasTheProtocolsNameForEachType) {
  EXPECT_EQ(CheckedDatatype<bool>(), "BOOL");
  EXPECT_EQ(CheckedDatatype<int8_t>(), "INT8");
  EXPECT_EQ(CheckedDatatype<int16_t>(), "INT16");
  EXPECT_EQ(CheckedDatatype<int32_t>(), "INT32");
  EXPECT_EQ(CheckedDatatype<int64_t>(), "INT64");
  EXPECT_EQ(CheckedDatatype<uint8_t>(), "UINT8");
  EXPECT_EQ(CheckedDatatype<uint16_t>(), "UINT16");
  EXPECT_EQ(CheckedDatatype<uint32_t>(), "UINT32");
  EXPECT_EQ(CheckedDatatype<uint64_t>(), "UINT64");
  EXPECT_EQ(CheckedDatatype<Float16>(), "FP16");
  EXPECT_EQ(CheckedDatatype<BFloat16>(), "BF16");
  EXPECT_EQ(CheckedDatatype<float>(), "FP32");
  EXPECT_EQ(CheckedDatatype<double>(), "FP64");
}

TEST(Tensor, ConvertsNothing) {
  const std::vector<float> values = {1};
  const auto wrong = Tensor::Of<float>("x", {1}, values).Values<int32_t>();
  EXPECT_EQ(wrong.status(), absl::InvalidArgumentError("tensor \"x\" is FP32 and was asked for as INT32"));
}

TEST(Tensor, NamesWhatDoesNotFit) {
  const std::vector<float> values = {1, 2, 3};
  EXPECT_EQ(Tensor::Of<float>("x", {2, 2}, values).Check(),
            absl::InvalidArgumentError("tensor \"x\": FP32 of shape [2,2] takes 16 bytes, got 12"));
  EXPECT_EQ(Tensor::Of<float>("x", {-1, 3}, values).Check(),
            absl::InvalidArgumentError("tensor \"x\": no tensor has the shape [-1,3]"));
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Tensor::Of<float>("x", {kMost, 4}, values).Check().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Tensor("x", "BYTES", {1}, "abc").Check(),
            absl::InvalidArgumentError("tensor \"x\": datatype \"BYTES\" is none of numbers of a fixed width"));
}

TEST(Tensor, MayBeEmptyOrAScalar) {
  EXPECT_TRUE(Tensor::Of<float>("x", {0, 3}, {}).Check().ok());
  const std::vector<int64_t> one = {5};
  EXPECT_TRUE(Tensor::Of<int64_t>("x", {}, one).Check().ok());
}

}  // namespace
}  // namespace tandem::client
