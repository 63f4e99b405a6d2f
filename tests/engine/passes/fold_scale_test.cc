// Scales and shifts folded into convolutions and batch normalizations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/passes/rewrites.h"
#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

// Variances must be positive.
ValueId Positive(GraphMaker& maker, const Shape& shape) {
  Tensor tensor = RandomFloats(shape, 77);
  for (float& value : tensor.mutable_values<float>()) value = 0.5f + value * value;
  return maker.Constant(std::move(tensor));
}

ValueId BatchNormalization(GraphMaker& maker, ValueId x, int64_t channels, const Attributes& attributes = {}) {
  return maker.Op(
      "BatchNormalization",
      {x, maker.Weights({channels}), maker.Weights({channels}), maker.Weights({channels}), Positive(maker, {channels})},
      attributes);
}

struct Case {
  const char* op;
  Shape constant;
  bool constant_first;
};

std::vector<std::string> AfterConv(const Case& c, bool transposed, int64_t groups, bool with_bias) {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 4, 5, 5});
  const Shape weights = transposed ? Shape{4, 6 / groups, 3, 3} : Shape{6, 4 / groups, 3, 3};
  std::vector<ValueId> inputs = {x, maker.Weights(weights)};
  if (with_bias) inputs.push_back(maker.Weights({6}));
  const ValueId y = maker.Op(transposed ? "ConvTranspose" : "Conv", inputs, With("group", groups));
  if (std::string(c.op) == "BatchNormalization") {
    maker.Output(BatchNormalization(maker, y, 6));
  } else {
    const ValueId constant = Positive(maker, c.constant);
    maker.Output(
        maker.Op(c.op, c.constant_first ? std::vector<ValueId>{constant, y} : std::vector<ValueId>{y, constant}));
  }
  return OpsOf(Rewritten(maker.graph, FoldScaleIntoConv));
}

TEST(FoldScaleIntoConvTest, FoldsScalesAndShiftsPerChannel) {
  const Case cases[] = {{"BatchNormalization", {}, false}, {"Mul", {6, 1, 1}, false}, {"Mul", {1, 6, 1, 1}, true},
                        {"Add", {6, 1, 1}, true},          {"Add", {1}, false},       {"Sub", {6, 1, 1}, false},
                        {"Div", {6, 1, 1}, false},         {"Mul", {}, false}};
  for (const Case& c : cases) {
    for (bool with_bias : {false, true}) {
      for (int64_t groups : {1, 2}) {
        EXPECT_THAT(AfterConv(c, false, groups, with_bias), ElementsAre("Conv")) << c.op;
        EXPECT_THAT(AfterConv(c, true, groups, with_bias), ElementsAre("ConvTranspose")) << c.op;
      }
    }
  }
}

TEST(FoldScaleIntoConvTest, LeavesOtherBroadcastsAndOrdersAlone) {
  EXPECT_THAT(AfterConv({"Mul", {1, 3}, false}, false, 1, false), ElementsAre("Conv", "Mul"));    // along the width
  EXPECT_THAT(AfterConv({"Add", {3, 1}, false}, false, 1, false), ElementsAre("Conv", "Add"));    // along the height
  EXPECT_THAT(AfterConv({"Sub", {6, 1, 1}, true}, false, 1, false), ElementsAre("Conv", "Sub"));  // constant first
  EXPECT_THAT(AfterConv({"Div", {6, 1, 1}, true}, false, 1, false), ElementsAre("Conv", "Div"));
  EXPECT_THAT(AfterConv({"Mul", {1, 1, 1, 1, 1}, false}, false, 1, false), ElementsAre("Conv", "Mul"));  // a new axis
  EXPECT_THAT(AfterConv({"Mul", {2, 1, 1, 1}, false}, false, 1, false), ElementsAre("Conv", "Mul"));  // along the batch
}

TEST(FoldScaleIntoConvTest, LeavesAResultAloneThatOthersRead) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 5, 5});
  const ValueId y = maker.Op("Conv", {x, maker.Weights({6, 4, 3, 3})});
  maker.Output(maker.Op("Mul", {y, maker.Weights({6, 1, 1})}));
  maker.Output(maker.Op("Relu", {y}));
  EXPECT_EQ(OpsOf(Rewritten(maker.graph, FoldScaleIntoConv)).size(), 3u);
  GraphMaker output;
  const ValueId z = output.Op("Conv", {output.Input({1, 4, 5, 5}), output.Weights({6, 4, 3, 3})});
  output.Output(z);
  output.Output(output.Op("Mul", {z, output.Weights({6, 1, 1})}));
  EXPECT_THAT(OpsOf(Rewritten(output.graph, FoldScaleIntoConv)), ElementsAre("Conv", "Mul"));
}

