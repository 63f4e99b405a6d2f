// Operators on quantized numbers against what they become: by their own reference kernels where the engine has one,
// else by numbers computed by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "engine/passes/pipelines.h"
#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

template <typename T>
Tensor RandomIntegers(const Shape& shape, int low, int high, uint32_t seed) {
  Tensor tensor(DataTypeOf<T>(), shape);
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> uniform(low, high);
  for (T& value : tensor.mutable_values<T>()) value = static_cast<T>(uniform(generator));
  return tensor;
}

class Quantized : public GraphMaker {
 public:
  template <typename T>
  ValueId Zero(T zero_point) {
    return Constant(Tensor::Scalar<T>(zero_point));
  }
  // A node that inference may not know, with one output, which is the graph's.
  void Result(const std::string& op, std::vector<ValueId> inputs, const Attributes& attributes = {}) {
    Node node;
    node.op = op;
    node.name = "the node";
    node.inputs = std::move(inputs);
    node.attributes = attributes;
    const ValueId id = graph.AddValue({});
    node.outputs = {id};
    graph.AddNode(std::move(node));
    Output(id);
  }
  std::vector<std::string> Expanded() {
    EXPECT_TRUE(ExpandOperators(graph).ok());
    EXPECT_TRUE(graph.Validate().ok()) << graph.Validate();
    return OpsOf(graph);
  }
  Tensor Run(const std::vector<Tensor>& inputs) const {
    const auto outputs = Evaluate(graph, inputs);
    EXPECT_TRUE(outputs.ok()) << outputs.status();
    return outputs.ok() ? (*outputs)[0] : Tensor();
  }
};

template <typename T>
std::vector<int> ValuesOf(const Tensor& tensor) {
  if (!tensor.defined()) return {};
  const auto values = tensor.values<T>();
  return std::vector<int>(values.begin(), values.end());
}

// The same graph before and after, on the same bytes: a step apart at most, where a sum fell next to a tie.
void ExpectWithinAStep(Quantized maker, const Tensor& x, const std::vector<std::string>& ops) {
  const Tensor before = maker.Run({x});
  EXPECT_EQ(maker.Expanded(), ops);
  const Tensor after = maker.Run({x});
  ASSERT_TRUE(before.defined() && after.defined());
  ASSERT_EQ(ToString(before.shape()), ToString(after.shape()));
  const std::vector<int> expected = ValuesOf<uint8_t>(before), actual = ValuesOf<uint8_t>(after);
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_LE(std::abs(expected[i] - actual[i]), 1) << i;
}

std::vector<std::string> Around(const std::string& op, int dequantized) {
  std::vector<std::string> ops(dequantized, "DequantizeLinear");
  ops.push_back(op);
  ops.push_back("QuantizeLinear");
  return ops;
}

TEST(ExpandQLinearConvTest, ComputesWhatTheIntegersDo) {
  for (bool per_channel : {false, true}) {
    for (const char* op : {"QLinearConv", "com.microsoft.QLinearConv"}) {
      Quantized maker;
      const ValueId x = maker.Input({2, 4, 6, 5}, DataType::kUInt8);
      const ValueId w = maker.Constant(RandomIntegers<int8_t>({6, 2, 3, 3}, -127, 127, 1));
      const ValueId bias = maker.Constant(RandomIntegers<int32_t>({6}, -9000, 9000, 2));
      const ValueId scales = per_channel ? maker.Constant(Tensor::Of<float>({6}, {.01f, .02f, .03f, .005f, .01f, .04f}))
                                         : maker.Scalar(.02f);
      const ValueId y_scale = maker.Constant(Tensor::Of<float>({1}, {0.6f}));
      const Attributes attributes =
          With("group", int64_t{2}).And("pads", IntList{1, 0, 1, 2}).And("strides", IntList{2, 1});
      maker.Result(op,
                   {x, maker.Scalar(.05f), maker.Zero<uint8_t>(120), w, scales, maker.Zero<int8_t>(0), y_scale,
                    maker.Zero<uint8_t>(130), bias},
                   attributes);
      if (absl::string_view(op) != "QLinearConv") {  // has no kernel of its own: it is the same
        EXPECT_EQ(maker.Expanded(), Around("Conv", 3));
        continue;
      }
      ExpectWithinAStep(maker, RandomIntegers<uint8_t>({2, 4, 6, 5}, 0, 255, 3), Around("Conv", 3));
    }
  }
}

