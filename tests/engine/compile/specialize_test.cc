#include "engine/compile/specialize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(SpecializeTest, ShapeArithmeticFoldsAway) {
  GraphMaker maker;
  const ValueId x = maker.OpenInput();
  const ValueId shape = maker.Op("Shape", {x});
  const ValueId first = maker.Op("Gather", {shape, maker.Constant(Tensor::Scalar<int64_t>(0))});
  const ValueId count = maker.Op("Unsqueeze", {first, maker.Ints({0})});
  const ValueId target = maker.Op("Concat", {count, maker.Ints({-1})}, With("axis", int64_t{0}));
  maker.Output(maker.Op("Reshape", {maker.Op("Relu", {x}), target}));
  const auto known = Specialize(maker.graph, {{DataType::kFloat32, Shape{2, 3, 4}, {}}});
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_THAT(OpsOf(*known), ElementsAre("Relu", "Reshape"));
  EXPECT_EQ(ToString(*known->value(known->outputs()[0]).shape), "[2,12]");
}

TEST(SpecializeTest, ConstantsFoldAndRandomnessDoesNot) {
  GraphMaker maker;
  const ValueId sum = maker.Op("Add", {maker.Weights({3}), maker.Weights({3})});
  const ValueId noise = maker.Op("RandomNormal", {}, With("shape", IntList{3}));
  maker.Output(maker.Op("Add", {sum, noise}));
  const auto known = Specialize(maker.graph, {});
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_THAT(OpsOf(*known), ElementsAre("RandomNormal", "Add"));
}

TEST(SpecializeTest, ErrorsNameTheNode) {
  GraphMaker maker;
  const ValueId a = maker.OpenInput(), b = maker.OpenInput();
  maker.Output(maker.Op("Add", {a, b}));
  const ValueInfo two{DataType::kFloat32, Shape{2}, {}}, three{DataType::kFloat32, Shape{3}, {}};
  EXPECT_THAT(std::string(Specialize(maker.graph, {two, three}).status().message()), HasSubstr("Add 'node0'"));
}

TEST(SpecializeTest, ShapesOfMoreElementsThanCanBeAreRefused) {
  GraphMaker maker;
  const ValueId a = maker.OpenInput(), b = maker.OpenInput();
  maker.Output(maker.Op("Add", {a, b}));
  const ValueInfo tall{DataType::kFloat32, Shape{1 << 30, 1}, {}}, wide{DataType::kFloat32, Shape{1, 1 << 30}, {}};
  EXPECT_FALSE(Specialize(maker.graph, {tall, wide}).ok());
}

TEST(SpecializeTest, ABranchWhoseConditionIsKnownReplacesIf) {
  GraphMaker then, otherwise, maker;
  then.Output(then.Op("Relu", {then.Input({2})}));
  otherwise.Output(otherwise.Op("Abs", {otherwise.Input({2})}));
  const ValueId x = maker.Input({2}), y = maker.graph.AddValue({.name = "y"});
  Node node{.op = "If", .inputs = {maker.Constant(Tensor::Scalar<bool>(false)), x, x}, .outputs = {y}};
  node.attributes.Set("then_branch", std::make_shared<const Graph>(then.graph));
  node.attributes.Set("else_branch", std::make_shared<const Graph>(otherwise.graph));
  node.attributes.Set("then_branch.captures", IntList{1});
  node.attributes.Set("else_branch.captures", IntList{2});
  maker.graph.AddNode(std::move(node));
  maker.Output(y);
  const auto known = Specialize(maker.graph, {{DataType::kFloat32, Shape{2}, {}}});
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_THAT(OpsOf(*known), ElementsAre("Abs"));
}

}  // namespace
}  // namespace tandem::engine
