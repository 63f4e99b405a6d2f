#include "engine/patch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

TEST(PatchTest, NewNodesTakeTheReadersOfTheOld) {
  GraphMaker maker;
  const ValueId x = maker.Input({2});
  const ValueId h = maker.Op("Relu", {x});
  maker.Output(maker.Op("Abs", {h}));
  Patch patch(maker.graph);
  const ValueId scale = patch.AddConstant(Tensor::Scalar<float>(2));
  patch.Replace(h, patch.Add({.op = "Mul", .inputs = {x, scale}}, DataType::kFloat32, Shape{2}));
  std::move(patch).Apply(maker.graph);
  maker.graph.RemoveDead();
  EXPECT_THAT(OpsOf(maker.graph), ElementsAre("Mul", "Abs"));
  EXPECT_TRUE(maker.graph.Validate().ok());
}

TEST(PatchTest, AGraphOutputKeepsItsNameAndDeclaredShape) {
  GraphMaker maker;
  const ValueId x = maker.Input({2});
  const ValueId h = maker.Op("Relu", {x}), y = maker.Op("Identity", {h});
  maker.Output(y);
  Value& value = maker.graph.mutable_value(y);
  value.name = "result";
  value.shape = Shape{kUnknownDim};
  value.dim_names = {"N"};
  Patch patch(maker.graph);
  patch.Replace(y, h);
  std::move(patch).Apply(maker.graph);
  const Value& output = maker.graph.value(maker.graph.outputs()[0]);
  EXPECT_EQ(output.name, "result");
  EXPECT_EQ(output.shape, Shape{kUnknownDim});
  EXPECT_THAT(output.dim_names, ElementsAre("N"));
}

TEST(PatchDeathTest, BelongsToTheGraphAsItWas) {
  GraphMaker maker;
  const ValueId x = maker.Input({2});
  Patch patch(maker.graph);
  patch.Add({.op = "Relu", .inputs = {x}}, DataType::kFloat32, Shape{2});
  maker.Input({3});
  EXPECT_DEATH(std::move(patch).Apply(maker.graph), "under a patch");
}

}  // namespace
}  // namespace tandem::engine
