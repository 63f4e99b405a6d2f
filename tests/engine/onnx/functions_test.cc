// Calls of functions that the file defines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

onnx::FunctionProto& AddFunction(ModelMaker& model, const std::string& name, const std::vector<std::string>& inputs,
                                 const std::vector<std::string>& outputs) {
  onnx::FunctionProto& function = *model.proto().add_functions();
  function.set_name(name);
  function.set_domain("mine");
  for (const std::string& input : inputs) function.add_input(input);
  for (const std::string& output : outputs) function.add_output(output);
  function.add_opset_import()->set_version(21);
  return function;
}

NodeMaker AddNode(onnx::FunctionProto& function, const std::string& op, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs, const std::string& domain = "") {
  onnx::NodeProto& node = *function.add_node();
  node.set_op_type(op);
  node.set_domain(domain);
  for (const std::string& input : inputs) node.add_input(input);
  for (const std::string& output : outputs) node.add_output(output);
  return NodeMaker(&node);
}

NodeMaker Call(ModelMaker& model, const std::string& name, const std::vector<std::string>& inputs,
               const std::vector<std::string>& outputs) {
  NodeMaker node = model.Node(name, inputs, outputs);
  node.proto().set_domain("mine");
  return node;
}

std::vector<float> RunOnce(const ModelMaker& model, const std::vector<float>& x) {
  const auto outputs = model.Run({Floats({static_cast<int64_t>(x.size())}, x)});
  EXPECT_TRUE(outputs.ok()) << outputs.status();
  return outputs.ok() ? ValuesOf((*outputs)[0]) : std::vector<float>();
}

std::string LoadError(const ModelMaker& model) { return std::string(model.Load().status().message()); }

TEST(FunctionsTest, CallsAreExpandedEachWithNamesOfItsOwn) {
  ModelMaker model;
  onnx::FunctionProto& function = AddFunction(model, "Twice", {"a"}, {"b"});
  AddNode(function, "Add", {"a", "a"}, {"x"});  // the name of the graph's input means something else here
  AddNode(function, "Identity", {"x"}, {"b"});
  model.Input("x", {2}).Output("y");
  Call(model, "Twice", {"x"}, {"h"});
  Call(model, "Twice", {"h"}, {"y"});
  EXPECT_THAT(RunOnce(model, {1, 2}), ElementsAre(4, 8));
}

TEST(FunctionsTest, AttributesComeFromTheCall) {
  ModelMaker model;
  onnx::FunctionProto& function = AddFunction(model, "Leak", {"a"}, {"b"});
  AddNode(function, "LeakyRelu", {"a"}, {"b"}).Reference("alpha", onnx::AttributeProto::FLOAT, "slope");
  model.Input("x", {2}).Output("y");
  Call(model, "Leak", {"x"}, {"y"}).Float("slope", 0.5f);
  EXPECT_THAT(RunOnce(model, {-2, 2}), ElementsAre(-1, 2));
}

TEST(FunctionsTest, InputsLeftOutAreAbsentInTheBody) {
  ModelMaker model;
  onnx::FunctionProto& function = AddFunction(model, "Bound", {"a", "low", "high"}, {"b"});
  AddNode(function, "Clip", {"a", "low", "high"}, {"b"});
  model.Input("x", {3}).Output("y").Constant(FloatTensor("one", {}, {1}));
  Call(model, "Bound", {"x", "", "one"}, {"y"});
  EXPECT_THAT(RunOnce(model, {-5, 0.5f, 5}), ElementsAre(-5, 0.5f, 1));
}

TEST(FunctionsTest, SubgraphsOfTheBodySeeTheFunctionsNamesAndAttributes) {
  ModelMaker model;
  onnx::FunctionProto& function = AddFunction(model, "Choose", {"c", "a"}, {"b"});
  SubgraphMaker plus, minus;
  plus.Output("p");
  plus.Node("LeakyRelu", {"a"}, {"p"}).Reference("alpha", onnx::AttributeProto::FLOAT, "slope");
  minus.Output("m");
  minus.Node("Neg", {"a"}, {"m"});
  AddNode(function, "If", {"c"}, {"b"}).Graph("then_branch", plus.graph()).Graph("else_branch", minus.graph());
  model.Input("x", {2}).Input("flag", {}, onnx::TensorProto::BOOL).Output("y");
  Call(model, "Choose", {"flag", "x"}, {"y"}).Float("slope", 0.25f);
  const auto then = model.Run({Floats({2}, {-4, 1}), Truth(true)});
  ASSERT_TRUE(then.ok()) << then.status();
  EXPECT_THAT(ValuesOf((*then)[0]), ElementsAre(-1, 1));
  const auto otherwise = model.Run({Floats({2}, {-4, 1}), Truth(false)});
  ASSERT_TRUE(otherwise.ok()) << otherwise.status();
  EXPECT_THAT(ValuesOf((*otherwise)[0]), ElementsAre(4, -1));
}

