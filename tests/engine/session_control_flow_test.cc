// Sessions on models whose shapes or steps depend on the data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/session.h"
#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kBool = onnx::TensorProto::BOOL;
constexpr int kInt64 = onnx::TensorProto::INT64;

// One model run many times by one session.
class Runner {
 public:
  explicit Runner(const ModelMaker& maker) {
    auto model = maker.Load();
    EXPECT_TRUE(model.ok()) << model.status();
    if (model.ok()) model_ = *model;
  }
  absl::StatusOr<std::vector<Tensor>> Try(const std::vector<Tensor>& inputs) {
    return RunModel(session_, model_, inputs);
  }
  std::vector<float> Floats(const std::vector<Tensor>& inputs, int output = 0) {
    const auto outputs = Try(inputs);
    EXPECT_TRUE(outputs.ok()) << outputs.status();
    return outputs.ok() ? ValuesOf((*outputs)[output]) : std::vector<float>();
  }

 private:
  std::shared_ptr<const Model> model_;
  Session session_;
};

TEST(ContinuationTest, ShapesThatTheDataChooseRunOn) {
  ModelMaker maker;  // the values that are not zero, doubled, and their sum
  maker.Input("x", {-1}).Output("y").Output("sum").Constant(FloatTensor("two", {}, {2}));
  maker.Node("NonZero", {"x"}, {"i"});
  maker.Node("Transpose", {"i"}, {"t"});
  maker.Node("GatherND", {"x", "t"}, {"g"});
  maker.Node("Mul", {"g", "two"}, {"y"});
  maker.Node("ReduceSum", {"y"}, {"sum"}).Int("keepdims", 0);
  Runner runner(maker);
  EXPECT_THAT(runner.Floats({Floats({4}, {0, 1, 0, 2})}), ElementsAre(2, 4));
  EXPECT_THAT(runner.Floats({Floats({4}, {0, 1, 0, 2})}, 1), ElementsAre(6));
  EXPECT_THAT(runner.Floats({Floats({4}, {5, 1, 3, 2})}), ElementsAre(10, 2, 6, 4));
  EXPECT_THAT(runner.Floats({Floats({4}, {0, 0, 0, 0})}), IsEmpty());
  EXPECT_THAT(runner.Floats({Floats({4}, {0, 0, 0, 0})}, 1), ElementsAre(0));
  EXPECT_THAT(runner.Floats({Floats({4}, {0, 1, 0, 2})}), ElementsAre(2, 4));
}

TEST(ContinuationTest, OneMayFollowAnother) {
  ModelMaker maker;
  maker.Input("x", {-1}).Output("y");
  maker.Node("NonZero", {"x"}, {"i"});
  maker.Node("Transpose", {"i"}, {"t"});
  maker.Node("GatherND", {"x", "t"}, {"g"});
  maker.Node("Relu", {"g"}, {"r"});
  maker.Node("NonZero", {"r"}, {"j"});
  maker.Node("Transpose", {"j"}, {"u"});
  maker.Node("GatherND", {"g", "u"}, {"h"});
  maker.Node("Add", {"h", "h"}, {"y"});
  Runner runner(maker);
  EXPECT_THAT(runner.Floats({Floats({5}, {0, -1, 4, 0, 2})}), ElementsAre(8, 4));
  EXPECT_THAT(runner.Floats({Floats({5}, {0, -1, -4, 0, 2})}), ElementsAre(4));
}

TEST(ContinuationTest, AResultTooLargeForTheMachineIsAnError) {
  ModelMaker maker;
  maker.Input("n", {2}, kInt64).Output("y");
  maker.Node("ConstantOfShape", {"n"}, {"y"});
  Runner runner(maker);
  EXPECT_THAT(runner.Floats({Integers({2}, {1, 2})}), ElementsAre(0, 0));
  EXPECT_FALSE(runner.Try({Integers({2}, {100000, 80000})}).ok());
  EXPECT_FALSE(runner.Try({Integers({2}, {-1, 3})}).ok());
  EXPECT_FALSE(runner.Try({Integers({2}, {int64_t{1} << 62, int64_t{1} << 62})}).ok());
  EXPECT_THAT(runner.Floats({Integers({2}, {2, 1})}), ElementsAre(0, 0));
}