TEST(FoldScaleIntoConvTest, LeavesWeightsAloneThatAreNoConstants) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 5, 5}), w = maker.Input({6, 4, 3, 3});
  maker.Output(maker.Op("Mul", {maker.Op("Conv", {x, w}), maker.Weights({6, 1, 1})}));
  EXPECT_THAT(OpsOf(Rewritten(maker.graph, FoldScaleIntoConv)), ElementsAre("Conv", "Mul"));
}

TEST(FoldScaleIntoConvTest, LeavesNormalizationInTrainingModeAlone) {
  GraphMaker maker;
  const ValueId y = maker.Op("Conv", {maker.Input({2, 4, 5, 5}), maker.Weights({6, 4, 3, 3})});
  maker.Output(BatchNormalization(maker, y, 6, With("training_mode", int64_t{1})));
  EXPECT_THAT(OpsOf(Rewritten(maker.graph, FoldScaleIntoConv)), ElementsAre("Conv", "BatchNormalization"));
}

TEST(FoldScaleIntoConvTest, FoldsAChainWhole) {
  GraphMaker maker;
  ValueId y = maker.Op("Conv", {maker.Input({1, 4, 5, 5}), maker.Weights({6, 4, 3, 3})});
  y = BatchNormalization(maker, y, 6);
  y = maker.Op("Mul", {y, maker.Weights({6, 1, 1})});
  maker.Output(maker.Op("Add", {maker.Weights({1, 6, 1, 1}), y}));
  EXPECT_THAT(OpsOf(Rewritten(maker.graph, FoldScaleIntoConv)), ElementsAre("Conv"));
}

TEST(FoldScaleIntoBatchNormalizationTest, FoldsArithmeticPerChannel) {
  for (const Case& c : {Case{"Mul", {4, 1, 1}, false}, Case{"Add", {1, 4, 1, 1}, true}, Case{"Sub", {4, 1, 1}, false},
                        Case{"Div", {}, false}}) {
    GraphMaker maker;
    const ValueId y = BatchNormalization(maker, maker.Input({2, 4, 3, 3}), 4);
    const ValueId constant = Positive(maker, c.constant);
    maker.Output(
        maker.Op(c.op, c.constant_first ? std::vector<ValueId>{constant, y} : std::vector<ValueId>{y, constant}));
    EXPECT_THAT(OpsOf(Rewritten(maker.graph, FoldScaleIntoBatchNormalization)), ElementsAre("BatchNormalization"));
  }
}

TEST(FoldScaleIntoBatchNormalizationTest, LeavesTheRestAlone) {
  for (const Shape& constant : {Shape{3}, Shape{3, 1}, Shape{2, 1, 1, 1}, Shape{1, 1, 4, 1, 1}}) {
    GraphMaker maker;
    const ValueId y = BatchNormalization(maker, maker.Input({2, 4, 3, 3}), 4);
    maker.Output(maker.Op("Mul", {y, maker.Weights(constant)}));
    EXPECT_THAT(OpsOf(Rewritten(maker.graph, FoldScaleIntoBatchNormalization)),
                ElementsAre("BatchNormalization", "Mul"));
  }
  GraphMaker read_twice;
  const ValueId y = BatchNormalization(read_twice, read_twice.Input({2, 4, 3, 3}), 4);
  read_twice.Output(y);
  read_twice.Output(read_twice.Op("Mul", {y, read_twice.Weights({4, 1, 1})}));
  EXPECT_EQ(OpsOf(Rewritten(read_twice.graph, FoldScaleIntoBatchNormalization)).size(), 2u);
}

TEST(FoldScaleIntoBatchNormalizationTest, ScalesAndShiftsOfABatchsOwnMomentsFoldToo) {
  GraphMaker maker;
  const ValueId y = BatchNormalization(maker, maker.Input({2, 4, 3, 3}), 4, With("training_mode", int64_t{1}));
  maker.Output(maker.Op("Mul", {y, maker.Weights({4, 1, 1})}));
  EXPECT_THAT(OpsOf(Rewritten(maker.graph, FoldScaleIntoBatchNormalization)), ElementsAre("BatchNormalization"));
}

}  // namespace
}  // namespace tandem::engine
