#include "engine/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "tests/engine/graph_maker.h"
#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::shared_ptr<const Model> Loaded(const ModelMaker& maker, const ModelOptions& options = {}) {
  auto model = maker.Load(options);
  EXPECT_TRUE(model.ok()) << model.status();
  return model.ok() ? *model : nullptr;
}

onnx::TensorProto RandomWeights(const std::string& name, const Shape& shape, uint32_t seed) {
  return FloatTensor(name, {shape.begin(), shape.end()}, ValuesOf(RandomFloats(shape, seed)));
}

// Convolution, activation, residual sum, pooling, product and softmax over a free batch.
ModelMaker SmallNet() {
  ModelMaker maker;
  maker.Input("x", {-1, 3, 8, 8}).Output("y");
  maker.Constant(RandomWeights("w1", {20, 3, 3, 3}, 1)).Constant(RandomWeights("b1", {20}, 2));
  maker.Constant(RandomWeights("w2", {20, 1, 3, 3}, 3)).Constant(RandomWeights("w3", {20, 5}, 4));
  maker.Node("Conv", {"x", "w1", "b1"}, {"c"}).Ints("pads", {1, 1, 1, 1});
  maker.Node("Relu", {"c"}, {"r"});
  maker.Node("Conv", {"r", "w2"}, {"d"}).Ints("pads", {1, 1, 1, 1}).Int("group", 20);
  maker.Node("Add", {"d", "r"}, {"s"});
  maker.Node("GlobalAveragePool", {"s"}, {"g"});
  maker.Node("Flatten", {"g"}, {"f"});
  maker.Node("MatMul", {"f", "w3"}, {"m"});
  maker.Node("Softmax", {"m"}, {"y"});
  return maker;
}

// y = x * factor: tells models apart.
ModelMaker Times(float factor) {
  ModelMaker maker;
  maker.Input("x", {-1, 4}).Output("y").Constant(FloatTensor("f", {}, {factor}));
  maker.Node("Mul", {"x", "f"}, {"y"});
  return maker;
}

Tensor Rows(int64_t count, float value) {
  return Floats({count, 4}, std::vector<float>(static_cast<size_t>(count) * 4, value));
}

