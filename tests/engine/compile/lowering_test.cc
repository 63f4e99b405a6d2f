// Plans against reference kernels: whatever oneDNN takes computes what the operator means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::HasSubstr;

// A convolution of `channels` to `out`: its result lies in blocks.
ValueId Blocked(GraphMaker& maker, ValueId x, int64_t channels, int64_t out) {
  return maker.Op("Conv", {x, maker.Weights({out, channels, 3, 3})}, With("pads", IntList{1, 1, 1, 1}));
}

TEST(LowerLayoutTest, ViewsOfBlockedLayoutsFeedWhatFollows) {
  for (int64_t channels : {16, 20, 32, 37, 48}) {
    SCOPED_TRACE(channels);
    const auto build = [&](auto&& view) {
      GraphMaker maker;
      const ValueId h = Blocked(maker, maker.Input({2, 3, 6, 6}), 3, channels);
      maker.Output(view(maker, h));
      ExpectPlanAgrees(maker.graph, 1e-4);
    };
    build([](GraphMaker& m, ValueId h) { return m.Op("Transpose", {h}, With("perm", IntList{0, 2, 3, 1})); });
    build([](GraphMaker& m, ValueId h) {
      return m.Op("Exp", {m.Op("Transpose", {h}, With("perm", IntList{1, 0, 3, 2}))});
    });
    build([&](GraphMaker& m, ValueId h) {
      const ValueId half = m.Op("Slice", {h, m.Ints({0}), m.Ints({channels / 2}), m.Ints({1})});
      return Blocked(m, half, channels / 2, 24);
    });
    build([&](GraphMaker& m, ValueId h) {
      const ValueId half = m.Op("Slice", {h, m.Ints({16}), m.Ints({1000}), m.Ints({1})});
      return channels == 16 ? h : m.Op("Relu", {half});
    });
    build([](GraphMaker& m, ValueId h) {
      const ValueId inner = m.Op("Slice", {h, m.Ints({1, 2}), m.Ints({-1, 5}), m.Ints({2, 3})});
      return m.Op("Add", {inner, m.Op("Tanh", {inner})});
    });
    build([](GraphMaker& m, ValueId h) {
      return m.Op("Slice", {h, m.Ints({0}), m.Ints({6}), m.Ints({3}), m.Ints({2})});
    });
    build([&](GraphMaker& m, ValueId h) {
      const auto parts = m.Ops("Split", {h, m.Ints({16, channels - 16})}, 2, With("axis", int64_t{1}));
      return channels == 16 ? h : m.Op("Concat", {parts[1], parts[0], h}, With("axis", int64_t{1}));
    });
    build([&](GraphMaker& m, ValueId h) {
      return m.Op("MatMul", {m.Op("Reshape", {h, m.Ints({2, channels * 36})}), m.Weights({channels * 36, 5})});
    });
    build([](GraphMaker& m, ValueId h) {
      const ValueId pooled = m.Op("GlobalAveragePool", {h});
      return m.Op("Mul", {h, m.Op("Sigmoid", {pooled})});
    });
    build([](GraphMaker& m, ValueId h) {
      return m.Op("Softmax", {m.Op("Squeeze", {m.Op("ReduceMean", {h, m.Ints({2, 3})}), m.Ints({2, 3})})});
    });
  }
}

// Attention as exporters write it: queries, keys and values are slices of one product, seen by heads.
TEST(LowerLayoutTest, AxesOfATransposeMayCountFromTheBack) {
  GraphMaker maker;
  maker.Output(maker.Op("Transpose", {maker.Input({2, 3, 4, 5})}, With("perm", IntList{0, -1, 1, -2})));
  ExpectPlanAgrees(maker.graph);
}

