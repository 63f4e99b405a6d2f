// Patterns that become one operator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/passes/rewrites.h"
#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

std::vector<std::string> Swished(const GraphMaker& maker) { return OpsOf(Rewritten(maker.graph, RecognizeSwish)); }

TEST(RecognizeSwishTest, SigmoidTimesItsInputEitherWay) {
  for (bool gate_first : {false, true}) {
    GraphMaker maker;
    const ValueId x = maker.Input({2, 3});
    const ValueId gate = maker.Op("Sigmoid", {x});
    maker.Output(maker.Op("Mul", gate_first ? std::vector<ValueId>{gate, x} : std::vector<ValueId>{x, gate}));
    EXPECT_THAT(Swished(maker), ElementsAre("Swish"));
  }
}

// Clip(x + 3, 0, 6).
ValueId ShiftedClip(GraphMaker& maker, ValueId x, float shift = 3, float high = 6) {
  return maker.Op("Clip", {maker.Op("Add", {x, maker.Scalar(shift)}), maker.Scalar(0), maker.Scalar(high)});
}

TEST(RecognizeSwishTest, HardSwishAsExportersSpellIt) {
  GraphMaker by_hard_sigmoid;
  const ValueId x = by_hard_sigmoid.Input({2, 3});
  const ValueId gate = by_hard_sigmoid.Op("HardSigmoid", {x}, With("alpha", 1.0f / 6).And("beta", 0.5f));
  by_hard_sigmoid.Output(by_hard_sigmoid.Op("Mul", {x, gate}));
  EXPECT_THAT(Swished(by_hard_sigmoid), ElementsAre("HardSwish"));

  GraphMaker product_then_six;
  const ValueId a = product_then_six.Input({2, 3});
  product_then_six.Output(product_then_six.Op(
      "Div", {product_then_six.Op("Mul", {a, ShiftedClip(product_then_six, a)}), product_then_six.Scalar(6)}));
  EXPECT_THAT(Swished(product_then_six), ElementsAre("HardSwish"));

  GraphMaker six_then_product;
  const ValueId b = six_then_product.Input({2, 3});
  six_then_product.Output(six_then_product.Op(
      "Mul", {b, six_then_product.Op("Mul", {ShiftedClip(six_then_product, b), six_then_product.Scalar(1.0f / 6)})}));
  EXPECT_THAT(Swished(six_then_product), ElementsAre("HardSwish"));

  GraphMaker gate_alone;
  const ValueId c = gate_alone.Input({2, 3});
  gate_alone.Output(gate_alone.Op("Div", {ShiftedClip(gate_alone, c), gate_alone.Scalar(6)}));
  EXPECT_THAT(Swished(gate_alone), ElementsAre("HardSigmoid"));
}

TEST(RecognizeSwishTest, OtherConstantsAndOtherInputsStayAsTheyAre) {
  for (auto [shift, high, divisor] : {std::tuple{2.5f, 6.0f, 6.0f}, {3.0f, 5.0f, 6.0f}, {3.0f, 6.0f, 5.0f}}) {
    GraphMaker maker;
    const ValueId x = maker.Input({2, 3});
    maker.Output(maker.Op("Div", {ShiftedClip(maker, x, shift, high), maker.Scalar(divisor)}));
    EXPECT_THAT(Swished(maker), ElementsAre("Add", "Clip", "Div"));
  }
  GraphMaker other_input;
  const ValueId x = other_input.Input({2, 3}), z = other_input.Input({2, 3});
  other_input.Output(other_input.Op("Mul", {z, other_input.Op("Sigmoid", {x})}));
  EXPECT_THAT(Swished(other_input), ElementsAre("Sigmoid", "Mul"));
}

