// Plans of graphs as dynamic quantization writes them, and of products of integers in all their forms, against the same
// graphs computed by reference kernels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

// Bytes of up to `largest` on both sides of 0, or 128 where they are unsigned. Weights of 64 are multiplied as bytes by
// every CPU.
Tensor Bytes(const Shape& shape, DataType type, int largest = 64) {
  const Tensor real = RandomFloats(shape, static_cast<uint32_t>(NumElements(shape)));
  Tensor bytes(type, shape);
  for (int64_t i = 0; i < real.num_elements(); ++i) {
    const int value = static_cast<int>(std::lround(real.values<float>()[i] * 0.498f * static_cast<float>(largest)));
    if (type == DataType::kInt8) {
      bytes.mutable_values<int8_t>()[i] = static_cast<int8_t>(value);
    } else {
      bytes.mutable_values<uint8_t>()[i] = static_cast<uint8_t>(value + 128);
    }
  }
  return bytes;
}

// How weights are stored: their type, and a zero point for all or one for each channel, this one and some more.
enum class Spread { kOne, kAlike, kDiffering };
struct Weights {
  DataType type;
  int zero_point;
  Spread spread = Spread::kOne;
};
const Weights kWeights[] = {
    {DataType::kInt8, 0},
    {DataType::kUInt8, 128},
    {DataType::kInt8, -7},
    {DataType::kUInt8, 131},
    {DataType::kUInt8, 0},
    {DataType::kInt8, 0, Spread::kAlike},
    {DataType::kUInt8, 128, Spread::kAlike},
    {DataType::kUInt8, 120, Spread::kDiffering},
    {DataType::kInt8, -3, Spread::kDiffering},
};

Tensor ZeroPoints(const Weights& weights, int64_t channels) {
  const bool differ = weights.spread == Spread::kDiffering;
  Tensor zeros(weights.type, weights.spread == Spread::kOne ? Shape{} : Shape{channels});
  for (int64_t c = 0; c < zeros.num_elements(); ++c) {
    const int value = weights.zero_point + (differ ? static_cast<int>(c % 5) : 0);
    if (weights.type == DataType::kInt8) {
      zeros.mutable_values<int8_t>()[c] = static_cast<int8_t>(value);
    } else {
      zeros.mutable_values<uint8_t>()[c] = static_cast<uint8_t>(value);
    }
  }
  return zeros;
}

// x -> DynamicQuantizeLinear -> MatMulInteger or ConvInteger -> Cast -> Mul by both scales.
ValueId DynamicProduct(GraphMaker& maker, const std::string& op, ValueId x, const Shape& shape, const Weights& weights,
                       int64_t channels, const Attributes& attributes = {}) {
  const std::vector<ValueId> a = maker.Ops("DynamicQuantizeLinear", {x}, 3);
  const ValueId scale = maker.Op("Mul", {a[1], maker.Scalar(0.0123f)});
  const ValueId w = maker.Constant(Bytes(shape, weights.type));
  const ValueId sums = maker.Op(op, {a[0], w, a[2], maker.Constant(ZeroPoints(weights, channels))}, attributes);
  return maker.Op("Mul", {maker.Op("Cast", {sums}, With("to", int64_t{1})), scale});
}

// The steps of the plan, none of which is a reference kernel of an operator on integers.
std::vector<std::string> FastSteps(const Graph& graph) {
  const std::vector<std::string> steps = StepsOf(graph);
  for (const char* op : {"Integer", "DynamicQuantizeLinear", "Cast"}) {
    EXPECT_THAT(steps, Not(Contains(AllOf(HasSubstr("reference"), HasSubstr(op)))));
  }
  return steps;
}

// Whether the left operand is multiplied as it is, and not as real numbers.
void ExpectOverBytes(const std::vector<std::string>& steps, bool over_bytes) {
  const auto converted = Contains(HasSubstr("conversion to real numbers"));
  if (over_bytes) {
    EXPECT_THAT(steps, Not(converted));
  } else {
    EXPECT_THAT(steps, converted);
  }
}

TEST(DynamicProductTest, MatricesAgreeWithTheReferenceForEveryWayToStoreWeights) {
  for (const Weights& weights : kWeights) {
    for (const Shape& x : {Shape{1, 64}, Shape{5, 64}, Shape{2, 7, 64}, Shape{1, 2, 3, 64}, Shape{33, 64}}) {
      SCOPED_TRACE(testing::Message() << ToString(x) << " zero point " << weights.zero_point);
      GraphMaker maker;
      ValueId y = DynamicProduct(maker, "MatMulInteger", maker.Input(x), {64, 40}, weights, 40);
      y = maker.Op("Relu", {maker.Op("Add", {y, maker.Weights({40})})});
      maker.Output(y);
      ExpectPlanAgrees(maker.graph);
      const std::vector<std::string> steps = FastSteps(maker.graph);
      ExpectOverBytes(steps, true);
      EXPECT_THAT(steps, Contains(AllOf(HasSubstr("matmul"), HasSubstr("+Mul +Add +Relu"))));
    }
  }
}