TEST(LowerMatMulTest, ReadsSlicedAndTransposedOperands) {
  for (int64_t length : {1, 5, 40}) {
    for (int64_t head : {15, 16}) {
      SCOPED_TRACE(absl::StrCat(length, " steps, heads of ", head));
      constexpr int64_t kHeads = 8;
      GraphMaker maker;
      const ValueId x =
          maker.Op("Reshape", {maker.Input({2, length, 3 * kHeads * head}), maker.Ints({2, length, 3, kHeads, head})});
      const ValueId qkv = maker.Op("Transpose", {x}, With("perm", IntList{2, 0, 3, 1, 4}));
      ValueId parts[3];
      for (int64_t i = 0; i < 3; ++i) {
        const ValueId slice = maker.Op("Slice", {qkv, maker.Ints({i}), maker.Ints({i + 1}), maker.Ints({0})});
        parts[i] = maker.Op("Squeeze", {slice, maker.Ints({0})});
      }
      const ValueId keys = maker.Op("Transpose", {parts[1]}, With("perm", IntList{0, 1, 3, 2}));
      const ValueId weights = maker.Op("Softmax", {maker.Op("MatMul", {parts[0], keys})});
      maker.Output(maker.Op("MatMul", {weights, parts[2]}));
      ExpectPlanAgrees(maker.graph);
    }
  }
}

TEST(LowerLayoutTest, ConcatAlongEveryAxisOfBlockedAndPlainSources) {
  for (int64_t axis : {0, 1, 2, 3, -1}) {
    SCOPED_TRACE(axis);
    GraphMaker maker;
    const ValueId x = maker.Input({1, 20, 6, 6});
    maker.Output(maker.Op("Concat", {Blocked(maker, x, 20, 20), x, Blocked(maker, x, 20, 20)}, With("axis", axis)));
    ExpectPlanAgrees(maker.graph);
  }
}

TEST(LowerLayoutTest, OutputsThatShareBytesWithInputsAndConstants) {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 6});
  maker.Output(maker.Op("Reshape", {x, maker.Ints({3, 4})}));
  maker.Output(x);
  maker.Output(maker.Weights({3}));
  maker.Output(maker.Op("Transpose", {x}));
  ExpectPlanAgrees(maker.graph);
}

TEST(LowerLayoutTest, ChannelShuffleInEveryLayout) {
  for (bool blocked : {false, true}) {
    for (int64_t groups : {2, 3, 4}) {
      GraphMaker maker;
      const ValueId x = maker.Input({2, 24, 5, 5});
      const ValueId h = blocked ? Blocked(maker, x, 24, 24) : maker.Op("Relu", {x});
      const ValueId shuffled = maker.Op("tandem.ChannelShuffle", {h}, With("groups", groups));
      maker.Output(blocked ? Blocked(maker, shuffled, 24, 8) : shuffled);
      ExpectPlanAgrees(maker.graph, 1e-4);
    }
  }
}

TEST(LowerBinaryTest, BroadcastsOnEitherSide) {
  const Shape shapes[] = {{}, {1}, {5}, {4, 1}, {20, 1, 1}, {1, 20, 1, 1}, {2, 20, 4, 5}, {2, 1, 4, 5}, {2, 1, 1, 1}};
  for (const char* op : {"Add", "Sub", "Mul", "Div"}) {
    for (const Shape& shape : shapes) {
      SCOPED_TRACE(absl::StrCat(op, " ", ToString(shape)));
      for (bool blocked : {false, true}) {
        GraphMaker maker;
        const ValueId x = maker.Input({2, 20, 4, 5});
        const ValueId h = blocked ? Blocked(maker, x, 20, 20) : x;
        // Far from zero, so that quotients keep their relative error.
        const ValueId other = maker.Op("Add", {maker.Op("Abs", {maker.Input(shape)}), maker.Scalar(1)});
        const ValueId away = maker.Op("Add", {maker.Op("Abs", {h}), maker.Scalar(1)});
        maker.Output(maker.Op(op, {away, other}));
        maker.Output(maker.Op(op, {other, away}));
        ExpectPlanAgrees(maker.graph, 1e-4);
      }
    }
  }
}

