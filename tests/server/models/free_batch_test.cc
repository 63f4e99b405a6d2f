#include "server/models/free_batch.h"

#include <gtest/gtest.h>

#include <cstring>

#include "server/models/load_variant.h"
#include "tests/engine/model_maker.h"

namespace tandem::models {
namespace {

using engine::Int64Tensor;
using engine::ModelMaker;
using engine::Shape;
using engine::Tensor;

// A file whose input "x" and output "y" have these shapes.
class FreeBatch : public ::testing::Test {
 protected:
  ModelMaker& Maker(const std::vector<int64_t>& input, const std::vector<int64_t>& output) {
    maker_.Input("x", input);
    ModelMaker declared;
    declared.Input("y", output);
    *maker_.graph().add_output() = declared.graph().input(0);
    return maker_;
  }
  std::shared_ptr<const engine::Model> Load() {
    const auto model = LoadFreeingBatch(folder_.Write("model.onnx", maker_.Bytes()));
    EXPECT_TRUE(model.ok()) << model.status();
    return model.ok() ? *model : nullptr;
  }
  static std::vector<float> Run(const std::shared_ptr<const engine::Model>& model, const Tensor& x) {
    engine::Session session;
    const auto run = session.Prepare(model, {x.shape()});
    EXPECT_TRUE(run.ok()) << run.status();
    if (!run.ok()) return {};
    std::memcpy((*run)->input(0).data(), x.data(), x.num_bytes());
    EXPECT_TRUE((*run)->Run().ok());
    const auto y = (*run)->output(0).values<float>();
    return {y.begin(), y.end()};
  }

  const engine::TemporaryFolder folder_;
  ModelMaker maker_;
};

TEST_F(FreeBatch, ShapesThatNameOneRowTakeAny) {
  Maker({1, 2, 2}, {1, 4}).Constant(Int64Tensor("one row", {2}, {1, -1})).Node("Relu", {"x"}, {"h"});
  maker_.Node("Reshape", {"h", "one row"}, {"y"});
  const auto model = Load();
  ASSERT_TRUE(model != nullptr && model->batch_is_free() && model->batch_was_freed());
  EXPECT_EQ(model->inputs()[0].shape, (Shape{engine::kUnknownDim, 2, 2}));
  EXPECT_EQ(Run(model, Tensor::Of<float>({2, 2, 2}, {1, -2, 3, 4, -5, 6, 7, 8})),
            (std::vector<float>{1, 0, 3, 4, 0, 6, 7, 8}));
}

TEST_F(FreeBatch, RowsThatTouchStayAlone) {
  Maker({1, 2}, {1, 2}).Node("Softmax", {"x"}, {"y"}).Int("axis", 0);
  const auto model = Load();
  ASSERT_TRUE(model != nullptr);
  EXPECT_FALSE(model->batch_is_free());
  EXPECT_EQ(Run(model, Tensor::Of<float>({1, 2}, {3, 4})), (std::vector<float>{1, 1}));
}

TEST_F(FreeBatch, WhatCannotTakeMoreStaysAsItIs) {
  Maker({1, 2}, {1, 4}).Constant(Int64Tensor("flat", {1}, {2})).Constant(Int64Tensor("shape", {2}, {1, 2}));
  maker_.Node("Reshape", {"x", "flat"}, {"row"});
  maker_.Node("Reshape", {"row", "shape"}, {"again"});
  maker_.Node("Concat", {"again", "again"}, {"y"}).Int("axis", 1);
  const auto model = Load();
  ASSERT_TRUE(model != nullptr);
  EXPECT_FALSE(model->batch_is_free());
  EXPECT_EQ(Run(model, Tensor::Of<float>({1, 2}, {3, 4})), (std::vector<float>{3, 4, 3, 4}));
}

TEST_F(FreeBatch, OtherBatchesThanOneAreMeant) {
  Maker({2, 2}, {2, 2}).Node("Relu", {"x"}, {"y"});
  const auto model = Load();
  ASSERT_TRUE(model != nullptr);
  EXPECT_FALSE(model->batch_is_free());
}

TEST_F(FreeBatch, TheSiblingFollows) {
  Maker({1, 2}, {1, 2}).Node("Relu", {"x"}, {"y"});
  const auto fp32 = WarmUpFp32(Load(), {});
  ASSERT_TRUE(fp32.ok() && fp32->variant->shares_batch);
  ModelMaker sibling;
  sibling.Input("x", {1, 2}).Constant(engine::FloatTensor("scale", {}, {0.5}));
  *sibling.graph().add_output() = maker_.graph().output(0);
  sibling.Node("QuantizeLinear", {"x", "scale"}, {"q"});
  sibling.Node("DequantizeLinear", {"q", "scale"}, {"d"});
  sibling.Node("Relu", {"d"}, {"y"});
  const auto int8 = LoadInt8(folder_.Write("int8.onnx", sibling.Bytes()), *fp32->variant, {});
  ASSERT_TRUE(int8.ok()) << int8.status();
  EXPECT_TRUE(int8->variant->shares_batch);
}

}  // namespace
}  // namespace tandem::models
