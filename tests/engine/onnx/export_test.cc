// Export: what is written reads back as what it was, and computes the same.
#include "engine/onnx/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/onnx/import.h"
#include "tests/engine/graph_maker.h"
#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Graph Import(const ModelMaker& model) {
  auto graph = ImportOnnxBytes(model.Bytes(), "");
  EXPECT_TRUE(graph.ok()) << graph.status();
  return *std::move(graph);
}

onnx::ModelProto Exported(const Graph& graph, const ExportOptions& options = {}) {
  const auto bytes = ExportOnnxBytes(graph, options);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromString(*bytes));
  return proto;
}

std::vector<std::string> Operators(const onnx::ModelProto& proto) {
  std::vector<std::string> ops;
  for (const auto& node : proto.graph().node()) ops.push_back(node.op_type());
  return ops;
}

std::vector<Tensor> RunBytes(const std::string& bytes, const std::vector<Tensor>& inputs) {
  const TemporaryFolder folder;
  const auto model = Model::Load(folder.Write("model.onnx", bytes));
  EXPECT_TRUE(model.ok()) << model.status();
  Session session;
  auto outputs = RunModel(session, *model, inputs);
  EXPECT_TRUE(outputs.ok()) << outputs.status();
  return *std::move(outputs);
}

// Imports, exports, and runs both files.
void ExpectSameAfterRoundTrip(const ModelMaker& model, const std::vector<Tensor>& inputs) {
  const std::string bytes = Exported(Import(model)).SerializeAsString();
  const auto before = RunBytes(model.Bytes(), inputs), after = RunBytes(bytes, inputs);
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) ExpectClose(after[i], before[i], 1e-6);
}

TEST(ExportTest, NamesTypesAndDimensionsOfInputsAndOutputsAreKept) {
  ModelMaker model;
  model.Input("pixels", {-1, 4}).Output("scores");
  model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_dim_param(
      "N");
  model.Node("Relu", {"pixels"}, {"scores"});
  const auto proto = Exported(Import(model), {.metadata = {{"method", "integer"}}});
  ASSERT_EQ(proto.graph().input_size(), 1);
  EXPECT_EQ(proto.graph().input(0).name(), "pixels");
  const auto& shape = proto.graph().input(0).type().tensor_type().shape();
  EXPECT_EQ(shape.dim(0).dim_param(), "N");
  EXPECT_EQ(shape.dim(1).dim_value(), 4);
  EXPECT_EQ(proto.graph().output(0).name(), "scores");
  EXPECT_EQ(proto.producer_name(), "tandem");
  EXPECT_EQ(proto.metadata_props(0).value(), "integer");
  EXPECT_EQ(proto.opset_import(0).version(), 21);
}

TEST(ExportTest, EveryKindOfAttributeAndConstantComesBack) {
  ModelMaker model;
  model.Input("x", {1, 2, 4, 4}).Output("y");
  model.Constant(FloatTensor("w", {2, 2, 3, 3}, std::vector<float>(36, 0.25f)));
  model.Constant(Int64Tensor("shape", {2}, {1, -1}));
  model.Node("Conv", {"x", "w"}, {"c"}).Ints("pads", {1, 1, 1, 1}).String("auto_pad", "NOTSET").Int("group", 1);
  model.Node("LeakyRelu", {"c"}, {"l"}).Float("alpha", 0.3f);
  model.Node("Reshape", {"l", "shape"}, {"y"});
  ExpectSameAfterRoundTrip(model, {RandomFloats({1, 2, 4, 4}, 1)});
}

TEST(ExportTest, OldSoftmaxOverSeveralDimensionsIsSpelledOut) {
  ModelMaker model(9);
  model.Input("x", {2, 3, 4}).Output("y");
  model.Node("Softmax", {"x"}, {"y"});
  ExpectSameAfterRoundTrip(model, {RandomFloats({2, 3, 4}, 1)});
}