TEST(PostOpsTest, OperandsOfEveryShapeThatFits) {
  for (const Shape& operand : {Shape{}, Shape{1}, Shape{20, 1, 1}, Shape{1, 20, 1, 1}, Shape{2, 20, 6, 6}, Shape{6}}) {
    for (const char* op : {"Add", "Mul", "Sub", "Div"}) {
      SCOPED_TRACE(absl::StrCat(op, " ", ToString(operand)));
      GraphMaker maker;
      const ValueId h = Blocked(maker, maker.Input({2, 3, 6, 6}), 3, 20);
      const ValueId other = maker.Op("Exp", {maker.Input(operand)});
      maker.Output(maker.Op("LeakyRelu", {maker.Op(op, {maker.Op("Relu", {h}), other})}, With("alpha", 0.3f)));
      ExpectPlanAgrees(maker.graph, 1e-4);
    }
  }
}

TEST(PostOpsTest, OperandsOfProducts) {
  for (const Shape& left : {Shape{3, 4}, Shape{2, 3, 4}, Shape{2, 1, 3, 4}}) {
    for (const Shape& operand :
         {Shape{}, Shape{5}, Shape{1, 5}, Shape{1, 1, 5}, Shape{2, 3, 5}, Shape{3, 5}, Shape{3, 1}}) {
      SCOPED_TRACE(absl::StrCat(ToString(left), " + ", ToString(operand)));
      GraphMaker maker;
      const ValueId product = maker.Op("MatMul", {maker.Input(left), maker.Weights({4, 5})});
      maker.Output(maker.Op("Relu", {maker.Op("Add", {product, maker.Input(operand)})}));
      ExpectPlanAgrees(maker.graph);
    }
  }
}

TEST(LowerMatMulTest, OfEveryRankAndLayout) {
  const std::pair<Shape, Shape> cases[] = {
      {{3, 4}, {4, 5}},       {{1, 4}, {4, 1}},          {{4}, {4, 5}},
      {{3, 4}, {4}},          {{2, 3, 4}, {4, 5}},       {{2, 3, 4}, {2, 4, 5}},
      {{1, 3, 4}, {2, 4, 5}}, {{2, 3, 3, 4}, {3, 4, 5}}, {{2, 2, 3, 4}, {1, 2, 4, 5}}};
  for (const auto& [a, b] : cases) {
    SCOPED_TRACE(absl::StrCat(ToString(a), " ", ToString(b)));
    for (bool constant : {false, true}) {
      GraphMaker maker;
      maker.Output(maker.Op("MatMul", {maker.Input(a), constant ? maker.Weights(b) : maker.Input(b)}));
      ExpectPlanAgrees(maker.graph);
    }
  }
  GraphMaker attention;  // products of transposed heads
  const ValueId x = attention.Input({2, 7, 24});
  const auto heads = [&](IntList perm) {
    return attention.Op("Transpose", {attention.Op("Reshape", {x, attention.Ints({2, 7, 3, 8})})}, With("perm", perm));
  };
  const ValueId scores = attention.Op("MatMul", {heads({0, 2, 1, 3}), heads({0, 2, 3, 1})});
  attention.Output(attention.Op("MatMul", {attention.Op("Softmax", {scores}), heads({0, 2, 1, 3})}));
  ExpectPlanAgrees(attention.graph, 1e-4);
}

TEST(LowerMatMulTest, GemmWithEveryFlagAndBias) {
  for (int flags = 0; flags < 4; ++flags) {
    for (const Shape& bias : {Shape{}, Shape{5}, Shape{1, 5}, Shape{3, 1}, Shape{3, 5}}) {
      GraphMaker maker;
      const ValueId a = maker.Input((flags & 1) != 0 ? Shape{4, 3} : Shape{3, 4});
      const ValueId b = maker.Weights((flags & 2) != 0 ? Shape{5, 4} : Shape{4, 5});
      Attributes attributes = With("transA", int64_t{flags & 1}).And("transB", int64_t{flags >> 1});
      maker.Output(maker.Op("Gemm", {a, b, maker.Weights(bias)}, attributes));
      attributes.Set("alpha", 0.5f);
      attributes.Set("beta", 2.0f);
      maker.Output(maker.Op("Gemm", {a, b, maker.Weights(bias)}, attributes));
      ExpectPlanAgrees(maker.graph);
    }
  }
}

