// Plans of graphs that carry quantization against the same graphs computed by reference kernels: integers in, the same
// integers out, up to one step of the result's quantization.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/compile/saturation.h"
#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

struct Scheme {
  float scale;
  int zero_point;
  bool is_signed = false;
};

constexpr Scheme kUnsigned{0.02f, 100};
constexpr Scheme kPositive{0.015f, 0};
constexpr Scheme kSigned{0.025f, 3, true};

ValueId ZeroPoint(GraphMaker& maker, const Scheme& scheme) {
  if (scheme.is_signed) return maker.Constant(Tensor::Scalar<int8_t>(static_cast<int8_t>(scheme.zero_point)));
  return maker.Constant(Tensor::Scalar<uint8_t>(static_cast<uint8_t>(scheme.zero_point)));
}

// DequantizeLinear(QuantizeLinear(x)).
ValueId Rounded(GraphMaker& maker, ValueId x, const Scheme& scheme) {
  const ValueId scale = maker.Scalar(scheme.scale), zero = ZeroPoint(maker, scheme);
  return maker.Op("DequantizeLinear", {maker.Op("QuantizeLinear", {x, scale, zero}), scale, zero});
}

// Random weights with a scale for each of `channels` along `axis`: of 7 bits, which every CPU multiplies exactly, or of
// all 8.
ValueId StoredWeights(GraphMaker& maker, const Shape& shape, int64_t channels, int64_t axis, int bits = 7) {
  const Tensor real = RandomFloats(shape, static_cast<uint32_t>(NumElements(shape)));
  Tensor stored(DataType::kInt8, shape);
  for (int64_t i = 0; i < real.num_elements(); ++i) {
    stored.mutable_values<int8_t>()[i] =
        static_cast<int8_t>(std::lround(real.values<float>()[i] * (bits == 7 ? 31 : 63)));
  }
  Tensor scales(DataType::kFloat32, {channels}), zeros(DataType::kInt8, {channels});
  for (int64_t c = 0; c < channels; ++c) {
    scales.mutable_values<float>()[c] = 0.008f + 0.001f * static_cast<float>(c % 5);
  }
  return maker.Op("DequantizeLinear", {maker.Constant(stored), maker.Constant(scales), maker.Constant(zeros)},
                  With("axis", axis));
}

// Every element within `steps` of the reference.
void ExpectWithin(const Graph& graph, float step, float steps = 1) {
  const std::vector<Tensor> inputs = InputsOf(graph);
  const auto expected = Evaluate(graph, inputs);
  const auto actual = RunPlan(graph, inputs);
  ASSERT_TRUE(expected.ok()) << expected.status();
  ASSERT_TRUE(actual.ok()) << actual.status();
  for (size_t o = 0; o < expected->size(); ++o) {
    const auto want = (*expected)[o].values<float>(), have = (*actual)[o].values<float>();
    ASSERT_EQ((*actual)[o].shape(), (*expected)[o].shape());
    float largest = 0, spread = 0;
    for (size_t i = 0; i < want.size(); ++i) {
      largest = std::max(largest, std::abs(want[i] - have[i]));
      spread = std::max(spread, std::abs(want[i]));
    }
    EXPECT_LE(largest, steps * step * 1.001f) << "of values up to " << spread;
    EXPECT_GT(spread, 10 * step) << "the test shows little";
  }
}

// Without VNNI, some products are left to real numbers: what matters there is that they are right.
void ExpectIntegers(const Graph& graph, const char* kind, int products = 1) {
  if (PairsSaturate()) return;
  int found = 0;
  for (const std::string& step : StepsOf(graph)) {
    EXPECT_THAT(step, Not(HasSubstr("reference"))) << step;
    const bool over_integers = step.find("int8") != std::string::npos || step.find("vnni") != std::string::npos ||
                               step.find("amx") != std::string::npos || step.find("x8") != std::string::npos ||
                               step.find("int") != std::string::npos;
    if (step.find(kind) == 0 && over_integers) ++found;
  }
  EXPECT_EQ(found, products);
}