onnx::GraphProto Branch(const std::string& op, const std::string& of, const std::string& output) {
  SubgraphMaker branch;
  branch.Output(output);
  branch.Node(op, {of}, {output});
  return branch.graph();
}

TEST(IfTest, TakesTheBranchOfTheCondition) {
  ModelMaker maker;
  maker.Input("x", {-1}).Input("c", {}, kBool).Output("y");
  maker.Node("Abs", {"x"}, {"a"});
  maker.Node("If", {"c"}, {"r"})
      .Graph("then_branch", Branch("Neg", "a", "t"))
      .Graph("else_branch", Branch("Exp", "x", "e"));
  maker.Node("Add", {"r", "x"}, {"y"});
  Runner runner(maker);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(runner.Floats({Floats({2}, {-1, 2}), Truth(true)}), ElementsAre(-2, 0));
    EXPECT_THAT(runner.Floats({Floats({1}, {0}), Truth(false)}), ElementsAre(1));
  }
}

TEST(IfTest, BranchesMayDifferInShapeButNotInType) {
  ModelMaker shapes;
  shapes.Input("x", {2}).Input("c", {}, kBool).Output("y");
  SubgraphMaker twice;
  twice.Output("t");
  twice.Node("Concat", {"x", "x"}, {"t"}).Int("axis", 0);
  shapes.Node("If", {"c"}, {"r"}).Graph("then_branch", twice.graph()).Graph("else_branch", Branch("Neg", "x", "e"));
  shapes.Node("Abs", {"r"}, {"y"});
  Runner runner(shapes);
  EXPECT_THAT(runner.Floats({Floats({2}, {-1, 2}), Truth(true)}), ElementsAre(1, 2, 1, 2));
  EXPECT_THAT(runner.Floats({Floats({2}, {-1, 2}), Truth(false)}), ElementsAre(1, 2));

  ModelMaker types;
  types.Input("x", {64}).Input("c", {}, kBool).Output("y");
  SubgraphMaker wide;
  wide.Output("e", onnx::TensorProto::DOUBLE);
  wide.Node("Cast", {"x"}, {"e"}).Int("to", onnx::TensorProto::DOUBLE);
  types.Node("If", {"c"}, {"r"}).Graph("then_branch", Branch("Neg", "x", "t")).Graph("else_branch", wide.graph());
  types.Node("Abs", {"r"}, {"y"});
  const auto model = types.Load();
  if (!model.ok()) return;
  Session session;
  EXPECT_TRUE(RunModel(session, *model, {Tensor(DataType::kFloat32, {64}), Truth(true)}).ok());
  EXPECT_FALSE(RunModel(session, *model, {Tensor(DataType::kFloat32, {64}), Truth(false)}).ok());
}

TEST(IfTest, NestedBranchesCaptureFromEveryLevel) {
  SubgraphMaker inner;
  inner.Output("s");
  inner.Node("Add", {"x", "w"}, {"p"});
  inner.Node("Add", {"p", "m"}, {"s"});
  SubgraphMaker outer;
  outer.Output("o");
  outer.Node("Neg", {"x"}, {"m"});
  outer.Node("If", {"d"}, {"o"}).Graph("then_branch", inner.graph()).Graph("else_branch", Branch("Abs", "m", "q"));
  ModelMaker maker;
  maker.Input("x", {2}).Input("c", {}, kBool).Input("d", {}, kBool).Output("y");
  maker.Constant(FloatTensor("w", {2}, {10, 20}));
  maker.Node("If", {"c"}, {"y"}).Graph("then_branch", outer.graph()).Graph("else_branch", Branch("Identity", "x", "z"));
  Runner runner(maker);
  const Tensor x = Floats({2}, {-3, 4});
  EXPECT_THAT(runner.Floats({x, Truth(true), Truth(true)}), ElementsAre(10, 20));
  EXPECT_THAT(runner.Floats({x, Truth(true), Truth(false)}), ElementsAre(3, 4));
  EXPECT_THAT(runner.Floats({x, Truth(false), Truth(false)}), ElementsAre(-3, 4));
}