TEST(ExpandQLinearConvTest, MakesScalarsOfSingleElements) {
  Quantized maker;
  const ValueId one = maker.Constant(Tensor::Of<float>({1}, {1}));
  const ValueId w = maker.Constant(RandomIntegers<int8_t>({1, 1, 1}, 1, 1, 1));
  maker.Result("QLinearConv", {maker.Input({1, 1, 2}, DataType::kUInt8), one, maker.Zero<uint8_t>(0), w, one,
                               maker.Zero<int8_t>(0), one, maker.Zero<uint8_t>(0)});
  maker.Expanded();
  for (ValueId id = 0; id < maker.graph.num_values(); ++id) {
    const Value& value = maker.graph.value(id);
    if (value.is_constant() && value.type == DataType::kFloat32) EXPECT_EQ(value.constant.rank(), 0);
  }
}

TEST(ExpandQLinearConvTest, LeavesScalesAloneThatAreNoConstants) {
  Quantized maker;
  const ValueId w = maker.Constant(RandomIntegers<int8_t>({1, 1, 1}, -9, 9, 1));
  const ValueId x_scale = maker.Input({});
  maker.Result("QLinearConv", {maker.Input({1, 1, 2}, DataType::kUInt8), x_scale, maker.Zero<uint8_t>(0), w,
                               maker.Scalar(1), maker.Zero<int8_t>(0), maker.Scalar(1), maker.Zero<uint8_t>(0)});
  EXPECT_THAT(maker.Expanded(), ElementsAre("QLinearConv"));
}

TEST(ExpandQLinearMatMulTest, ComputesWhatTheIntegersDo) {
  for (bool per_column : {false, true}) {
    Quantized maker;
    const ValueId a = maker.Input({3, 5, 7}, DataType::kUInt8);
    const ValueId b = maker.Constant(RandomIntegers<int8_t>({7, 4}, -127, 127, 4));
    const ValueId scales = per_column ? maker.Constant(Tensor::Of<float>({4}, {.01f, .02f, .03f, .005f}))
                                      : maker.Constant(Tensor::Of<float>({1}, {.02f}));
    maker.Result("QLinearMatMul", {a, maker.Scalar(.03f), maker.Zero<uint8_t>(100), b, scales, maker.Zero<int8_t>(3),
                                   maker.Scalar(.1f), maker.Zero<uint8_t>(128)});
    ExpectWithinAStep(maker, RandomIntegers<uint8_t>({3, 5, 7}, 0, 255, 5), Around("MatMul", 2));
  }
}

TEST(ExpandQLinearMatMulTest, LeavesScalesOfRowsAlone) {
  Quantized maker;
  const ValueId b = maker.Constant(RandomIntegers<int8_t>({2, 4}, -9, 9, 4));
  maker.Result("QLinearMatMul", {maker.Input({3, 2}, DataType::kUInt8),
                                 maker.Constant(Tensor::Of<float>({3}, {1, 2, 3})), maker.Zero<uint8_t>(0), b,
                                 maker.Scalar(1), maker.Zero<int8_t>(0), maker.Scalar(1), maker.Zero<uint8_t>(0)});
  EXPECT_THAT(maker.Expanded(), ElementsAre("QLinearMatMul"));
}

