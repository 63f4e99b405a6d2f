// Every rewrite of an older operator set, by what the model then computes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::FloatNear;
using ::testing::HasSubstr;

// The result of a model of one node, from "x" (and constants) to "y".
class OneNode {
 public:
  OneNode(int opset, const std::string& op, const std::vector<std::string>& inputs = {"x"})
      : model(opset), node(model.Node(op, inputs, {"y"})) {
    model.Output("y");
  }
  Tensor Run(const Tensor& x) {
    model.Input("x", {x.shape().begin(), x.shape().end()});
    const auto outputs = model.Run({x});
    EXPECT_TRUE(outputs.ok()) << outputs.status();
    return outputs.ok() ? (*outputs)[0] : Tensor();
  }
  std::vector<float> Values(const Tensor& x) {
    const Tensor y = Run(x);
    return y.defined() ? ValuesOf(y) : std::vector<float>();
  }
  void MoreOutputs(const std::vector<std::string>& names) {
    for (const std::string& name : names) node.proto().add_output(name);
  }

  ModelMaker model;
  NodeMaker node;
};

Tensor Six() { return Floats({1, 2, 3}, {1, 2, 3, 4, 5, 6}); }

TEST(NormalizeTest, AxesOfSqueezeAndUnsqueezeWereAttributes) {
  OneNode squeeze(11, "Squeeze"), unsqueeze(11, "Unsqueeze");
  squeeze.node.Ints("axes", {0});
  EXPECT_EQ(ToString(squeeze.Run(Six()).shape()), "[2,3]");
  unsqueeze.node.Ints("axes", {0, 4});
  EXPECT_EQ(ToString(unsqueeze.Run(Six()).shape()), "[1,1,2,3,1]");
}

TEST(NormalizeTest, AxesOfReductionsWereAttributes) {
  OneNode sum(11, "ReduceSum");
  sum.node.Ints("axes", {2}).Int("keepdims", 0);
  EXPECT_THAT(sum.Values(Six()), ElementsAre(6, 15));
  for (const char* op : {"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare", "ReduceL1",
                         "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"}) {
    OneNode reduce(13, op);
    reduce.node.Ints("axes", {2});
    EXPECT_EQ(ToString(reduce.Run(Six()).shape()), "[1,2,1]") << op;
  }
  OneNode maximum(17, "ReduceMax");
  maximum.node.Ints("axes", {1});
  EXPECT_THAT(maximum.Values(Six()), ElementsAre(4, 5, 6));
  OneNode all(13, "ReduceSum");
  EXPECT_THAT(all.Values(Six()), ElementsAre(21));
}

TEST(NormalizeTest, SplitTakesSizesFromItsAttributeOrHalves) {
  OneNode sizes(11, "Split");
  sizes.node.Int("axis", 2).Ints("split", {1, 2});
  sizes.MoreOutputs({"rest"});
  EXPECT_EQ(ToString(sizes.Run(Six()).shape()), "[1,2,1]");
  OneNode halves(13, "Split");
  halves.node.Int("axis", 1);
  halves.MoreOutputs({"rest"});
  EXPECT_THAT(halves.Values(Six()), ElementsAre(1, 2, 3));
}

TEST(NormalizeTest, SliceHadAttributes) {
  OneNode slice(9, "Slice");
  slice.node.Ints("starts", {0, 1}).Ints("ends", {1, 1000}).Ints("axes", {1, 2});
  EXPECT_THAT(slice.Values(Six()), ElementsAre(2, 3));
  OneNode without_axes(9, "Slice");
  without_axes.node.Ints("starts", {0, 1}).Ints("ends", {1, 2});
  EXPECT_THAT(without_axes.Values(Six()), ElementsAre(4, 5, 6));
}

TEST(NormalizeTest, PadHadAttributes) {
  OneNode pad(10, "Pad");
  pad.node.Ints("pads", {0, 0, 1, 0, 0, 0}).Float("value", 7);
  EXPECT_THAT(pad.Values(Six()), ElementsAre(7, 1, 2, 3, 7, 4, 5, 6));
}

