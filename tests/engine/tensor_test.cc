#include "engine/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

TEST(TensorTest, OwnsZeroedAlignedMemoryThatCopiesShare) {
  Tensor tensor(DataType::kFloat32, {2, 3});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % 64, 0u);
  EXPECT_THAT(tensor.values<float>(), ElementsAre(0, 0, 0, 0, 0, 0));
  Tensor copy = tensor;
  copy.mutable_values<float>()[1] = 7;
  EXPECT_EQ(tensor.values<float>()[1], 7);
  Tensor clone = tensor.Clone();
  clone.mutable_values<float>()[1] = 8;
  EXPECT_EQ(tensor.values<float>()[1], 7);
}

TEST(TensorTest, KeepsBytesAliveThroughReshapes) {
  Tensor reshaped;
  {
    const Tensor tensor = Tensor::Of<int64_t>({4}, {1, 2, 3, 4});
    reshaped = tensor.Reshaped({2, 2});
  }
  EXPECT_THAT(reshaped.values<int64_t>(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(reshaped.dim(-1), 2);
}

TEST(TensorTest, ScalarsHaveOneElementAndEmptyTensorsNone) {
  EXPECT_EQ(Tensor::Scalar<float>(3).num_elements(), 1);
  EXPECT_EQ(Tensor::Scalar<float>(3).rank(), 0);
  const Tensor empty(DataType::kInt8, {3, 0});
  EXPECT_EQ(empty.num_bytes(), 0u);
  EXPECT_TRUE(empty.defined());
  EXPECT_FALSE(Tensor().defined());
}

TEST(TensorTest, ViewsLookAtTheBytesOfOthers) {
  float values[] = {1, 2};
  Tensor view = Tensor::View(DataType::kFloat32, {2}, values);
  view.mutable_values<float>()[0] = 5;
  EXPECT_EQ(values[0], 5);
}

TEST(TensorTest, ShapesAreWrittenWithQuestionMarksForFreeDimensions) {
  EXPECT_EQ(ToString(Shape{1, kUnknownDim, 3}), "[1,?,3]");
  EXPECT_FALSE(IsKnown(Shape{1, kUnknownDim}));
  EXPECT_TRUE(IsKnown(Shape{}));
}

TEST(TensorDeathTest, ReadingAsAnotherTypeIsABug) {
  const Tensor tensor = Tensor::Scalar<float>(1);
  EXPECT_DEATH((void)tensor.values<int32_t>(), "float32");
  EXPECT_DEATH((void)tensor.Reshaped({2}), "Reshaped");
}

TEST(HalfTest, EveryHalfSurvivesTheWayThroughFloat) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = HalfToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(value))));
    } else {
      EXPECT_EQ(FloatToHalf(value), bits);
    }
    const float wide = BFloat16ToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(wide)) {
      EXPECT_TRUE(std::isnan(BFloat16ToFloat(FloatToBFloat16(wide))));
    } else {
      EXPECT_EQ(FloatToBFloat16(wide), bits);
    }
  }
}

// The values that lie halfway between two halves go to the even one, all others to the nearest.
TEST(HalfTest, RoundsToNearestEven) {
  for (uint16_t bits = 0; bits < 0x7bff; ++bits) {
    const float low = HalfToFloat(bits), high = HalfToFloat(static_cast<uint16_t>(bits + 1));
    const float middle = low + (high - low) / 2;  // exact: floats have 13 bits more
    const int even = bits % 2 == 0 ? bits : bits + 1;
    EXPECT_EQ(FloatToHalf(middle), even);
    EXPECT_EQ(FloatToHalf(std::nextafter(middle, low)), bits);
    EXPECT_EQ(FloatToHalf(std::nextafter(middle, high)), bits + 1);
    EXPECT_EQ(FloatToHalf(-middle), even | 0x8000);
  }
  EXPECT_EQ(FloatToHalf(65519.996f), 0x7bff);
  EXPECT_EQ(FloatToHalf(65520.0f), 0x7c00);
  EXPECT_EQ(FloatToHalf(std::numeric_limits<float>::infinity()), 0x7c00);
  EXPECT_EQ(FloatToBFloat16(std::numeric_limits<float>::max()), 0x7f80);
}

}  // namespace
}  // namespace tandem::engine