class QGemm : public Quantized {
 public:
  // (1 2) * 0.5 by the columns (1 2), (3 4) of weights, plus a bias of 10 and 20 steps.
  QGemm() {
    const ValueId b = Constant(Tensor::Of<int8_t>({2, 2}, {1, 2, 3, 4}));
    inputs = {Input({1, 2}, DataType::kUInt8),
              Scalar(0.5f),
              Zero<uint8_t>(1),
              b,
              Constant(Tensor::Of<float>({2}, {1, 2})),
              Zero<int8_t>(0),
              Constant(Tensor::Of<int32_t>({2}, {10, 20}))};
  }
  std::vector<ValueId> inputs;
  const Attributes transposed = With("transB", int64_t{1}).And("alpha", 2.0f);
  const Tensor x = Tensor::Of<uint8_t>({1, 2}, {2, 3});
};

TEST(ExpandQGemmTest, GivesRealNumbersWithoutParametersOfTheResult) {
  QGemm maker;
  maker.Result("com.microsoft.QGemm", maker.inputs, maker.transposed);
  EXPECT_THAT(maker.Expanded(), ElementsAre("DequantizeLinear", "DequantizeLinear", "DequantizeLinear", "Gemm"));
  // 2 * 0.5 * (5 + 10) and 2 * 0.5 * 2 * (11 + 20).
  const Tensor y = maker.Run({maker.x});
  ASSERT_TRUE(y.defined());
  EXPECT_THAT(y.values<float>(), ElementsAre(15, 62));
}

TEST(ExpandQGemmTest, QuantizesTheResultAndDoesWithoutBias) {
  QGemm maker;
  maker.inputs[6] = kNoValue;
  maker.inputs.push_back(maker.Scalar(2));
  maker.inputs.push_back(maker.Zero<int8_t>(-3));
  maker.Result("com.microsoft.QGemm", maker.inputs, maker.transposed);
  EXPECT_EQ(maker.Expanded(), Around("Gemm", 2));
  EXPECT_THAT(ValuesOf<int8_t>(maker.Run({maker.x})), ElementsAre(-1, 8));  // 5 / 2 and 22 / 2 steps
}

TEST(ExpandQGemmTest, LeavesABiasAloneThatDoesNotFitTheScales) {
  QGemm maker;
  maker.inputs[6] = maker.Constant(Tensor::Of<int32_t>({1}, {10}));
  maker.Result("com.microsoft.QGemm", maker.inputs, maker.transposed);
  EXPECT_THAT(maker.Expanded(), ElementsAre("com.microsoft.QGemm"));
}

TEST(ExpandQLinearTest, AddsAndMultiplies) {
  for (const char* op : {"Add", "Mul"}) {
    Quantized maker;
    const ValueId a = maker.Input({3}, DataType::kUInt8);
    const ValueId b = maker.Constant(Tensor::Of<uint8_t>({3}, {10, 20, 30}));
    maker.Result(std::string("com.microsoft.QLinear") + op,
                 {a, maker.Scalar(0.5f), maker.Zero<uint8_t>(2), b, maker.Scalar(1), maker.Zero<uint8_t>(10),
                  maker.Scalar(0.5f), maker.Zero<uint8_t>(1)});
    EXPECT_EQ(maker.Expanded(), Around(op, 2));
    const std::vector<int> y = ValuesOf<uint8_t>(maker.Run({Tensor::Of<uint8_t>({3}, {4, 6, 8})}));
    // 1 2 3 and 0 10 20.
    EXPECT_THAT(y, absl::string_view(op) == "Add" ? ElementsAre(3, 25, 47) : ElementsAre(1, 41, 121));
  }
}