struct ConvCase {
  Shape x;
  Shape weights;
  int64_t groups = 1;
  IntList strides, pads;
};

TEST(DynamicProductTest, ConvolutionsAgreeWithTheReferenceForEveryWayToStoreWeights) {
  const ConvCase cases[] = {
      {{2, 16, 9, 7}, {20, 16, 1, 1}, 1, {1, 1}, {0, 0, 0, 0}},
      {{1, 3, 12, 12}, {16, 3, 3, 3}, 1, {2, 2}, {1, 1, 1, 1}},
      {{1, 1, 11, 9}, {19, 1, 5, 4}, 1, {2, 2}, {2, 1, 2, 1}},
      {{2, 24, 8, 8}, {24, 1, 3, 3}, 24, {1, 1}, {1, 1, 1, 1}},
      {{1, 32, 6, 6}, {64, 8, 3, 3}, 4, {1, 1}, {1, 1, 1, 1}},
      {{2, 16, 30}, {8, 16, 3}, 1, {1}, {1, 1}},
  };
  for (const ConvCase& c : cases) {
    for (const Weights& weights : kWeights) {
      SCOPED_TRACE(testing::Message() << ToString(c.weights) << " zero point " << weights.zero_point);
      const int64_t channels = c.weights[0];
      GraphMaker maker;
      ValueId y = DynamicProduct(maker, "ConvInteger", maker.Input(c.x), c.weights, weights, channels,
                                 With("group", c.groups).And("strides", c.strides).And("pads", c.pads));
      Shape bias(c.x.size(), 1);
      bias[1] = channels;
      y = maker.Op("Relu", {maker.Op("Add", {y, maker.Weights(bias)})});
      maker.Output(y);
      ExpectPlanAgrees(maker.graph);
      const std::vector<std::string> steps = FastSteps(maker.graph);
      EXPECT_THAT(steps, Contains(AllOf(HasSubstr("convolution"), HasSubstr("+Mul +Add +Relu"))));
      const bool around_zero =
          weights.spread != Spread::kDiffering && weights.zero_point == (weights.type == DataType::kInt8 ? 0 : 128);
      ExpectOverBytes(steps, around_zero);
    }
  }
}

TEST(DynamicProductTest, LayersFollowEachOther) {
  GraphMaker maker;
  ValueId h = maker.Input({1, 8, 6, 6});
  const auto attributes = With("pads", IntList{1, 1, 1, 1});
  for (const Weights& weights : {kWeights[0], kWeights[3], kWeights[1]}) {
    h = maker.Op("Relu", {DynamicProduct(maker, "ConvInteger", h, {8, 8, 3, 3}, weights, 8, attributes)});
  }
  h = maker.Op("Flatten", {h});
  maker.Output(DynamicProduct(maker, "MatMulInteger", h, {288, 10}, kWeights[0], 10));
  // One step of one value, where rounding falls on the other side of a tie.
  ExpectPlanAgrees(maker.graph, 1e-2);
  FastSteps(maker.graph);
}

// Integers, fed as they are: sums must be equal to the bit.
void ExpectEqualSums(const Graph& graph, const std::vector<Tensor>& inputs) {
  const auto expected = Evaluate(graph, inputs), actual = RunPlan(graph, inputs);
  ASSERT_TRUE(expected.ok()) << expected.status();
  ASSERT_TRUE(actual.ok()) << actual.status();
  for (size_t o = 0; o < expected->size(); ++o) {
    EXPECT_EQ((*actual)[o].shape(), (*expected)[o].shape());
    EXPECT_EQ((*actual)[o].values<int32_t>(), (*expected)[o].values<int32_t>());
  }
}

Tensor ZeroPoint(DataType type, int value) {
  if (type == DataType::kInt8) return Tensor::Scalar<int8_t>(static_cast<int8_t>(value));
  return Tensor::Scalar<uint8_t>(static_cast<uint8_t>(value));
}