TEST(RecognizeSwishTest, GatesWithoutInputsAreLookedAtInPeace) {
  GraphMaker maker;
  const ValueId x = maker.Input({2});
  const ValueId noise = maker.Op("RandomNormal", {}, With("shape", IntList{2}));
  maker.Output(maker.Op("Mul", {noise, x}));
  Graph after = maker.graph;
  const Pass pass = {"swish", RecognizeSwish};
  ASSERT_TRUE(RunPasses(after, {&pass, 1}).ok());
  EXPECT_EQ(OpsOf(after).size(), 2u);
}

TEST(RecognizeSwishTest, ConstantsThatAddAnAxisStayAsTheyAre) {
  GraphMaker maker;
  const ValueId x = maker.Input({3});
  maker.Output(maker.Op("Div", {ShiftedClip(maker, x), maker.Constant(Tensor::Of<float>({1, 1}, {6}))}));
  EXPECT_THAT(Swished(maker), Contains("Div"));
}

// --- Gelu ---

// x * (1 + Erf(x / sqrt 2)) * half, in one of three orders.
GraphMaker Gelu(int order, float root, float one, float half) {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 5});
  const ValueId scaled =
      order == 2 ? maker.Op("Mul", {x, maker.Scalar(1 / root)}) : maker.Op("Div", {x, maker.Scalar(root)});
  const ValueId gate = maker.Op("Add", {maker.Op("Erf", {scaled}), maker.Scalar(one)});
  const ValueId by_half = maker.Scalar(half);
  ValueId y;
  if (order == 0) y = maker.Op("Mul", {maker.Op("Mul", {x, gate}), by_half});
  if (order == 1) y = maker.Op("Mul", {maker.Op("Mul", {x, by_half}), gate});
  if (order == 2) y = maker.Op("Mul", {x, maker.Op("Mul", {by_half, gate})});
  maker.Output(y);
  return maker;
}

TEST(RecognizeGeluTest, InTheOrdersOfExporters) {
  for (int order : {0, 1, 2}) {
    EXPECT_THAT(OpsOf(Rewritten(Gelu(order, std::sqrt(2.0f), 1, 0.5f).graph, RecognizeGelu)), ElementsAre("Gelu"));
  }
}

TEST(RecognizeGeluTest, OtherConstantsStayAsTheyAre) {
  EXPECT_THAT(OpsOf(Rewritten(Gelu(0, 1.5f, 1, 0.5f).graph, RecognizeGelu)), Not(Contains("Gelu")));
  EXPECT_THAT(OpsOf(Rewritten(Gelu(0, std::sqrt(2.0f), 2, 0.5f).graph, RecognizeGelu)), Not(Contains("Gelu")));
  EXPECT_THAT(OpsOf(Rewritten(Gelu(0, std::sqrt(2.0f), 1, 0.25f).graph, RecognizeGelu)), Not(Contains("Gelu")));
}

// --- LayerNormalization ---

struct Rows {
  Shape x = {2, 3, 4};
  Shape scale = {4};
  int64_t axis = -1;
  bool power = true;
  int64_t keepdims = 1;
};

GraphMaker LayerNorm(const Rows& rows) {
  GraphMaker maker;
  const ValueId x = maker.Input(rows.x);
  const Attributes keep = With("keepdims", rows.keepdims);
  const ValueId centered = maker.Op("Sub", {x, maker.Op("ReduceMean", {x, maker.Ints({rows.axis})}, keep)});
  const ValueId squared =
      rows.power ? maker.Op("Pow", {centered, maker.Scalar(2)}) : maker.Op("Mul", {centered, centered});
  const ValueId variance = maker.Op("ReduceMean", {squared, maker.Ints({rows.axis})}, keep);
  const ValueId root = maker.Op("Sqrt", {maker.Op("Add", {variance, maker.Scalar(1e-5f)})});
  const ValueId scaled = maker.Op("Mul", {maker.Op("Div", {centered, root}), maker.Weights(rows.scale)});
  maker.Output(maker.Op("Add", {scaled, maker.Weights(rows.scale)}));
  return maker;
}