TEST(ExpandQLinearTest, AppliesFunctionsOfOneValue) {
  const auto apply = [](const char* op, const Attributes& attributes) {
    Quantized maker;
    maker.Result(std::string("com.microsoft.QLinear") + op,
                 {maker.Input({1, 1, 2, 2}, DataType::kInt8), maker.Scalar(0.5f), maker.Zero<int8_t>(-1),
                  maker.Scalar(0.25f), maker.Zero<int8_t>(1)},
                 attributes);
    EXPECT_EQ(maker.Expanded(), Around(op, 1));
    return ValuesOf<int8_t>(maker.Run({Tensor::Of<int8_t>({1, 1, 2, 2}, {-1, 1, 3, -3})}));  // 0 1 2 -1
  };
  EXPECT_THAT(apply("Sigmoid", {}), ElementsAre(3, 4, 5, 2));
  EXPECT_THAT(apply("LeakyRelu", With("alpha", 0.25f)), ElementsAre(1, 5, 9, 0));
  EXPECT_THAT(apply("GlobalAveragePool", With("channels_last", int64_t{0})), ElementsAre(3));
  EXPECT_THAT(apply("AveragePool", With("kernel_shape", IntList{1, 2})), ElementsAre(3, 3));
  EXPECT_THAT(apply("Softmax", With("axis", int64_t{3}).And("opset", int64_t{13})), ElementsAre(2, 4, 5, 1));
  EXPECT_THAT(apply("Softmax", With("axis", int64_t{1}).And("opset", int64_t{12})), ElementsAre(1, 2, 4, 1));
}

TEST(ExpandQLinearTest, Chooses) {
  Quantized maker;
  const ValueId condition = maker.Constant(Tensor::Of<bool>({2}, {true, false}));
  const ValueId y = maker.Constant(Tensor::Of<uint8_t>({2}, {7, 8}));
  maker.Result("com.microsoft.QLinearWhere",
               {condition, maker.Input({2}, DataType::kUInt8), maker.Scalar(1), maker.Zero<uint8_t>(0), y,
                maker.Scalar(2), maker.Zero<uint8_t>(0), maker.Scalar(1), maker.Zero<uint8_t>(1)});
  EXPECT_EQ(maker.Expanded(), Around("Where", 2));
  EXPECT_THAT(ValuesOf<uint8_t>(maker.Run({Tensor::Of<uint8_t>({2}, {3, 4})})), ElementsAre(4, 17));
}

TEST(ExpandQLinearTest, LeavesAloneWhatLacksOperands) {
  Quantized maker;
  maker.Result("com.microsoft.QLinearSigmoid",
               {maker.Input({2}, DataType::kUInt8), kNoValue, kNoValue, maker.Scalar(1), maker.Zero<uint8_t>(0)});
  EXPECT_THAT(maker.Expanded(), ElementsAre("com.microsoft.QLinearSigmoid"));
}

TEST(ExpandQLinearTest, LeavesAloneWhatHasNoOutputOfItsOwn) {
  Quantized maker;
  maker.Result("com.microsoft.QLinearSigmoid", {maker.Input({2}, DataType::kUInt8), maker.Scalar(1),
                                                maker.Zero<uint8_t>(0), maker.Scalar(1), maker.Zero<uint8_t>(0)});
  Node& node = maker.graph.mutable_node(0);
  node.outputs = {kNoValue, node.outputs[0]};  // as a broken file may have it
  EXPECT_THAT(maker.Expanded(), ElementsAre("com.microsoft.QLinearSigmoid"));
}

TEST(ExpandQLinearConcatTest, BringsItsOperandsToTheScaleOfTheResult) {
  Quantized maker;
  const ValueId b = maker.Constant(Tensor::Of<uint8_t>({1}, {6}));
  maker.Result("com.microsoft.QLinearConcat",
               {maker.Scalar(2), maker.Zero<uint8_t>(1), maker.Input({2}, DataType::kUInt8), maker.Scalar(1),
                maker.Zero<uint8_t>(0), b, maker.Scalar(4), maker.Zero<uint8_t>(2)},
               With("axis", int64_t{0}));
  EXPECT_EQ(maker.Expanded(), Around("Concat", 2));
  EXPECT_THAT(ValuesOf<uint8_t>(maker.Run({Tensor::Of<uint8_t>({2}, {4, 8})})), ElementsAre(3, 5, 9));
}

}  // namespace
}  // namespace tandem::engine