struct ConvCase {
  Shape x;
  int64_t out;
  Shape kernel;
  int64_t groups = 1;
  IntList strides = {1, 1}, pads = {0, 0, 0, 0}, dilations = {1, 1};
};

const ConvCase kConvs[] = {
    {{1, 3, 12, 12}, 16, {3, 3}, 1, {2, 2}, {1, 1, 1, 1}},
    {{2, 32, 9, 7}, 20, {1, 1}},
    {{1, 64, 7, 7}, 512, {3, 3}, 1, {1, 1}, {1, 1, 1, 1}},  // weights of this many channels differ by batch
    {{3, 24, 8, 8}, 24, {3, 3}, 24, {1, 1}, {1, 1, 1, 1}},
    {{1, 19, 8, 8}, 19, {5, 5}, 19, {2, 2}, {2, 2, 2, 2}},
    {{1, 32, 10, 10}, 64, {3, 3}, 4, {1, 1}, {1, 1, 1, 1}},
    {{1, 20, 11, 9}, 17, {3, 2}, 1, {1, 1}, {2, 1, 2, 1}, {2, 3}},
};

ValueId Conv(GraphMaker& maker, ValueId x, const ConvCase& c, bool with_bias = true) {
  Shape weights = {c.out, c.x[1] / c.groups};
  weights.insert(weights.end(), c.kernel.begin(), c.kernel.end());
  std::vector<ValueId> inputs = {x, StoredWeights(maker, weights, c.out, 0)};
  if (with_bias) inputs.push_back(maker.Weights({c.out}));
  return maker.Op("Conv", inputs,
                  With("group", c.groups).And("strides", c.strides).And("pads", c.pads).And("dilations", c.dilations));
}

class StoredConvTest : public ::testing::TestWithParam<int> {};