TEST(IntegerProductTest, SumsAreExactForSourcesOfBothTypesAndAnyZeroPoint) {
  for (DataType type : {DataType::kUInt8, DataType::kInt8}) {
    for (int zero_point : {0, 3, 127, -128, 255}) {
      if ((zero_point < 0) != (type == DataType::kInt8) && zero_point != 0 && zero_point != 3) continue;
      for (const Weights& weights : kWeights) {
        SCOPED_TRACE(testing::Message() << NameOf(type) << " around " << zero_point << ", weights around "
                                        << weights.zero_point);
        GraphMaker maker;
        const ValueId x = maker.Input({3, 48}, type), zero = maker.Input({}, type);
        const ValueId image = maker.Input({1, 16, 5, 5}, type);
        maker.Output(maker.Op("MatMulInteger", {x, maker.Constant(Bytes({48, 24}, weights.type, 127)), zero,
                                                maker.Constant(ZeroPoints(weights, 24))}));
        maker.Output(maker.Op("ConvInteger",
                              {image, maker.Constant(Bytes({24, 16, 3, 3}, weights.type, 127)), zero,
                               maker.Constant(ZeroPoints(weights, 24))},
                              With("pads", IntList{1, 1, 1, 1})));
        ExpectEqualSums(maker.graph,
                        {Bytes({3, 48}, type, 127), ZeroPoint(type, zero_point), Bytes({1, 16, 5, 5}, type, 127)});
      }
    }
  }
}

TEST(IntegerProductTest, ZeroPointsMayBeAbsentOrConstant) {
  GraphMaker maker;
  const ValueId x = maker.Input({3, 48}, DataType::kUInt8);
  const ValueId w = maker.Constant(Bytes({48, 24}, DataType::kInt8));
  const ValueId u = maker.Constant(Bytes({48, 24}, DataType::kUInt8));
  maker.Output(maker.Op("MatMulInteger", {x, w}));
  maker.Output(maker.Op("MatMulInteger", {x, u}));
  maker.Output(maker.Op("MatMulInteger", {x, w, maker.Constant(ZeroPoint(DataType::kUInt8, 200))}));
  ExpectEqualSums(maker.graph, {Bytes({3, 48}, DataType::kUInt8)});
  EXPECT_THAT(StepsOf(maker.graph), Each(Not(HasSubstr("reference"))));
}

TEST(IntegerProductTest, WhatOneDnnDoesNotKnowIsLeftToTheReference) {
  GraphMaker maker;
  const ValueId x = maker.Input({3, 48}, DataType::kUInt8), rows = maker.Input({3}, DataType::kUInt8);
  const ValueId w = maker.Input({48, 24}, DataType::kInt8);
  maker.Output(maker.Op("MatMulInteger", {x, maker.Constant(Bytes({48, 24}, DataType::kInt8)), rows}));
  maker.Output(maker.Op("MatMulInteger", {x, w}));
  maker.Output(maker.Op("MatMulInteger", {x, maker.Constant(Bytes({2, 48, 24}, DataType::kInt8))}));
  maker.Output(maker.Op("MatMulInteger", {x, maker.Constant(Bytes({48}, DataType::kInt8))}));
  ExpectEqualSums(maker.graph,
                  {Bytes({3, 48}, DataType::kUInt8), Bytes({3}, DataType::kUInt8), Bytes({48, 24}, DataType::kInt8)});
}

TEST(DynamicQuantizeTest, IsTheReferenceToTheBit) {
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{3, 50}, Shape{2, 5, 9}, Shape{1, 40, 6, 7}}) {
    SCOPED_TRACE(ToString(shape));
    GraphMaker maker;
    const ValueId x = maker.Input(shape);
    for (ValueId output : maker.Ops("DynamicQuantizeLinear", {x}, 3)) maker.Output(output);
    const std::vector<Tensor> inputs = InputsOf(maker.graph);
    const auto expected = Evaluate(maker.graph, inputs), actual = RunPlan(maker.graph, inputs);
    ASSERT_TRUE(expected.ok() && actual.ok()) << expected.status() << actual.status();
    EXPECT_EQ((*actual)[0].values<uint8_t>(), (*expected)[0].values<uint8_t>());
    EXPECT_EQ((*actual)[1].values<float>(), (*expected)[1].values<float>());
    EXPECT_EQ((*actual)[2].values<uint8_t>(), (*expected)[2].values<uint8_t>());
    EXPECT_THAT(StepsOf(maker.graph), Each(HasSubstr("bytes")));
  }
}

TEST(DynamicQuantizeTest, FollowsTheLayoutOfConvolutions) {
  GraphMaker maker;
  // Channels that fill no block of a vector.
  const ValueId h = maker.Op("Conv", {maker.Input({1, 19, 6, 6}), maker.Weights({21, 19, 3, 3})});
  const std::vector<ValueId> parts = maker.Ops("DynamicQuantizeLinear", {h}, 3);
  maker.Output(maker.Op("DequantizeLinear", parts));
  ExpectPlanAgrees(maker.graph, 5e-3);  // one step
}

}  // namespace
}  // namespace tandem::engine
