#include "engine/kernels/table.h"

#include <cmath>

#include "tests/engine/kernels/reference.h"

namespace tandem::engine::kernels {
namespace {

TEST(TableTest, HoldsTheFunctionOfEveryByte) {
  const auto f = [](float x) { return x * x - 3; };
  for (const Quantization& x : Quantizations()) {
    for (const Quantization& y : Quantizations()) {
      const Table table = MakeTable(x, y, f);
      for (int byte = 0; byte < 256; ++byte) {
        const float real = static_cast<float>(Steps(x, static_cast<uint8_t>(byte))) * x.scale;
        ASSERT_EQ(table[byte], Rounded(y, f(real) / y.scale)) << byte;
      }
    }
  }
}

TEST(TableTest, StoresWhatIsNoNumberAsTheLowest) {
  const Table table = MakeTable({}, {ByteType::kInt8, 1, 5}, [](float x) { return std::sqrt(x - 1); });
  EXPECT_EQ(static_cast<int8_t>(table[0]), -128);
  EXPECT_EQ(static_cast<int8_t>(table[5]), 7);
}

TEST(LookupTest, FindsEveryByteAtEveryLength) {
  Table table;
  const std::vector<uint8_t> values = RandomBytes(256, 3);
  std::copy(values.begin(), values.end(), table.begin());
  std::vector<uint8_t> x(512);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint8_t>(i * 7);
  for (Isa isa : Isas()) {
    for (size_t count = 0; count <= x.size(); count += count < kLongest ? 1 : 61) {
      Result<uint8_t> y(count);
      Lookup(isa, table, count, x.data(), y.data());
      const std::vector<uint8_t> result = y.Get();
      for (size_t i = 0; i < count; ++i) ASSERT_EQ(result[i], table[x[i]]) << NameOf(isa) << ", " << i;
    }
  }
}

TEST(LookupTest, MayReplaceItsSource) {
  const Table table = MakeTable({}, {}, [](float x) { return 255 - x; });
  for (Isa isa : Isas()) {
    std::vector<uint8_t> bytes = RandomBytes(kLongest, 4);
    std::vector<uint8_t> expected = bytes;
    for (uint8_t& byte : expected) byte = 255 - byte;
    Lookup(isa, table, bytes.size(), bytes.data(), bytes.data());
    EXPECT_EQ(bytes, expected) << NameOf(isa);
  }
}

}  // namespace
}  // namespace tandem::engine::kernels