TEST(ExportTest, SwishIsWrittenAsAProduct) {
  for (const float alpha : {1.0f, 1.7f}) {
    GraphMaker maker;
    const ValueId x = maker.Input({2, 3});
    maker.Output(maker.Op("Swish", {x}, With("alpha", alpha)));
    const auto proto = Exported(maker.graph);
    EXPECT_THAT(Operators(proto), Not(Contains("Swish")));
    const std::vector<Tensor> inputs = InputsOf(maker.graph);
    ExpectClose(RunBytes(proto.SerializeAsString(), inputs)[0], (*Evaluate(maker.graph, inputs))[0], 1e-6);
  }
}

TEST(ExportTest, ChannelShuffleIsWrittenAsATransposition) {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 6, 3, 2});
  maker.Output(maker.Op("tandem.ChannelShuffle", {x}, With("groups", int64_t{3})));
  const auto proto = Exported(maker.graph);
  EXPECT_THAT(Operators(proto), ElementsAre("Reshape", "Transpose", "Reshape"));
  const std::vector<Tensor> inputs = InputsOf(maker.graph);
  ExpectClose(RunBytes(proto.SerializeAsString(), inputs)[0], (*Evaluate(maker.graph, inputs))[0], 0);
}

TEST(ExportTest, SubgraphsReadWhatTheyCapture) {
  // y = cond ? x + w : x, where x and w come from outside.
  SubgraphMaker then_branch, else_branch;
  then_branch.Output("sum");
  then_branch.Node("Add", {"h", "w"}, {"sum"});
  else_branch.Output("same");
  else_branch.Node("Identity", {"h"}, {"same"});
  ModelMaker model;
  model.Input("x", {2}).Input("cond", {}, onnx::TensorProto::BOOL).Output("y");
  model.Constant(FloatTensor("w", {2}, {10, 20}));
  model.Node("Relu", {"x"}, {"h"});
  model.Node("If", {"cond"}, {"y"}).Graph("then_branch", then_branch.graph()).Graph("else_branch", else_branch.graph());
  for (const bool taken : {true, false}) ExpectSameAfterRoundTrip(model, {Floats({2}, {1, -2}), Truth(taken)});
}

TEST(ExportTest, NamesThatTwoScopesShareAreToldApart) {
  // Both branches call their result "h", as the graph around them calls what they capture.
  SubgraphMaker branch;
  branch.Output("r");
  branch.Node("Neg", {"h"}, {"n"});
  branch.Node("Relu", {"n"}, {"r"});
  ModelMaker model;
  model.Input("x", {2}).Input("cond", {}, onnx::TensorProto::BOOL).Output("y");
  model.Node("Abs", {"x"}, {"h"});
  model.Node("If", {"cond"}, {"y"}).Graph("then_branch", branch.graph()).Graph("else_branch", branch.graph());
  const auto proto = Exported(Import(model));
  std::set<std::string> names;
  for (const auto& attribute : proto.graph().node(1).attribute()) {
    for (const auto& node : attribute.g().node()) EXPECT_TRUE(names.insert(node.output(0)).second) << node.output(0);
  }
  ExpectSameAfterRoundTrip(model, {Floats({2}, {1, -2}), Truth(true)});
}

TEST(ExportTest, NodesOfOneNameAreToldApart) {
  ModelMaker model;
  model.Input("x", {2}).Output("y");
  model.Node("Neg", {"x"}, {"h"}).proto().set_name("same");
  model.Node("Relu", {"h"}, {"y"}).proto().set_name("same");
  const auto proto = Exported(Import(model));
  EXPECT_NE(proto.graph().node(0).name(), proto.graph().node(1).name());
}

TEST(ExportTest, FusedNodesAndOperatorsWithoutAFormAreRefusedByName) {
  GraphMaker maker;
  const ValueId x = maker.Input({2, 2});
  const ValueId y = maker.Op("Relu", {x});
  maker.Output(y);
  maker.graph.mutable_node(maker.graph.value(y).producer).name = "act";
  maker.graph.mutable_node(maker.graph.value(y).producer).post_ops.push_back({.op = "Abs"});
  EXPECT_THAT(std::string(ExportOnnxBytes(maker.graph).status().message()), HasSubstr("act"));
}

}  // namespace
}  // namespace tandem::engine
