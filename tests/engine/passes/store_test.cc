// QuantizeLinear and DequantizeLinear turned into values that are stored as integers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/passes/quantized.h"
#include "engine/passes/rewrites.h"
#include "tests/engine/stored_graphs.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

// How many values of `graph` that a node reads or makes are stored.
int StoredValues(const Graph& graph) {
  int count = 0;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Value& value = graph.value(id);
    if (value.quantization.has_value() && (value.producer != kNoNode || value.is_constant())) ++count;
  }
  return count;
}

TEST(StoreQuantizedTest, APairBecomesTheWayItsInputIsStored) {
  GraphMaker maker;
  const ValueId h = maker.Op("Relu", {maker.Input({1, 4, 3, 3})});
  maker.Output(maker.Op("Exp", {Rounded(maker, h, kPositive)}));
  const Graph after = Rewritten(maker.graph, StoreQuantized);
  EXPECT_THAT(OpsOf(after), ElementsAre("Relu", "Exp"));
  EXPECT_EQ(after.value(h).quantization->scale(), kPositive.scale);
}

TEST(StoreQuantizedTest, InputsAndValuesThatOthersReadAreStoredAside) {
  GraphMaker input;
  input.Output(input.Op("Exp", {Rounded(input, input.Input({2, 3}), kSigned)}));
  EXPECT_THAT(OpsOf(Rewritten(input.graph, StoreQuantized)), ElementsAre("tandem.Store", "Exp"));

  GraphMaker shared;
  const ValueId h = shared.Op("Relu", {shared.Input({2, 3})});
  shared.Output(shared.Op("Exp", {Rounded(shared, h, kPositive)}));
  shared.Output(shared.Op("Sqrt", {h}));
  const Graph after = Rewritten(shared.graph, StoreQuantized);
  EXPECT_FALSE(after.value(h).quantization.has_value());
  EXPECT_EQ(StoredValues(after), 1);
}

TEST(StoreQuantizedTest, OneStoreServesAllReadersOfTheSameRounding) {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 3});
  maker.Output(maker.Op("Exp", {Rounded(maker, x, kUnsigned)}));
  maker.Output(maker.Op("Sin", {Rounded(maker, x, kUnsigned)}));
  EXPECT_EQ(StoredValues(Rewritten(maker.graph, StoreQuantized)), 1);
}

TEST(StoreQuantizedTest, SignedNumbersAreStoredUnsigned) {
  GraphMaker maker;
  const ValueId h = maker.Op("Relu", {maker.Input({2, 3})});
  const ValueId unsigned_first = Rounded(maker, h, {0.1f, 127});
  maker.Output(maker.Op("Exp", {Rounded(maker, unsigned_first, {0.1f, -1, true})}));
  const Graph after = Rewritten(maker.graph, StoreQuantized);
  EXPECT_THAT(OpsOf(after), ElementsAre("Relu", "Exp"));
  EXPECT_EQ(after.value(h).quantization, (Quantization{DataType::kUInt8, {0.1f}, {127}}));
}

TEST(StoreQuantizedTest, OtherParametersOnTheWayBackStay) {
  GraphMaker maker;
  const ValueId zero = maker.Constant(Tensor::Scalar<uint8_t>(7));
  const ValueId q = maker.Op("QuantizeLinear", {maker.Op("Relu", {maker.Input({2, 3})}), maker.Scalar(0.1f), zero});
  maker.Output(maker.Op("DequantizeLinear", {q, maker.Scalar(0.2f), zero}));
  EXPECT_THAT(OpsOf(Rewritten(maker.graph, StoreQuantized)), ElementsAre("Relu", "QuantizeLinear", "DequantizeLinear"));
}

TEST(StoreWeightsTest, UnsignedOnesBecomeSigned) {
  GraphMaker maker;
  const Tensor weights = Tensor::Of<uint8_t>({2, 2}, {0, 128, 255, 3});
  const ValueId w = maker.Op(
      "DequantizeLinear", {maker.Constant(weights), maker.Scalar(0.5f), maker.Constant(Tensor::Scalar<uint8_t>(128))});
  maker.Output(maker.Op("MatMul", {maker.Input({3, 2}), w}));
  const Graph after = Rewritten(maker.graph, StoreWeights);
  EXPECT_THAT(OpsOf(after), ElementsAre("MatMul"));
  const Value& stored = after.value(after.node(after.value(after.outputs()[0]).producer)->inputs[1]);
  EXPECT_THAT(stored.constant.values<int8_t>(), ElementsAre(-128, 0, 127, -125));
  EXPECT_EQ(stored.quantization->zero_point(), 0);
}

TEST(SpreadQuantizationTest, MovesTakeTheirInputsAndTheirResults) {
  for (bool backward : {false, true}) {
    GraphMaker maker;
    const ValueId h = maker.Op("Relu", {maker.Input({1, 4, 6, 6})});
    const ValueId moved = maker.Op("MaxPool", {h}, With("kernel_shape", IntList{2, 2}));
    maker.graph.mutable_value(backward ? moved : h).quantization = Quantization{DataType::kUInt8, {0.02f}, {0}};
    maker.Output(maker.Op("Exp", {moved}));
    EXPECT_EQ(StoredValues(Rewritten(maker.graph, SpreadQuantization)), 2) << backward;
  }
}

TEST(SpreadQuantizationTest, ConcatenationsJoinOnlyWhatIsStoredAlike) {
  const auto stored_after = [](float other) {
    GraphMaker maker;
    const ValueId a = maker.Op("Relu", {maker.Input({1, 4})}), b = maker.Op("Relu", {maker.Input({1, 4})});
    maker.graph.mutable_value(a).quantization = Quantization{DataType::kUInt8, {0.02f}, {0}};
    maker.graph.mutable_value(b).quantization = Quantization{DataType::kUInt8, {other}, {0}};
    maker.Output(maker.Op("Exp", {maker.Op("Concat", {a, b}, With("axis", int64_t{1}))}));
    return StoredValues(Rewritten(maker.graph, SpreadQuantization));
  };
  EXPECT_EQ(stored_after(0.02f), 3);
  EXPECT_EQ(stored_after(0.03f), 2);
}

TEST(QuantizationOfTest, OnlyConstantParametersOfEightBitsCount) {
  const auto of = [](auto&& build) {
    GraphMaker maker;
    const ValueId y = build(maker);
    return QuantizationOf(maker.graph, *maker.graph.node(maker.graph.value(y).producer)).has_value();
  };
  const auto quantize = [](GraphMaker& maker, float scale, Tensor zero) {
    return maker.Op("QuantizeLinear", {maker.Input({2, 3}), maker.Scalar(scale), maker.Constant(std::move(zero))});
  };
  EXPECT_TRUE(of([&](GraphMaker& m) { return quantize(m, 0.5f, Tensor::Scalar<int8_t>(3)); }));
  EXPECT_FALSE(of([&](GraphMaker& m) { return quantize(m, 0.5f, Tensor::Scalar<int16_t>(3)); }));
  EXPECT_FALSE(of([&](GraphMaker& m) { return quantize(m, 0.0f, Tensor::Scalar<int8_t>(3)); }));
  EXPECT_FALSE(of([](GraphMaker& m) {
    return m.Op("QuantizeLinear", {m.Input({2, 3}), m.Input({}), m.Constant(Tensor::Scalar<int8_t>(3))});
  }));
}

}  // namespace
}  // namespace tandem::engine
