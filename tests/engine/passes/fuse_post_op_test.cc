#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "engine/passes/rewrites.h"
#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

std::vector<std::string> Fused(const GraphMaker& maker) { return OpsOf(Rewritten(maker.graph, FusePostOp)); }

ValueId Conv(GraphMaker& maker, ValueId x) { return maker.Op("Conv", {x, maker.Weights({6, 4, 3, 3})}); }

TEST(FusePostOpTest, ActivationsJoinWhatMakesTheirInput) {
  for (const char* op : {"Relu", "Sigmoid", "LeakyRelu", "Tanh", "Elu", "HardSwish", "HardSigmoid", "Gelu", "Abs"}) {
    GraphMaker maker;
    maker.Output(maker.Op(op, {Conv(maker, maker.Input({1, 4, 5, 5}))}));
    EXPECT_THAT(Fused(maker), ElementsAre(absl::StrCat("Conv+", op)));
  }
  GraphMaker gemm;
  const ValueId product = gemm.Op("Gemm", {gemm.Input({3, 4}), gemm.Weights({4, 5}), gemm.Weights({5})});
  gemm.Output(gemm.Op("Clip", {product, gemm.Scalar(0), gemm.Scalar(6)}));
  EXPECT_THAT(Fused(gemm), ElementsAre("Gemm+Clip"));
}

TEST(FusePostOpTest, ChainsWithSumsJoinInOrder) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 5, 5}), residual = maker.Input({1, 6, 3, 3});
  ValueId y = maker.Op("Relu", {Conv(maker, x)});
  y = maker.Op("Add", {residual, y});
  maker.Output(maker.Op("Mul", {y, maker.Weights({6, 1, 1})}));
  EXPECT_THAT(Fused(maker), ElementsAre("Conv+Relu+Add+Mul"));
}

TEST(FusePostOpTest, SubtractionAndDivisionJoinFromTheLeftOnly) {
  for (const char* op : {"Sub", "Div"}) {
    GraphMaker left, right;
    const ValueId x = left.Input({1, 4, 5, 5}), z = right.Input({1, 4, 5, 5});
    left.Output(left.Op(op, {Conv(left, x), left.Scalar(2)}));
    EXPECT_THAT(Fused(left), ElementsAre(absl::StrCat("Conv+", op)));
    right.Output(right.Op(op, {right.Scalar(2), Conv(right, z)}));
    EXPECT_THAT(Fused(right), ElementsAre("Conv", op));
  }
}

TEST(FusePostOpTest, OperandsThatFastKernelsDoNotKnowStayOutside) {
  for (const Shape& operand : {Shape{3}, Shape{3, 1}, Shape{1, 1, 3, 3}, Shape{6, 3, 1}}) {
    GraphMaker maker;
    const ValueId x = maker.Input({1, 4, 5, 5});
    maker.Output(maker.Op("Add", {Conv(maker, x), maker.Weights(operand)}));
    EXPECT_THAT(Fused(maker), SizeIs(2)) << ToString(operand);
  }
  for (const Shape& operand :
       {Shape{}, Shape{1}, Shape{1, 1, 1}, Shape{6, 1, 1}, Shape{1, 6, 1, 1}, Shape{1, 6, 3, 3}}) {
    GraphMaker maker;
    const ValueId x = maker.Input({1, 4, 5, 5});
    maker.Output(maker.Op("Add", {Conv(maker, x), maker.Weights(operand)}));
    EXPECT_THAT(Fused(maker), ElementsAre("Conv+Add")) << ToString(operand);
  }
}

TEST(FusePostOpTest, AnOperandThatStretchesTheResultStaysOutside) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 5, 5});
  maker.Output(maker.Op("Add", {Conv(maker, x), maker.Weights({2, 6, 3, 3})}));
  EXPECT_THAT(Fused(maker), SizeIs(2));
}

TEST(FusePostOpTest, AResultThatOthersReadStaysWhole) {
  GraphMaker maker;
  const ValueId y = Conv(maker, maker.Input({1, 4, 5, 5}));
  maker.Output(maker.Op("Relu", {y}));
  maker.Output(maker.Op("Tanh", {y}));
  EXPECT_THAT(Fused(maker), SizeIs(3));
  GraphMaker output;
  const ValueId z = Conv(output, output.Input({1, 4, 5, 5}));
  output.Output(z);
  output.Output(output.Op("Relu", {z}));
  EXPECT_THAT(Fused(output), SizeIs(2));
  GraphMaker twice;
  const ValueId w = Conv(twice, twice.Input({1, 4, 5, 5}));
  twice.Output(twice.Op("Add", {w, w}));
  EXPECT_THAT(Fused(twice), SizeIs(2));
}

TEST(FusePostOpTest, OnlyReluJoinsBatchNormalization) {
  for (const char* op : {"Relu", "Tanh"}) {
    GraphMaker maker;
    const ValueId x = maker.Input({2, 4, 3, 3});
    const ValueId variance = maker.Constant(Tensor::Of<float>({4}, {1, 2, 3, 4}));
    const ValueId y =
        maker.Op("BatchNormalization", {x, maker.Weights({4}), maker.Weights({4}), maker.Weights({4}), variance});
    maker.Output(maker.Op(op, {y}));
    EXPECT_THAT(Fused(maker), SizeIs(std::string(op) == "Relu" ? 1 : 2));
  }
}

TEST(FusePostOpTest, DoublesStayAsTheyAre) {
  GraphMaker maker;
  const ValueId x = maker.Input({2}, DataType::kFloat64), z = maker.Input({2}, DataType::kFloat64);
  maker.Output(maker.Op("Relu", {maker.Op("Add", {x, z})}));
  Graph after = maker.graph;
  const Pass pass = {"fuse", FusePostOp};
  ASSERT_TRUE(RunPasses(after, {&pass, 1}).ok());
  EXPECT_THAT(OpsOf(after), ElementsAre("Add", "Relu"));
}

TEST(FusePostOpTest, LongChainsAreCutWherePrimitivesEnd) {
  GraphMaker maker;
  ValueId y = Conv(maker, maker.Input({1, 4, 5, 5}));
  for (int i = 0; i < 40; ++i) y = maker.Op("Abs", {y});
  maker.Output(y);
  EXPECT_GT(Fused(maker).size(), 1u);
}

}  // namespace
}  // namespace tandem::engine
