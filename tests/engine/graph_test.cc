#include "engine/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(GraphTest, OrderPutsProducersFirst) {
  Graph graph;
  const ValueId x = graph.AddValue({.name = "x"}), h = graph.AddValue({.name = "h"}), y = graph.AddValue({.name = "y"});
  graph.AddInput(x);
  graph.AddOutput(y);
  graph.AddNode({.op = "Relu", .inputs = {h}, .outputs = {y}});
  graph.AddNode({.op = "Abs", .inputs = {x}, .outputs = {h}});
  const auto order = graph.TopologicalOrder();
  ASSERT_TRUE(order.ok());
  EXPECT_THAT(*order, ElementsAre(1, 0));
  EXPECT_TRUE(graph.Validate().ok());
}

TEST(GraphTest, CyclesAreNamed) {
  Graph graph;
  const ValueId a = graph.AddValue({.name = "a"}), b = graph.AddValue({.name = "b"});
  graph.AddNode({.op = "Relu", .name = "first", .inputs = {b}, .outputs = {a}});
  graph.AddNode({.op = "Abs", .name = "second", .inputs = {a}, .outputs = {b}});
  EXPECT_THAT(std::string(graph.TopologicalOrder().status().message()), HasSubstr("Relu 'first'"));
  EXPECT_FALSE(graph.Validate().ok());
}

TEST(GraphTest, ANodeThatReadsAValueTwiceIsReadyOnce) {
  GraphMaker maker;
  const ValueId x = maker.Input({2});
  const ValueId h = maker.Op("Relu", {x});
  maker.Output(maker.Op("Mul", {h, h}));
  const auto order = maker.graph.TopologicalOrder();
  ASSERT_TRUE(order.ok());
  EXPECT_THAT(*order, ElementsAre(0, 1));
  EXPECT_THAT(maker.graph.Consumers()[h], ElementsAre(1, 1));
}

TEST(GraphTest, ValidateFindsWhatNothingProduces) {
  Graph graph;
  const ValueId x = graph.AddValue({.name = "ghost"}), y = graph.AddValue({.name = "y"});
  graph.AddNode({.op = "Relu", .inputs = {x}, .outputs = {y}});
  EXPECT_THAT(std::string(graph.Validate().message()), HasSubstr("ghost"));
  Graph without_producer;
  without_producer.AddOutput(without_producer.AddValue({.name = "lost"}));
  EXPECT_THAT(std::string(without_producer.Validate().message()), HasSubstr("lost"));
}

TEST(GraphTest, RemoveDeadTakesChainsAndConstantsAndLeavesWhatIsUsed) {
  GraphMaker maker;
  const ValueId x = maker.Input({2});
  const ValueId weights = maker.Weights({2}), unused_weights = maker.Weights({2});
  const ValueId y = maker.Op("Add", {x, weights});
  maker.Op("Relu", {maker.Op("Mul", {maker.Op("Abs", {x}), unused_weights})});
  maker.Output(y);
  maker.graph.RemoveDead();
  EXPECT_THAT(OpsOf(maker.graph), ElementsAre("Add"));
  EXPECT_TRUE(maker.graph.value(weights).is_constant());
  EXPECT_FALSE(maker.graph.value(unused_weights).is_constant());
  EXPECT_TRUE(maker.graph.Validate().ok());
}

TEST(GraphTest, RemoveDeadKeepsANodeOfWhichOneOutputIsUsed) {
  GraphMaker maker;
  const ValueId x = maker.Input({4});
  const std::vector<ValueId> parts = maker.Ops("Split", {x}, 2, With("num_outputs", int64_t{2}));
  maker.Output(parts[1]);
  maker.graph.RemoveDead();
  EXPECT_THAT(OpsOf(maker.graph), ElementsAre("Split"));
}

TEST(GraphTest, ReplaceUsesReachesNodesAndOutputs) {
  GraphMaker maker;
  const ValueId x = maker.Input({2}), z = maker.Input({2});
  const ValueId h = maker.Op("Relu", {x});
  maker.Output(h);
  maker.Output(maker.Op("Add", {h, h}));
  maker.graph.ReplaceUses(h, z);
  EXPECT_EQ(maker.graph.outputs()[0], z);
  EXPECT_THAT(maker.graph.node(1)->inputs, ElementsAre(z, z));
}

TEST(GraphTest, ADeepChainNeedsNoRecursion) {
  GraphMaker maker;
  ValueId x = maker.Input({1});
  for (int i = 0; i < 100000; ++i) x = maker.Op("Relu", {x});
  EXPECT_TRUE(maker.graph.Validate().ok());
  maker.graph.RemoveDead();  // nothing is an output
  EXPECT_TRUE(OpsOf(maker.graph).empty());
}

TEST(GraphDeathTest, AValueHasOneProducer) {
  GraphMaker maker;
  const ValueId x = maker.Input({1});
  const ValueId y = maker.Op("Relu", {x});
  EXPECT_DEATH(maker.graph.AddNode({.op = "Abs", .inputs = {x}, .outputs = {y}}), "producer");
}

}  // namespace
}  // namespace tandem::engine