TEST(FunctionsTest, TwoOutputsMayBeOneValue) {
  ModelMaker model;
  onnx::FunctionProto& function = AddFunction(model, "Fork", {"a"}, {"b", "b"});
  AddNode(function, "Neg", {"a"}, {"b"});
  model.Input("x", {1}).Output("first").Output("second");
  Call(model, "Fork", {"x"}, {"first", "second"});
  const auto loaded = model.Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)->outputs()[0].name, "first");
  EXPECT_EQ((*loaded)->outputs()[1].name, "second");
}

TEST(FunctionsTest, ABodySeesNothingOfItsCaller) {
  ModelMaker model;
  onnx::FunctionProto& function = AddFunction(model, "Peek", {"a"}, {"b"});
  AddNode(function, "Add", {"a", "w"}, {"b"});
  model.Input("x", {2}).Output("y").Constant(FloatTensor("w", {2}, {1, 2}));
  Call(model, "Peek", {"x"}, {"y"});
  EXPECT_THAT(LoadError(model), HasSubstr("'w'"));
}

TEST(FunctionsTest, OutputsThatTheBodyDoesNotMakeAreRefused) {
  ModelMaker absent;
  AddNode(AddFunction(absent, "Lose", {"a"}, {"b"}), "Neg", {"a"}, {"c"});
  absent.Input("x", {2}).Output("y");
  Call(absent, "Lose", {"x"}, {"y"});
  EXPECT_THAT(LoadError(absent), HasSubstr("'b'"));
  ModelMaker left_out;  // the output is an optional input that nobody gave
  AddNode(AddFunction(left_out, "Pass", {"a", "b"}, {"b"}), "Neg", {"a"}, {"c"});
  left_out.Input("x", {2}).Output("y");
  Call(left_out, "Pass", {"x"}, {"y"});
  EXPECT_THAT(LoadError(left_out), HasSubstr("'y'"));
}

TEST(FunctionsTest, RecursionIsRefused) {
  ModelMaker model;
  AddNode(AddFunction(model, "Again", {"a"}, {"b"}), "Again", {"a"}, {"b"}, "mine");
  model.Input("x", {2}).Output("y");
  Call(model, "Again", {"x"}, {"y"});
  EXPECT_THAT(LoadError(model), HasSubstr("too deeply"));
}

TEST(FunctionsTest, CallsThatMultiplyAreRefusedSoon) {
  ModelMaker model;
  constexpr int kLevels = 30;  // 2^30 nodes when expanded
  for (int i = 0; i < kLevels; ++i) {
    onnx::FunctionProto& function = AddFunction(model, absl::StrCat("F", i), {"a"}, {"b"});
    const bool last = i + 1 == kLevels;
    const std::string next = last ? "Neg" : absl::StrCat("F", i + 1);
    AddNode(function, next, {"a"}, {"h"}, last ? "" : "mine");
    AddNode(function, next, {"h"}, {"b"}, last ? "" : "mine");
  }
  model.Input("x", {2}).Output("y");
  Call(model, "F0", {"x"}, {"y"});
  EXPECT_THAT(LoadError(model), HasSubstr("too many nodes"));
}

TEST(FunctionsTest, ACallWithTooManyArgumentsIsRefused) {
  ModelMaker model;
  AddNode(AddFunction(model, "One", {"a"}, {"b"}), "Neg", {"a"}, {"b"});
  model.Input("x", {2}).Output("y");
  Call(model, "One", {"x", "x"}, {"y"});
  EXPECT_THAT(LoadError(model), HasSubstr("1 inputs"));
}

}  // namespace
}  // namespace tandem::engine