// v doubles until it has run `n` times or lies above the limit; every v is stacked.
ModelMaker DoublingLoop() {
  SubgraphMaker body;
  body.Input("i", {}, kInt64).Input("cond", {}, kBool).Input("v", {1});
  body.Output("again", kBool).Output("w").Output("stacked");
  body.Node("Add", {"v", "v"}, {"w"});
  body.Node("Identity", {"w"}, {"stacked"});
  body.Node("ReduceMax", {"w"}, {"top"}).Int("keepdims", 0);
  body.Node("Less", {"top", "limit"}, {"again"});
  ModelMaker maker;
  maker.Input("n", {}, kInt64).Input("c", {}, kBool).Input("start", {1}).Input("limit", {});
  maker.Output("last").Output("all");
  maker.Node("Loop", {"n", "c", "start"}, {"last", "all"}).Graph("body", body.graph());
  return maker;
}

TEST(LoopTest, EndsByCountOrByCondition) {
  Runner runner(DoublingLoop());
  const auto inputs = [](int64_t n, bool c, float limit) {
    return std::vector<Tensor>{Integers({}, {n}), Truth(c), Floats({1}, {1}), Floats({}, {limit})};
  };
  EXPECT_THAT(runner.Floats(inputs(3, true, 1000)), ElementsAre(8));
  EXPECT_THAT(runner.Floats(inputs(3, true, 1000), 1), ElementsAre(2, 4, 8));
  EXPECT_THAT(runner.Floats(inputs(100, true, 10), 1), ElementsAre(2, 4, 8, 16));
  EXPECT_THAT(runner.Floats(inputs(100, false, 10)), ElementsAre(1));
  EXPECT_THAT(runner.Floats(inputs(0, true, 10), 1), IsEmpty());
  EXPECT_THAT(runner.Floats(inputs(-1, true, 10)), ElementsAre(1));
}

TEST(LoopTest, WhatIsCarriedMayGrow) {
  SubgraphMaker body;
  body.Input("i", {}, kInt64).Input("cond", {}, kBool).Input("v", {-1});
  body.Output("cond", kBool).Output("w");
  body.Node("Concat", {"v", "x"}, {"w"}).Int("axis", 0);
  ModelMaker maker;
  maker.Input("n", {}, kInt64).Input("x", {1}).Output("y").Constant(FloatTensor("none", {0}, {}));
  maker.Node("Loop", {"n", "", "none"}, {"r"}).Graph("body", body.graph());
  maker.Node("Neg", {"r"}, {"y"});
  Runner runner(maker);
  EXPECT_THAT(runner.Floats({Integers({}, {3}), Floats({1}, {7})}), ElementsAre(-7, -7, -7));
  EXPECT_THAT(runner.Floats({Integers({}, {0}), Floats({1}, {7})}), IsEmpty());
}

TEST(LoopTest, WhatIsCarriedMayNotChangeItsType) {
  SubgraphMaker body;
  body.Input("i", {}, kInt64).Input("cond", {}, kBool).Input("v", {64});
  body.Output("cond", kBool).Output("w", onnx::TensorProto::DOUBLE);
  body.Node("Cast", {"v"}, {"w"}).Int("to", onnx::TensorProto::DOUBLE);
  ModelMaker maker;
  maker.Input("n", {}, kInt64).Input("x", {64}).Output("y", onnx::TensorProto::DOUBLE);
  maker.Node("Loop", {"n", "", "x"}, {"r"}).Graph("body", body.graph());
  maker.Node("Neg", {"r"}, {"y"});
  const auto model = maker.Load();
  if (!model.ok()) return;
  for (int64_t count : {0, 2}) {
    Session session;
    EXPECT_FALSE(RunModel(session, *model, {Integers({}, {count}), Tensor(DataType::kFloat32, {64})}).ok()) << count;
  }
}

