#include "engine/post_op.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

std::optional<PostOp> OfLast(const GraphMaker& maker) {
  return AsPostOp(maker.graph, *maker.graph.node(maker.graph.num_nodes() - 1));
}

TEST(PostOpTest, ParametersComeFromAttributesOrTheirDefaults) {
  GraphMaker maker;
  const ValueId x = maker.Input({2});
  maker.Op("LeakyRelu", {x});
  EXPECT_EQ(OfLast(maker)->alpha, 0.01f);
  maker.Op("LeakyRelu", {x}, With("alpha", 0.5f));
  EXPECT_EQ(OfLast(maker)->alpha, 0.5f);
  maker.Op("HardSigmoid", {x});
  EXPECT_EQ(OfLast(maker)->alpha, 0.2f);
  EXPECT_EQ(OfLast(maker)->beta, 0.5f);
  maker.Op("Elu", {x});
  EXPECT_EQ(OfLast(maker)->alpha, 1);
}

TEST(PostOpTest, ClipTakesConstantBoundsOnly) {
  GraphMaker maker;
  const ValueId x = maker.Input({2}), bound = maker.Input({});
  maker.Op("Clip", {x, maker.Scalar(-1), maker.Scalar(2)});
  EXPECT_EQ(OfLast(maker)->alpha, -1);
  EXPECT_EQ(OfLast(maker)->beta, 2);
  maker.Op("Clip", {x, kNoValue, maker.Scalar(6)});
  EXPECT_EQ(OfLast(maker)->alpha, std::numeric_limits<float>::lowest());
  maker.Op("Clip", {x});
  EXPECT_EQ(OfLast(maker)->beta, std::numeric_limits<float>::max());
  maker.Op("Clip", {x, bound});
  EXPECT_FALSE(OfLast(maker).has_value());
  maker.Op("Clip", {x, maker.Scalar(2), maker.Scalar(1)});  // ONNX: the maximum wins
  EXPECT_FALSE(OfLast(maker).has_value());
}

TEST(PostOpTest, OnlyTheExactGeluIsOne) {
  GraphMaker maker;
  const ValueId x = maker.Input({2});
  maker.Op("Gelu", {x});
  EXPECT_TRUE(OfLast(maker).has_value());
  maker.Op("Gelu", {x}, With("approximate", std::string("tanh")));
  EXPECT_FALSE(OfLast(maker).has_value());
}

TEST(PostOpTest, OthersAreNone) {
  GraphMaker maker;
  const ValueId x = maker.Input({2});
  for (const char* op : {"Softmax", "Neg", "Identity"}) {
    maker.Op(op, {x});
    EXPECT_FALSE(OfLast(maker).has_value()) << op;
  }
}

}  // namespace
}  // namespace tandem::engine