TEST_P(StoredConvTest, AgreesWithTheReferenceForEveryWayToStore) {
  const ConvCase& c = kConvs[GetParam()];
  for (const Scheme& from : {kUnsigned, kPositive, kSigned}) {
    for (const Scheme& to : {Scheme{0.05f, 90}, Scheme{0.04f, 0}, Scheme{0.05f, -4, true}}) {
      for (bool with_bias : {false, true}) {
        GraphMaker maker;
        const ValueId x = Rounded(maker, maker.Input(c.x), from);
        maker.Output(Rounded(maker, maker.Op("Relu", {Conv(maker, x, c, with_bias)}), to));
        SCOPED_TRACE(testing::Message() << "from zero point " << from.zero_point << " to " << to.zero_point);
        ExpectWithin(maker.graph, to.scale);
        ExpectIntegers(maker.graph, "convolution");
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, StoredConvTest, ::testing::Range(0, static_cast<int>(std::size(kConvs))));

TEST(StoredConvTest, RealResultsAreExact) {
  for (const ConvCase& c : kConvs) {
    SCOPED_TRACE(testing::Message() << ToString(c.x) << " to " << c.out);
    GraphMaker maker;
    const ValueId x = Rounded(maker, maker.Input(c.x), kUnsigned);
    maker.Output(maker.Op("HardSwish", {Conv(maker, x, c)}));
    ExpectPlanAgrees(maker.graph, 1e-4);
    ExpectIntegers(maker.graph, "convolution");
  }
}

TEST(StoredConvTest, ActivationsAreApplied) {
  const ConvCase& c = kConvs[1];
  for (const char* op : {"Relu", "HardSwish", "Sigmoid", "LeakyRelu", "Tanh", "Elu"}) {
    SCOPED_TRACE(op);
    GraphMaker maker;
    const ValueId x = Rounded(maker, maker.Input(c.x), kUnsigned);
    maker.Output(Rounded(maker, maker.Op(op, {Conv(maker, x, c)}), {0.02f, 100}));
    ExpectWithin(maker.graph, 0.02f);
    ExpectIntegers(maker.graph, "convolution");
  }
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Input(c.x), kUnsigned);
  maker.Output(Rounded(maker, maker.Op("Clip", {Conv(maker, x, c), maker.Scalar(0), maker.Scalar(1.5f)}), {0.01f, 0}));
  ExpectWithin(maker.graph, 0.01f);
}

// x -> Conv -> Add(x) -> Relu, the sum of a residual block.
TEST(StoredConvTest, ResidualSumsAreTakenFromIntegers) {
  const ConvCase c{{2, 32, 8, 8}, 32, {3, 3}, 1, {1, 1}, {1, 1, 1, 1}};
  for (const Scheme& from : {kUnsigned, kPositive, kSigned}) {
    for (const char* between : {"", "Relu", "HardSwish"}) {
      SCOPED_TRACE(testing::Message() << between << " zero point " << from.zero_point);
      GraphMaker maker;
      const ValueId x = Rounded(maker, maker.Input(c.x), from);
      ValueId h = Conv(maker, x, c);
      if (*between != '\0') h = maker.Op(between, {h});
      maker.Output(Rounded(maker, maker.Op("Relu", {maker.Op("Add", {x, h})}), {0.05f, 2}));
      ExpectWithin(maker.graph, 0.05f);
      ExpectIntegers(maker.graph, "convolution");
      if (!PairsSaturate()) EXPECT_EQ(StepsOf(maker.graph).size(), 4u);  // in, convolution, channels first, out
    }
  }
}

// Quantizers of other projects round between the convolution and the sum as well.
TEST(StoredConvTest, RoundingBeforeACoarserSumIsLeftOut) {
  const ConvCase c{{1, 32, 8, 8}, 32, {1, 1}};
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Input(c.x), kUnsigned);
  const ValueId h = Rounded(maker, Conv(maker, x, c), {0.03f, 20});  // cuts off what is far below zero
  maker.Output(Rounded(maker, maker.Op("Add", {h, x}), {0.05f, 128}));
  ExpectWithin(maker.graph, 0.05f);
  if (!PairsSaturate()) EXPECT_EQ(StepsOf(maker.graph).size(), 4u);
}

TEST(StoredConvTest, UnsignedWeightsAroundTheMiddleAreSignedOnes) {
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Input({1, 16, 6, 6}), kUnsigned);
  Tensor stored(DataType::kUInt8, {8, 16, 1, 1});
  for (int64_t i = 0; i < 128; ++i) stored.mutable_values<uint8_t>()[i] = static_cast<uint8_t>(i * 37 % 251);
  const ValueId w = maker.Op(
      "DequantizeLinear", {maker.Constant(stored), maker.Scalar(0.01f), maker.Constant(Tensor::Scalar<uint8_t>(128))});
  maker.Output(Rounded(maker, maker.Op("Conv", {x, w}), {0.1f, 128}));
  ExpectWithin(maker.graph, 0.1f);
  ExpectIntegers(maker.graph, "convolution");
}

TEST(StoredConvTest, WeightsThatAreNotSymmetricAreMultipliedAsRealNumbers) {
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Input({1, 16, 6, 6}), kUnsigned);
  Tensor stored(DataType::kUInt8, {8, 16, 1, 1});
  for (int64_t i = 0; i < 128; ++i) stored.mutable_values<uint8_t>()[i] = static_cast<uint8_t>(i * 37 % 251);
  const ValueId w = maker.Op(
      "DequantizeLinear", {maker.Constant(stored), maker.Scalar(0.01f), maker.Constant(Tensor::Scalar<uint8_t>(77))});
  maker.Output(Rounded(maker, maker.Op("Conv", {x, w}), {0.1f, 128}));
  ExpectWithin(maker.graph, 0.1f);
}

TEST(StoredConvTest, TransposedAgreesWithTheReference) {
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Input({1, 16, 5, 5}), kPositive);
  const ValueId w = StoredWeights(maker, {16, 24, 2, 2}, 24, 1);
  const ValueId y = maker.Op("ConvTranspose", {x, w, maker.Weights({24})}, With("strides", IntList{2, 2}));
  maker.Output(Rounded(maker, maker.Op("Relu", {y}), {0.05f, 0}));
  ExpectWithin(maker.graph, 0.05f);
}