TEST(NormalizeTest, ClipHadAttributes) {
  OneNode both(7, "Clip"), high(10, "Clip");
  both.node.Float("min", 2).Float("max", 4);
  EXPECT_THAT(both.Values(Six()), ElementsAre(2, 2, 3, 4, 4, 4));
  high.node.Float("max", 3);
  EXPECT_THAT(high.Values(Six()), ElementsAre(1, 2, 3, 3, 3, 3));
}

TEST(NormalizeTest, TopKHadItsCountAsAttribute) {
  OneNode top(9, "TopK");
  top.node.Int("k", 2);
  top.MoreOutputs({"indices"});
  EXPECT_THAT(top.Values(Six()), ElementsAre(3, 2, 6, 5));
}

TEST(NormalizeTest, DropoutPassesItsInput) {
  OneNode dropout(10, "Dropout");
  dropout.node.Float("ratio", 0.9f);
  EXPECT_THAT(dropout.Values(Six()), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(NormalizeTest, UpsampleAndTheFirstResizeRoundDown) {
  const Tensor image = Floats({1, 1, 1, 3}, {1, 2, 3});
  OneNode attribute(8, "Upsample");
  attribute.node.Floats("scales", {1, 1, 1, 2}).String("mode", "nearest");
  EXPECT_THAT(attribute.Values(image), ElementsAre(1, 1, 2, 2, 3, 3));
  OneNode input(9, "Upsample", {"x", "s"});
  input.model.Constant(FloatTensor("s", {4}, {1, 1, 1, 2}));
  EXPECT_THAT(input.Values(image), ElementsAre(1, 1, 2, 2, 3, 3));
  OneNode resize(10, "Resize", {"x", "s"});
  resize.model.Constant(FloatTensor("s", {4}, {1, 1, 1, 1.4f}));
  EXPECT_THAT(resize.Values(image), ElementsAre(1, 1, 2, 3));
  OneNode linear(9, "Upsample", {"x", "s"});
  linear.node.String("mode", "linear");
  linear.model.Constant(FloatTensor("s", {4}, {1, 1, 1, 2}));
  EXPECT_THAT(linear.Values(image), ElementsAre(1, 1.5f, 2, 2.5f, 3, 3));
}

TEST(NormalizeTest, SoftmaxRanOverAllThatFollowsItsAxis) {
  const Tensor x = Floats({1, 2, 2}, {0, 0, 0, 0});
  OneNode old(12, "Softmax"), fresh(13, "Softmax"), hard(11, "Hardmax"), logarithm(11, "LogSoftmax");
  EXPECT_THAT(old.Values(x), Each(0.25f));
  EXPECT_THAT(fresh.Values(x), Each(0.5f));
  EXPECT_THAT(hard.Values(x), ElementsAre(1, 0, 0, 0));
  logarithm.node.Int("axis", 2);
  EXPECT_THAT(logarithm.Values(x), Each(FloatNear(-0.6931472f, 1e-5f)));
}

TEST(NormalizeTest, GroupNormalizationScaledPerGroup) {
  const auto run = [](int opset, int64_t parameters) {
    OneNode group_norm(opset, "GroupNormalization", {"x", "s", "b"});
    group_norm.node.Int("num_groups", 2);
    std::vector<float> scale, shift;
    for (int64_t i = 0; i < parameters; ++i) {
      const float group = i * 2 / parameters == 0 ? 0 : 1;
      scale.push_back(1 + group);
      shift.push_back(10 * group);
    }
    group_norm.model.Constant(FloatTensor("s", {parameters}, scale)).Constant(FloatTensor("b", {parameters}, shift));
    return group_norm.Values(Floats({1, 4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  };
  const std::vector<float> per_group = run(18, 2), per_channel = run(21, 4);
  ASSERT_EQ(per_group.size(), 8u);
  EXPECT_THAT(per_group, ElementsAreArray(per_channel));
  EXPECT_GT(per_group[4], 5);
}

TEST(NormalizeTest, BatchNormalizationKeepsOnlyTheOutputsOfItsMode) {
  OneNode batch_norm(8, "BatchNormalization", {"x", "p", "p", "p", "p"});
  batch_norm.MoreOutputs({"mean", "variance", "saved_mean", "saved_variance"});
  batch_norm.model.Constant(FloatTensor("p", {2}, {1, 1}));
  const std::vector<float> values = batch_norm.Values(Six());
  ASSERT_EQ(values.size(), 6u);
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(values[i], i + 1, 1e-4);
  ModelMaker spatial(8);
  spatial.Input("x", {1, 2, 3}).Output("y").Constant(FloatTensor("p", {2}, {1, 1}));
  spatial.Node("BatchNormalization", {"x", "p", "p", "p", "p"}, {"y"}).Int("spatial", 0);
  EXPECT_THAT(std::string(spatial.Load().status().message()), HasSubstr("spatial"));
}

TEST(NormalizeTest, ScatterIsScatterElements) {
  OneNode scatter(10, "Scatter", {"x", "i", "u"});
  scatter.node.Int("axis", 2);
  scatter.model.Constant(Int64Tensor("i", {1, 1, 1}, {1})).Constant(FloatTensor("u", {1, 1, 1}, {9}));
  EXPECT_THAT(scatter.Values(Six()), ElementsAre(1, 9, 3, 4, 5, 6));
}

TEST(NormalizeTest, WhatAsksForHalvesGetsFloat32Inside) {
  OneNode cast(13, "Cast");
  cast.node.Int("to", onnx::TensorProto::FLOAT16);
  EXPECT_EQ(cast.Run(Six()).type(), DataType::kFloat32);
}

TEST(NormalizeTest, SumOfTwoIsAdd) {
  OneNode sum(8, "Sum", {"x", "x"});
  EXPECT_THAT(sum.Values(Six()), ElementsAre(2, 4, 6, 8, 10, 12));
}

TEST(NormalizeTest, QuantizationByTheOperatorsOfOnnxRuntimeIsOnnx) {
  OneNode quantize(17, "QuantizeLinear", {"x", "scale", "zero"});
  quantize.node.proto().set_domain("com.microsoft");
  quantize.model.Constant(FloatTensor("scale", {}, {0.5f}));
  onnx::TensorProto zero;
  zero.set_name("zero");
  zero.set_data_type(onnx::TensorProto::UINT16);
  zero.add_int32_data(1000);
  quantize.model.Constant(zero);
  const Tensor y = quantize.Run(Floats({2}, {-1, 30000}));
  ASSERT_EQ(y.type(), DataType::kUInt16);
  EXPECT_THAT(y.values<uint16_t>(), ElementsAre(998, 61000));
}

TEST(NormalizeTest, QuantizedImagesWithChannelsLastAreRefused) {
  OneNode pool(17, "QLinearGlobalAveragePool");
  pool.node.Int("channels_last", 1).proto().set_domain("com.microsoft");
  pool.model.Input("x", {1, 2, 2, 3}, onnx::TensorProto::UINT8);
  const absl::Status status = pool.model.Load().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("channels_last = 1"));
}

TEST(NormalizeTest, NodesWithoutWhatARewriteLooksForAreRefused) {
  for (const char* op :
       {"Squeeze", "Unsqueeze", "ReduceSum", "ReduceMean", "Split", "Slice", "Pad", "Clip", "TopK", "Dropout",
        "Upsample", "Resize", "Softmax", "GroupNormalization", "BatchNormalization", "Scatter", "Sum", "DFT"}) {
    for (int opset : {7, 9, 10, 11, 12, 13, 17, 18, 20, 21}) {
      for (const std::vector<std::string>& inputs : {std::vector<std::string>{}, std::vector<std::string>{"", "x"}}) {
        ModelMaker model(opset);
        model.Input("x", {2}).Output("y");
        model.Node(op, inputs, {"y"});
        EXPECT_FALSE(model.Load().ok()) << op << " in " << opset << " of " << inputs.size() << " inputs";
      }
    }
  }
}

}  // namespace
}  // namespace tandem::engine