TEST(RecognizeLayerNormalizationTest, SpelledOutOverTheLastDimension) {
  for (bool power : {false, true}) {
    for (int64_t axis : {-1, 2}) {
      const GraphMaker maker = LayerNorm({.axis = axis, .power = power});
      EXPECT_THAT(OpsOf(Rewritten(maker.graph, RecognizeLayerNormalization)), ElementsAre("LayerNormalization"));
    }
  }
}

TEST(RecognizeLayerNormalizationTest, OtherAxesAndVectorsThatStretchStayAsTheyAre) {
  for (const Rows& rows : {Rows{.axis = 1}, Rows{.scale = {1}}, Rows{.x = {2, 3, 1}, .scale = {4}}}) {
    EXPECT_THAT(OpsOf(Rewritten(LayerNorm(rows).graph, RecognizeLayerNormalization)),
                Not(Contains("LayerNormalization")));
  }
}

// --- ChannelShuffle ---

std::vector<std::string> Shuffled(const IntList& middle, const IntList& perm, const IntList& back,
                                  double tolerance = 0) {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 6, 3, 5});
  const ValueId split = maker.Op("Reshape", {x, maker.Ints(middle)});
  const ValueId swapped = maker.Op("Transpose", {split}, With("perm", perm));
  maker.Output(maker.Op("Reshape", {swapped, maker.Ints(back)}));
  return OpsOf(Rewritten(maker.graph, RecognizeChannelShuffle, tolerance));
}

TEST(RecognizeChannelShuffleTest, GroupsThatChangePlaces) {
  EXPECT_THAT(Shuffled({2, 2, 3, 3, 5}, {0, 2, 1, 3, 4}, {2, 6, 3, 5}), ElementsAre("tandem.ChannelShuffle"));
  EXPECT_THAT(Shuffled({2, 3, 2, 3, 5}, {0, 2, 1, 3, 4}, {2, -1, 3, 5}), ElementsAre("tandem.ChannelShuffle"));
}

TEST(RecognizeChannelShuffleTest, OtherShapesAndOrdersStayAsTheyAre) {
  EXPECT_EQ(Shuffled({2, 2, 3, 3, 5}, {0, 2, 1, 4, 3}, {2, 6, 3, 5}).size(), 3u);
  EXPECT_EQ(Shuffled({2, 2, 3, 5, 3}, {0, 2, 1, 3, 4}, {2, 6, 3, 5}).size(), 3u);  // the image is reshaped too
  EXPECT_EQ(Shuffled({2, 2, 3, 3, 5}, {0, 2, 1, 3, 4}, {2, 3, 6, 5}).size(), 3u);
  EXPECT_EQ(Shuffled({2, 2, 3, 3, 5}, {1, 2, 0, 3, 4}, {2, 6, 3, 5}).size(), 3u);
}

TEST(RemoveIdentityTest, IdentityAndDropoutGo) {
  GraphMaker maker;
  const ValueId x = maker.Input({2});
  maker.Output(maker.Op("Dropout", {maker.Op("Relu", {maker.Op("Identity", {x})})}));
  EXPECT_THAT(OpsOf(Rewritten(maker.graph, RemoveIdentity)), ElementsAre("Relu"));
}

TEST(RemoveIdentityTest, AnOutputKeepsAValueOfItsOwn) {
  GraphMaker of_input;
  of_input.Output(of_input.Op("Identity", {of_input.Input({2})}));
  EXPECT_THAT(OpsOf(Rewritten(of_input.graph, RemoveIdentity)), ElementsAre("Identity"));
  GraphMaker of_constant;
  of_constant.Output(of_constant.Op("Identity", {of_constant.Weights({2})}));
  EXPECT_THAT(OpsOf(Rewritten(of_constant.graph, RemoveIdentity)), ElementsAre("Identity"));
  GraphMaker of_output;
  const ValueId h = of_output.Op("Relu", {of_output.Input({2})});
  of_output.Output(h);
  of_output.Output(of_output.Op("Identity", {h}));
  EXPECT_THAT(OpsOf(Rewritten(of_output.graph, RemoveIdentity)), ElementsAre("Relu", "Identity"));
}