TEST(LoopTest, BodiesThatDoNotFitAreRefused) {
  SubgraphMaker body;
  body.Input("i", {}, kInt64).Output("i", kInt64);
  ModelMaker maker;
  maker.Input("n", {}, kInt64).Output("y");
  maker.Node("Loop", {"n"}, {"y"}).Graph("body", body.graph());
  EXPECT_THAT(std::string(maker.Load().status().message()), HasSubstr("body"));
  ModelMaker without_body;
  without_body.Input("n", {}, kInt64).Output("y");
  without_body.Node("Loop", {"n"}, {"y"});
  EXPECT_THAT(std::string(without_body.Load().status().message()), HasSubstr("body"));
}

TEST(ScanTest, SumsAlongAnAxisForthAndBack) {
  SubgraphMaker body;
  body.Input("s", {2}).Input("e", {2}).Output("t").Output("stacked");
  body.Node("Add", {"s", "e"}, {"t"});
  body.Node("Add", {"t", "offset"}, {"stacked"});
  ModelMaker maker;
  maker.Input("x", {2, -1}).Output("last").Output("all");
  maker.Constant(FloatTensor("zero", {2}, {0, 0})).Constant(FloatTensor("offset", {}, {100}));
  maker.Node("Scan", {"zero", "x"}, {"last", "all"})
      .Graph("body", body.graph())
      .Int("num_scan_inputs", 1)
      .Ints("scan_input_axes", {1})
      .Ints("scan_input_directions", {1});
  Runner runner(maker);
  const Tensor x = Floats({2, 3}, {1, 2, 3, 10, 20, 30});
  EXPECT_THAT(runner.Floats({x}), ElementsAre(6, 60));
  EXPECT_THAT(runner.Floats({x}, 1), ElementsAre(103, 130, 105, 150, 106, 160));
  EXPECT_THAT(runner.Floats({Floats({2, 1}, {1, 2})}), ElementsAre(1, 2));
}

TEST(ScanTest, InputsOfDifferentLengthAreAnError) {
  SubgraphMaker body;
  body.Input("a", {}).Input("b", {}).Output("s");
  body.Node("Add", {"a", "b"}, {"s"});
  ModelMaker maker;
  maker.Input("x", {-1}).Input("z", {-1}).Output("y");
  maker.Node("Scan", {"x", "z"}, {"y"}).Graph("body", body.graph()).Int("num_scan_inputs", 2);
  Runner runner(maker);
  EXPECT_THAT(runner.Floats({Floats({2}, {1, 2}), Floats({2}, {3, 4})}), ElementsAre(4, 6));
  EXPECT_FALSE(runner.Try({Floats({2}, {1, 2}), Floats({3}, {3, 4, 5})}).ok());
  EXPECT_THAT(runner.Floats({Floats({1}, {1}), Floats({1}, {3})}), ElementsAre(4));
}

TEST(LoopTest, WithoutTripCountAndConditionIsRefused) {
  SubgraphMaker body;
  body.Input("i", {}).Input("c", {}).Output("c").Output("i");
  ModelMaker maker;
  maker.Input("x", {3}).Output("y");
  maker.Node("Loop", {}, {"y"}).Graph("body", body.graph());
  const absl::Status status = maker.Run({Floats({3}, {1, 2, 3})}).status();
  EXPECT_NE(status.message().find("trip count"), absl::string_view::npos) << status;
}

TEST(ScanTest, CountsThatDoNotFitAreRefused) {
  for (int64_t count : {-1, 2, 100}) {
    SubgraphMaker body;
    body.Input("a", {}).Output("a");
    ModelMaker maker;
    maker.Input("x", {3}).Output("y");
    maker.Node("Scan", {"x"}, {"y"}).Graph("body", body.graph()).Int("num_scan_inputs", count);
    EXPECT_FALSE(maker.Run({Floats({3}, {1, 2, 3})}).ok()) << count;
  }
}

}  // namespace
}  // namespace tandem::engine
