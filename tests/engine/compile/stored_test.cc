// Everything but products on integers: moves, elementwise operators, averages, and what real numbers are seen of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "engine/compile/saturation.h"
#include "tests/engine/stored_graphs.h"

namespace tandem::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Conv -> (moves) -> Conv: what lies between stays integers; they become such, and real numbers, at the ends only.
void ExpectMoved(const std::function<ValueId(GraphMaker&, ValueId)>& move, bool rounded_after) {
  const ConvCase first{{1, 3, 8, 8}, 32, {3, 3}, 1, {1, 1}, {1, 1, 1, 1}};
  const Scheme scheme{0.03f, 0};
  GraphMaker maker;
  ValueId h = StoredConv(maker, Rounded(maker, maker.Input(first.x), kUnsigned), first);
  h = maker.Op("Relu", {h});
  h = rounded_after ? Rounded(maker, move(maker, h), scheme) : move(maker, Rounded(maker, h, scheme));
  const int64_t channels = (*maker.graph.value(h).shape)[1];
  h = maker.Op("Conv", {h, StoredWeights(maker, {16, channels, 1, 1}, 16, 0)});
  maker.Output(Rounded(maker, h, {0.1f, 128}));
  ExpectWithin(maker.graph, 0.1f);
  int conversions = 0;
  for (const std::string& step : StepsOf(maker.graph)) conversions += step.find("conversion") == 0 ? 1 : 0;
  if (!PairsSaturate()) {
    EXPECT_EQ(conversions, 2) << testing::PrintToString(StepsOf(maker.graph));
  }
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

// What dense blocks do (Huang et al. 2017): no convolution can take the normalization in, and the next one reads bytes.
TEST(StoredElementwiseTest, NormalizationsOfRealNumbersWriteBytes) {
  GraphMaker maker;
  const ConvCase c{{2, 16, 6, 6}, 24, {1, 1}};
  const ValueId x = Rounded(maker, maker.Input(c.x), kUnsigned);
  const ValueId dense =
      maker.Op("Concat", {StoredConv(maker, x, c), StoredConv(maker, x, c)}, With("axis", int64_t{1}));
  const ValueId variance = maker.Op("Exp", {maker.Weights({48})});
  const ValueId y =
      maker.Op("BatchNormalization", {dense, maker.Weights({48}), maker.Weights({48}), maker.Weights({48}), variance});
  maker.Output(Rounded(maker, maker.Op("Relu", {y}), {0.05f, 10}));
  ExpectWithin(maker.graph, 0.05f);
  const std::vector<std::string> steps = StepsOf(maker.graph);
  EXPECT_THAT(steps, testing::Contains(HasSubstr("affine to bytes"))) << testing::PrintToString(steps);
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

TEST(StoredResizeTest, LinearResizingIsDoneOnBytes) {
  for (const char* mode : {"half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"}) {
    SCOPED_TRACE(mode);
    GraphMaker maker;
    const ValueId x = Rounded(maker, maker.Input({2, 19, 5, 6}), kUnsigned);
    const ValueId y =
        maker.Op("Resize", {x, kNoValue, kNoValue, maker.Ints({2, 19, 9, 12})},
                 With("mode", std::string("linear")).And("coordinate_transformation_mode", std::string(mode)));
    maker.Output(Rounded(maker, y, {0.02f, 90}));
    ExpectOverBytes(maker.graph, "resize", 0.02f);
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