TEST(SessionTest, ShapesThatDoNotFitAreNamed) {
  const auto model = Loaded(SmallNet());
  Session session;
  const auto message = [&](const std::vector<Shape>& shapes) {
    const auto run = session.Prepare(model, shapes);
    EXPECT_EQ(run.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(run.status().message());
  };
  EXPECT_THAT(message({{1, 4, 8, 8}}), AllOf(HasSubstr("'x'"), HasSubstr("[?,3,8,8]"), HasSubstr("[1,4,8,8]")));
  EXPECT_THAT(message({{1, 3, 8}}), HasSubstr("[1,3,8]"));
  EXPECT_THAT(message({}), HasSubstr("1 inputs"));
  EXPECT_THAT(message({{1, 3, 8, 8}, {1}}), HasSubstr("2 were given"));
  message({{-1, 3, 8, 8}});
  message({{int64_t{1} << 40, 3, 8, 8}});
  EXPECT_TRUE(session.Prepare(model, {Shape{2, 3, 8, 8}}).ok());
}

TEST(SessionTest, AnEmptyBatchGivesAnEmptyResult) {
  const auto model = Loaded(SmallNet());
  Session session;
  const auto outputs = RunModel(session, model, {Tensor(DataType::kFloat32, {0, 3, 8, 8})});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_EQ(ToString((*outputs)[0].shape()), "[0,5]");
}

TEST(SessionTest, PreparingTheSameShapesAgainGivesTheSameExecution) {
  const auto model = Loaded(SmallNet());
  Session session;
  const auto first = session.Prepare(model, {Shape{2, 3, 8, 8}});
  const auto other = session.Prepare(model, {Shape{1, 3, 8, 8}});
  const auto again = session.Prepare(model, {Shape{2, 3, 8, 8}});
  ASSERT_TRUE(first.ok() && other.ok() && again.ok());
  EXPECT_EQ(*first, *again);
  EXPECT_NE(*first, *other);
}

TEST(SessionTest, MoreShapesThanAreKeptStillComputeRight) {
  const auto model = Loaded(Times(3), {.max_plans = 2});
  Session session;
  for (int round = 0; round < 2; ++round) {
    for (int64_t batch = 1; batch <= 40; ++batch) {
      const auto outputs = RunModel(session, model, {Rows(batch, static_cast<float>(batch))});
      ASSERT_TRUE(outputs.ok()) << outputs.status();
      ASSERT_THAT(ValuesOf((*outputs)[0]), ElementsAreArray(ValuesOf(Rows(batch, static_cast<float>(3 * batch)))));
    }
  }
}

TEST(SessionTest, ModelsShareTheArena) {
  const auto one = Loaded(SmallNet()), two = Loaded(SmallNet());
  Session session;
  const Tensor x = RandomFloats({4, 3, 8, 8}, 1);
  const auto first = RunModel(session, one, {x});
  const size_t bytes = session.arena_bytes();
  const auto second = RunModel(session, two, {x});
  const auto third = RunModel(session, one, {x});
  ASSERT_TRUE(first.ok() && second.ok() && third.ok());
  EXPECT_EQ(session.arena_bytes(), bytes);
  EXPECT_EQ(ValuesOf((*first)[0]), ValuesOf((*second)[0]));
  EXPECT_EQ(ValuesOf((*first)[0]), ValuesOf((*third)[0]));
}

TEST(SessionTest, ForgetReleasesTheModelAndPrepareTakesItUpAgain) {
  auto model = Loaded(Times(2));
  Session session;
  ASSERT_TRUE(RunModel(session, model, {Rows(1, 1)}).ok());
  EXPECT_GT(model.use_count(), 1);
  session.Forget(*model);
  EXPECT_EQ(model.use_count(), 1);
  session.Forget(*model);  // twice is harmless
  EXPECT_TRUE(RunModel(session, model, {Rows(1, 1)}).ok());
}

TEST(SessionTest, ASessionKeepsItsModelsAlive) {
  Session session;
  auto model = Loaded(Times(2));
  const auto run = session.Prepare(model, {Shape{1, 4}});
  ASSERT_TRUE(run.ok());
  model.reset();
  (*run)->input(0).mutable_values<float>()[0] = 5;
  ASSERT_TRUE((*run)->Run().ok());
  EXPECT_EQ((*run)->output(0).values<float>()[0], 10);
}

TEST(SessionTest, ARowAloneEqualsTheRowInItsBatch) {
  const auto model = Loaded(SmallNet());
  Session session;
  constexpr int64_t kBatch = 7;
  const Tensor batch = RandomFloats({kBatch, 3, 8, 8}, 5);
  const auto together = RunModel(session, model, {batch});
  ASSERT_TRUE(together.ok()) << together.status();
  for (int64_t row = 0; row < kBatch; ++row) {
    Tensor x(DataType::kFloat32, {1, 3, 8, 8});
    std::memcpy(x.data(), batch.values<float>().data() + row * 192, x.num_bytes());
    const auto alone = RunModel(session, model, {x});
    ASSERT_TRUE(alone.ok()) << alone.status();
    for (int i = 0; i < 5; ++i) {  // sums in another order at most
      EXPECT_NEAR((*alone)[0].values<float>()[i], (*together)[0].values<float>()[row * 5 + i], 1e-5);
    }
  }
}

TEST(SessionTest, ARowDoesNotDependOnItsNeighbours) {
  const auto model = Loaded(SmallNet());
  Session session;
  Tensor one = RandomFloats({3, 3, 8, 8}, 5), two = RandomFloats({3, 3, 8, 8}, 6);
  std::memcpy(two.mutable_values<float>().data() + 192, one.values<float>().data() + 192, 192 * sizeof(float));
  const auto a = RunModel(session, model, {one}), b = RunModel(session, model, {two});
  ASSERT_TRUE(a.ok() && b.ok());
  for (int i = 5; i < 10; ++i) EXPECT_EQ((*a)[0].values<float>()[i], (*b)[0].values<float>()[i]);
}

TEST(SessionTest, ThreadsDoNotChangeResults) {
  const auto model = Loaded(SmallNet());
  Session one({.threads = 1}), two({.threads = 2});
  const Tensor x = RandomFloats({5, 3, 8, 8}, 9);
  const auto a = RunModel(one, model, {x}), b = RunModel(two, model, {x});
  ASSERT_TRUE(a.ok() && b.ok());
  ExpectClose((*b)[0], (*a)[0], kReordered);
}

// The case for the thread sanitizer: plans of one thread, for libgomp's threads look like races to it.
TEST(SessionTest, ManyThreadsEachWithItsSessionShareOneModel) {
  const auto model = Loaded(SmallNet(), {.max_plans = 2});
  std::vector<Tensor> inputs;
  std::vector<std::vector<float>> expected;
  Session session;
  for (int64_t batch = 1; batch <= 4; ++batch) {
    inputs.push_back(RandomFloats({batch, 3, 8, 8}, static_cast<uint32_t>(batch)));
    const auto outputs = RunModel(session, model, {inputs.back()});
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    expected.push_back(ValuesOf((*outputs)[0]));
  }
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      Session own;
      for (int i = 0; i < 40; ++i) {
        const int which = (i * (thread + 1)) % 4;
        const auto outputs = RunModel(own, model, {inputs[which]});
        if (!outputs.ok() || ValuesOf((*outputs)[0]) != expected[which]) ++wrong[thread];
        if (i % 10 == 9) own.Forget(*model);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

TEST(SessionTest, FreshShapesDoNotGatherWeightsForEver) {
  ModelMaker maker;  // the product's right-hand side is folded anew for every shape
  maker.Input("x", {-1, -1}).Output("y").Constant(Int64Tensor("width", {1}, {16}));
  maker.Node("Shape", {"x"}, {"s"}).Int("start", 1);
  maker.Node("Concat", {"s", "width"}, {"t"}).Int("axis", 0);
  maker.Node("ConstantOfShape", {"t"}, {"w"});
  maker.Node("MatMul", {"x", "w"}, {"y"});
  const auto model = Loaded(maker, {.max_plans = 2});
  Session session;
  size_t largest = 0;
  for (int64_t depth = 1; depth <= 128; ++depth) {
    ASSERT_TRUE(RunModel(session, model, {Tensor(DataType::kFloat32, {2, 64 + depth})}).ok());
    largest = std::max(largest, model->weight_bytes());
  }
  // A session keeps 16 executions; each packs at most 192 x 64 floats, padding included.
  EXPECT_LT(largest, size_t{17} * 192 * 64 * sizeof(float));
}

TEST(SessionTest, WorkingMemoryThatNoMachineHasIsRefused) {
  ModelMaker maker;
  maker.Input("x", {-1, 1}).Input("z", {1, -1}).Output("y");
  maker.Node("Add", {"x", "z"}, {"h"});
  maker.Node("Exp", {"h"}, {"y"});
  const auto model = Loaded(maker);
  Session session;
  EXPECT_FALSE(session.Prepare(model, {Shape{100000, 1}, Shape{1, 80000}}).ok());
  EXPECT_FALSE(session.Prepare(model, {Shape{int64_t{1} << 32, 1}, Shape{1, int64_t{1} << 32}}).ok());
  EXPECT_TRUE(session.Prepare(model, {Shape{3, 1}, Shape{1, 4}}).ok());
}

}  // namespace
}  // namespace tandem::engine