TEST(RemoveIdentityTest, DropoutInTrainingAndWithItsMaskStays) {
  GraphMaker maker;
  const ValueId x = maker.Input({2});
  maker.Output(maker.Ops("Dropout", {x}, 2)[0]);
  EXPECT_THAT(OpsOf(Rewritten(maker.graph, RemoveIdentity)), ElementsAre("Dropout"));
}

// A product by unsigned weights whose sums are cast, as dynamic quantization writes it.
ValueId CastProduct(GraphMaker& maker, std::vector<ValueId>* sums = nullptr) {
  const ValueId a = maker.Op("Cast", {maker.Input({2, 3})}, With("to", int64_t{2}));
  const Tensor weights = Tensor::Of<uint8_t>({3, 2}, {0, 255, 128, 127, 3, 200});
  const ValueId product =
      maker.Op("MatMulInteger", {a, maker.Constant(weights), maker.Constant(Tensor::Scalar<uint8_t>(1)),
                                 maker.Constant(Tensor::Scalar<uint8_t>(130))});
  if (sums != nullptr) sums->push_back(product);
  return maker.Op("Cast", {product}, With("to", int64_t{1}));
}

TEST(RecognizeIntegerProductTest, TheCastOfItsSumsJoins) {
  GraphMaker matrix;
  matrix.Output(CastProduct(matrix));
  EXPECT_THAT(OpsOf(Rewritten(matrix.graph, RecognizeIntegerProduct)),
              ElementsAre("Cast", "tandem.MatMulIntegerToFloat"));
  GraphMaker image;
  const ValueId x = image.Op("Cast", {image.Input({1, 1, 3, 3})}, With("to", int64_t{2}));
  const ValueId w = image.Constant(Tensor::Of<int8_t>({1, 1, 2, 2}, {-128, 1, 2, 127}));
  image.Output(image.Op("Cast", {image.Op("ConvInteger", {x, w})}, With("to", int64_t{1})));
  EXPECT_THAT(OpsOf(Rewritten(image.graph, RecognizeIntegerProduct)), ElementsAre("Cast", "tandem.ConvIntegerToFloat"));
}

TEST(RecognizeIntegerProductTest, SumsThatOthersReadStayIntegers) {
  GraphMaker maker;
  std::vector<ValueId> sums;
  maker.Output(CastProduct(maker, &sums));
  maker.Output(maker.Op("Cast", sums, With("to", int64_t{11})));
  EXPECT_THAT(OpsOf(Rewritten(maker.graph, RecognizeIntegerProduct)), Contains("MatMulInteger"));
}

TEST(SignIntegerWeightsTest, UnsignedWeightsAndTheirZeroPointsMoveBy128) {
  GraphMaker maker;
  maker.Output(CastProduct(maker));
  const Graph graph = Rewritten(maker.graph, SignIntegerWeights);
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node* const node = graph.node(id);
    if (node == nullptr || node->op != "MatMulInteger") continue;
    EXPECT_THAT(graph.ConstantOf(node->inputs[1])->values<int8_t>(), ElementsAre(-128, 127, 0, -1, -125, 72));
    EXPECT_THAT(graph.ConstantOf(node->inputs[3])->values<int8_t>(), ElementsAre(2));
  }
}

TEST(SignIntegerWeightsTest, AbsentZeroPointsAreGiven) {
  GraphMaker maker;
  const ValueId a = maker.Op("Cast", {maker.Input({2, 2})}, With("to", int64_t{2}));
  const ValueId sums = maker.Op("MatMulInteger", {a, maker.Constant(Tensor::Of<uint8_t>({2, 1}, {9, 250}))});
  maker.Output(maker.Op("Cast", {sums}, With("to", int64_t{1})));
  EXPECT_THAT(OpsOf(Rewritten(maker.graph, SignIntegerWeights)), ElementsAre("Cast", "MatMulInteger", "Cast"));
}

}  // namespace
}  // namespace tandem::engine