TEST(LowerPoolTest, AgreesWithTheReference) {
  for (const char* op : {"MaxPool", "AveragePool"}) {
    for (int64_t ceil : {0, 1}) {
      for (int64_t count : {0, 1}) {
        for (const IntList& pads : {IntList{0, 0, 0, 0}, IntList{1, 0, 1, 1}}) {
          SCOPED_TRACE(absl::StrCat(op, " ceil ", ceil, " count ", count, " pads ", absl::StrJoin(pads, ",")));
          Attributes attributes = With("kernel_shape", IntList{3, 2})
                                      .And("strides", IntList{2, 3})
                                      .And("pads", pads)
                                      .And("ceil_mode", ceil);
          if (std::string(op) == "AveragePool") attributes.Set("count_include_pad", count);
          GraphMaker maker;
          const ValueId h = Blocked(maker, maker.Input({1, 3, 8, 9}), 3, 20);
          maker.Output(maker.Op(op, {h}, attributes));
          attributes.Set("dilations", IntList{2, 1});
          maker.Output(maker.Op(op, {h}, attributes));
          ExpectPlanAgrees(maker.graph, 1e-4);
        }
      }
    }
  }
}

TEST(LowerPoolTest, ReductionsOverEveryAxis) {
  for (const char* op : {"ReduceMean", "ReduceMax", "ReduceSum"}) {
    for (const IntList& axes : {IntList{2, 3}, IntList{1}, IntList{-1}, IntList{0, 1, 2, 3}, IntList{0, 2}}) {
      for (int64_t keepdims : {0, 1}) {
        GraphMaker maker;
        const ValueId h = Blocked(maker, maker.Input({2, 3, 6, 6}), 3, 20);
        maker.Output(maker.Op(op, {h, maker.Ints(axes)}, With("keepdims", keepdims)));
        ExpectPlanAgrees(maker.graph, 1e-4);
      }
    }
  }
}

TEST(LowerResizeTest, WholeAndBrokenScales) {
  for (const char* transform : {"asymmetric", "half_pixel", "align_corners"}) {
    for (const char* rounding : {"floor", "round_prefer_floor", "round_prefer_ceil", "ceil"}) {
      for (float scale : {2.0f, 3.0f, 2.2f, 1.5f}) {
        SCOPED_TRACE(absl::StrCat(transform, " ", rounding, " ", scale));
        GraphMaker maker;
        const ValueId scales = maker.Constant(Tensor::Of<float>({4}, {1, 1, scale, 2}));
        maker.Output(maker.Op(
            "Resize", {maker.Input({1, 3, 4, 5}), kNoValue, scales},
            With("coordinate_transformation_mode", std::string(transform)).And("nearest_mode", std::string(rounding))));
        ExpectPlanAgrees(maker.graph);
      }
    }
  }
}

TEST(LowerNormalizationTest, AgreesWithTheReference) {
  for (int64_t axis : {0, 1, 2, 3, -1}) {
    for (const char* op : {"Softmax", "LogSoftmax"}) {
      GraphMaker maker;
      const ValueId h = Blocked(maker, maker.Input({2, 3, 4, 4}), 3, 20);
      maker.Output(maker.Op(op, {h}, With("axis", axis)));
      maker.Output(maker.Op(op, {h}, With("axis", axis).And("coerce_2d", int64_t{1})));
      ExpectPlanAgrees(maker.graph, 1e-4);
    }
  }
  for (int64_t size : {3, 4, 5}) {
    GraphMaker maker;
    maker.Output(maker.Op("LRN", {maker.Input({1, 20, 4, 4})}, With("size", size).And("alpha", 0.5f)));
    ExpectPlanAgrees(maker.graph, 1e-4);
  }
  for (const Shape& parameters : {Shape{7}, Shape{1}}) {
    GraphMaker maker;
    maker.Output(
        maker.Op("LayerNormalization", {maker.Input({3, 2, 7}), maker.Weights(parameters), maker.Weights(parameters)}));
    ExpectPlanAgrees(maker.graph, 1e-4);
  }
}