// 255 times a pair of these passes 16 bits.
TEST(SaturationTest, WeightsOfEightBitsAreMultipliedExactlyOnEveryCpu) {
  GraphMaker conv;
  ValueId x = Rounded(conv, conv.Input({1, 32, 8, 8}), {0.02f, 0});
  conv.Output(conv.Op("Conv", {conv.Op("Abs", {x}), StoredWeights(conv, {16, 32, 3, 3}, 16, 0, 8)}));
  ExpectPlanAgrees(conv.graph, 1e-4);
  GraphMaker matmul;
  x = Rounded(matmul, matmul.Input({4, 64}), {0.007f, 0});
  matmul.Output(matmul.Op("MatMul", {x, StoredWeights(matmul, {64, 24}, 24, 1, 8)}));
  ExpectPlanAgrees(matmul.graph, 1e-4);
}

TEST(SaturationTest, NeighboursAlongTheSummedAxisArePairs) {
  const auto weights = [](std::vector<int8_t> values, Shape shape) { return Tensor::Of<int8_t>(shape, values); };
  EXPECT_FALSE(MaySaturate(weights({64, 64, -64, 64}, {1, 4}), 1));
  EXPECT_TRUE(MaySaturate(weights({64, -65, 0, 0}, {1, 4}), 1));
  EXPECT_FALSE(MaySaturate(weights({0, 127, 127, 0}, {2, 2}), 1));  // of two channels
  EXPECT_TRUE(MaySaturate(weights({0, 127, 0, 127}, {2, 2}), 0));
  EXPECT_FALSE(MaySaturate(weights({127, 127, 127, 127}, {4, 1}), 1));  // depthwise: no sums
}

TEST(StoredMatMulTest, AgreesWithTheReference) {
  for (const Scheme& from : {kUnsigned, kPositive, kSigned}) {
    for (int64_t rows : {1, 3, 16}) {
      SCOPED_TRACE(testing::Message() << rows << " rows from zero point " << from.zero_point);
      GraphMaker gemm;
      ValueId x = Rounded(gemm, gemm.Input({rows, 64}), from);
      ValueId w = StoredWeights(gemm, {40, 64}, 40, 0);
      ValueId y = gemm.Op("Gemm", {x, w, gemm.Weights({40})}, With("transB", int64_t{1}));
      gemm.Output(Rounded(gemm, gemm.Op("Relu", {y}), {0.05f, 0}));
      ExpectWithin(gemm.graph, 0.05f);
      ExpectIntegers(gemm.graph, "matmul");

      GraphMaker matmul;
      x = Rounded(matmul, matmul.Input({2, rows, 48}), from);
      y = matmul.Op("MatMul", {x, StoredWeights(matmul, {48, 48}, 48, 1)});
      matmul.Output(Rounded(matmul, matmul.Op("Add", {y, x}), {0.05f, 120}));
      ExpectWithin(matmul.graph, 0.05f);
      ExpectIntegers(matmul.graph, "matmul");
    }
  }
}

// Conv -> (moves) -> Conv: what lies between stays integers; they become such, and real numbers, at the ends only.
void ExpectMoved(const std::function<ValueId(GraphMaker&, ValueId)>& move, bool rounded_after) {
  const ConvCase first{{1, 3, 8, 8}, 32, {3, 3}, 1, {1, 1}, {1, 1, 1, 1}};
  const Scheme scheme{0.03f, 0};
  GraphMaker maker;
  ValueId h = Conv(maker, Rounded(maker, maker.Input(first.x), kUnsigned), first);
  h = maker.Op("Relu", {h});
  h = rounded_after ? Rounded(maker, move(maker, h), scheme) : move(maker, Rounded(maker, h, scheme));
  const int64_t channels = (*maker.graph.value(h).shape)[1];
  h = maker.Op("Conv", {h, StoredWeights(maker, {16, channels, 1, 1}, 16, 0)});
  maker.Output(Rounded(maker, h, {0.1f, 128}));
  ExpectWithin(maker.graph, 0.1f);
  int conversions = 0;
  for (const std::string& step : StepsOf(maker.graph)) conversions += step.find("conversion") == 0 ? 1 : 0;
  if (!PairsSaturate()) EXPECT_EQ(conversions, 2) << testing::PrintToString(StepsOf(maker.graph));
  ExpectIntegers(maker.graph, "convolution", 2);
}

TEST(StoredMovesTest, ElementsAreMovedAsIntegers) {
  for (bool after : {false, true}) {
    SCOPED_TRACE(after);
    ExpectMoved(
        [](GraphMaker& m, ValueId h) {
          return m.Op("MaxPool", {h}, With("kernel_shape", IntList{2, 2}));
        },
        after);
    ExpectMoved(
        [](GraphMaker& m, ValueId h) {
          return m.Op("Slice", {h, m.Ints({8}), m.Ints({24}), m.Ints({1})});
        },
        after);
    ExpectMoved(
        [](GraphMaker& m, ValueId h) {
          return m.Op("Transpose", {h}, With("perm", IntList{0, 1, 3, 2}));
        },
        after);
    ExpectMoved(
        [](GraphMaker& m, ValueId h) {
          ValueId s = m.Op("Reshape", {h, m.Ints({1, 4, 8, 8, 8})});
          s = m.Op("Transpose", {s}, With("perm", IntList{0, 2, 1, 3, 4}));
          return m.Op("Reshape", {s, m.Ints({1, 32, 8, 8})});
        },
        after);
    ExpectMoved(
        [](GraphMaker& m, ValueId h) {
          const std::vector<ValueId> parts =
              m.Ops("Split", {h}, 2, With("axis", int64_t{1}).And("num_outputs", int64_t{2}));
          return m.Op("Concat", {parts[1], parts[0]}, With("axis", int64_t{1}));
        },
        after);
  }
}

// Every step between integers: no conversion but those at the ends.
void ExpectOverBytes(const Graph& graph, const char* kind, float step) {
  ExpectWithin(graph, step);
  int found = 0;
  for (const std::string& name : StepsOf(graph)) {
    EXPECT_THAT(name, Not(HasSubstr("reference")));
    if (name.find(std::string(kind) + " bytes") == 0) ++found;
  }
  EXPECT_EQ(found, 1) << testing::PrintToString(StepsOf(graph));
}

TEST(StoredElementwiseTest, FunctionsAreLookedUp) {
  for (const char* op : {"Sigmoid", "HardSwish", "Tanh", "Exp", "Erf", "Neg", "Gelu", "LeakyRelu"}) {
    for (const Scheme& from : {kUnsigned, kSigned}) {
      SCOPED_TRACE(testing::Message() << op << " from zero point " << from.zero_point);
      GraphMaker maker;
      const ValueId x = Rounded(maker, maker.Input({1, 5, 7, 3}), from);
      maker.Output(Rounded(maker, maker.Op(op, {x}), {0.01f, -20, true}));
      ExpectOverBytes(maker.graph, "table", 0.01f);
    }
  }
}

TEST(StoredElementwiseTest, SoAreOperationsWithOneConstantNumber) {
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min"}) {
    SCOPED_TRACE(op);
    GraphMaker maker;
    const ValueId x = Rounded(maker, maker.Input({1, 5, 7, 3}), kPositive);
    maker.Output(Rounded(maker, maker.Op(op, {x, maker.Constant(Tensor::Of<float>({1}, {0.7f}))}), {0.02f, 60}));
    ExpectOverBytes(maker.graph, "table", 0.02f);
  }
}

TEST(StoredElementwiseTest, SumsAndProductsOfTwo) {
  for (const char* op : {"Add", "Mul"}) {
    for (bool rectified : {false, true}) {
      SCOPED_TRACE(testing::Message() << op << rectified);
      GraphMaker maker;
      const ValueId a = Rounded(maker, maker.Input({2, 19, 4, 4}), kUnsigned);
      const ValueId b = Rounded(maker, maker.Input({2, 19, 4, 4}), kSigned);
      ValueId y = maker.Op(op, {a, b});
      if (rectified) y = maker.Op("Relu", {y});
      maker.Output(Rounded(maker, y, {0.03f, 40}));
      ExpectOverBytes(maker.graph, "binary", 0.03f);
    }
  }
}