TEST(LowerNormalizationTest, OfBatchesInEveryLayoutAndWithRelu) {
  const auto normalized = [](GraphMaker& maker, ValueId x, int64_t channels) {
    const ValueId variance = maker.Op("Exp", {maker.Weights({channels})});
    std::vector<ValueId> inputs = {x};
    for (int i = 0; i < 3; ++i) inputs.push_back(maker.Weights({channels}));
    inputs.push_back(variance);
    return maker.Op("BatchNormalization", inputs);
  };
  GraphMaker rows;  // channels lie last
  rows.Output(rows.Op("Relu", {normalized(rows, rows.Input({5, 19}), 19)}));
  rows.Output(normalized(rows, rows.Input({3, 600}), 600));
  ExpectPlanAgrees(rows.graph, 1e-5);
  EXPECT_THAT(StepsOf(rows.graph), testing::Each(HasSubstr("affine real numbers")));
  GraphMaker images;
  const ValueId x = images.Input({2, 20, 5, 6});
  images.Output(normalized(images, x, 20));
  const ValueId blocked = Blocked(images, x, 20, 24);  // has another reader, so that it takes nothing in
  images.Output(blocked);
  images.Output(images.Op("Relu", {normalized(images, blocked, 24)}));
  ExpectPlanAgrees(images.graph, 1e-4);
}

TEST(LowerEltwiseTest, AgreesWithTheReference) {
  for (const char* op : {"Abs", "Elu", "Exp", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Relu", "Sigmoid",
                         "Sqrt", "Log", "Swish", "Tanh", "Gelu", "Clip"}) {
    SCOPED_TRACE(op);
    for (const Shape& shape : {Shape{}, Shape{7}, Shape{3, 5}, Shape{0, 4}, Shape{1, 1, 2, 1, 3, 1, 2}}) {
      GraphMaker maker;
      maker.Output(maker.Op(op, {maker.Input(shape)}));
      ExpectPlanAgrees(maker.graph, 1e-4);
    }
  }
  GraphMaker tanh;
  tanh.Output(tanh.Op("Gelu", {tanh.Input({40})}, With("approximate", std::string("tanh"))));
  ExpectPlanAgrees(tanh.graph, 1e-4);
}

TEST(PlanTest, AChainOfFusibleNodesIsOneStep) {
  GraphMaker maker;
  const ValueId h = Blocked(maker, maker.Input({1, 16, 6, 6}), 16, 16);
  maker.Output(maker.Op("Relu", {h}));
  int convolutions = 0, alone = 0;
  for (const std::string& step : StepsOf(maker.graph)) {
    if (step.find("+Relu") != std::string::npos) ++convolutions;
    if (step.find("eltwise") == 0) ++alone;
  }
  EXPECT_EQ(convolutions, 1);
  EXPECT_EQ(alone, 0);
}

TEST(PlanTest, TwoThreadsComputeWhatOneDoes) {
  GraphMaker maker;
  const ValueId h = Blocked(maker, maker.Input({3, 16, 20, 20}), 16, 40);
  maker.Output(maker.Op("Softmax", {maker.Op("Relu", {h})}));
  const std::vector<Tensor> inputs = InputsOf(maker.graph);
  const auto one = RunPlan(maker.graph, inputs, 1), two = RunPlan(maker.graph, inputs, 2);
  ASSERT_TRUE(one.ok() && two.ok());
  ExpectClose((*two)[0], (*one)[0], kReordered);
}

}  // namespace
}  // namespace tandem::engine