TEST(StoredElementwiseTest, OneNumberAChannel) {
  GraphMaker normalization;
  ValueId x = Rounded(normalization, normalization.Input({2, 19, 4, 4}), kUnsigned);
  const ValueId variance = normalization.Op("Exp", {normalization.Weights({19})});
  x = normalization.Op("BatchNormalization", {x, normalization.Weights({19}), normalization.Weights({19}),
                                              normalization.Weights({19}), variance});
  normalization.Output(Rounded(normalization, normalization.Op("Relu", {x}), {0.03f, 10}));
  ExpectOverBytes(normalization.graph, "affine", 0.03f);
  for (const char* op : {"Add", "Mul"}) {
    for (const Shape& shape : {Shape{19, 1, 1}, Shape{1, 19, 1, 1}}) {
      GraphMaker maker;
      x = Rounded(maker, maker.Input({2, 19, 4, 4}), kUnsigned);
      maker.Output(Rounded(maker, maker.Op(op, {x, maker.Weights(shape)}), {0.04f, 100}));
      ExpectOverBytes(maker.graph, "affine", 0.04f);
    }
  }
  GraphMaker excitation;
  x = Rounded(excitation, excitation.Input({2, 19, 4, 4}), kUnsigned);
  const ValueId factor = Rounded(excitation, excitation.Input({2, 19, 1, 1}), kPositive);
  excitation.Output(Rounded(excitation, excitation.Op("Mul", {factor, x}), {0.03f, 100}));
  ExpectOverBytes(excitation.graph, "scale", 0.03f);
}

TEST(StoredAverageTest, AveragesAreExactSums) {
  const auto check = [](const char* op, std::vector<int64_t> axes, const Attributes& attributes, bool stored_result) {
    SCOPED_TRACE(op);
    GraphMaker maker;
    const ValueId x = Rounded(maker, maker.Input({2, 21, 6, 7}), kSigned);
    std::vector<ValueId> inputs = {x};
    if (!axes.empty()) inputs.push_back(maker.Ints(std::move(axes)));
    ValueId y = maker.Op(op, inputs, attributes);
    if (stored_result) y = Rounded(maker, y, {0.004f, 100});
    maker.Output(y);
    if (stored_result) {
      ExpectOverBytes(maker.graph, "average", 0.004f);
    } else {
      ExpectPlanAgrees(maker.graph, 1e-5);
    }
  };
  for (bool stored_result : {false, true}) {
    check("GlobalAveragePool", {}, {}, stored_result);
    check("ReduceMean", {2, 3}, With("keepdims", int64_t{0}), stored_result);
    check("ReduceMean", {-1, -2}, With("keepdims", int64_t{1}), stored_result);
  }
  for (int64_t counts : {0, 1}) {
    check("AveragePool", {},
          With("kernel_shape", IntList{3, 3})
              .And("strides", IntList{2, 2})
              .And("pads", IntList{1, 1, 1, 1})
              .And("count_include_pad", counts),
          true);
  }
}

TEST(StoredValuesTest, OutputsAndOtherReadersSeeRoundedNumbers) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 8, 6, 6});
  const ValueId h = maker.Op("Exp", {x});
  const ValueId rounded = Rounded(maker, h, {0.05f, 0});
  maker.Output(h);  // real numbers are still wanted
  maker.Output(rounded);
  maker.Output(maker.Op("Softmax", {rounded}));
  ExpectPlanAgrees(maker.graph, 1e-5);
}

TEST(StoredValuesTest, OneRoundingAfterAnother) {
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Op("Tanh", {maker.Input({2, 40})}), {0.01f, 100});
  maker.Output(Rounded(maker, x, {0.03f, -2, true}));
  ExpectWithin(maker.graph, 0.03f);
}

TEST(StoredValuesTest, ShapesThatOneDnnCannotHold) {
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Input({1, 2, 1, 3, 1, 2, 2}), kUnsigned);
  maker.Output(Rounded(maker, maker.Op("Relu", {x}), kUnsigned));
  ExpectPlanAgrees(maker.graph);
}

}  // namespace
}  // namespace tandem::engine
