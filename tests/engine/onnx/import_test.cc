// What import does with files that are right, damaged or hostile.
#include "engine/onnx/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::Status ErrorOf(const ModelMaker& model) { return ImportOnnxBytes(model.Bytes(), "").status(); }
std::string MessageOf(const ModelMaker& model) { return std::string(ErrorOf(model).message()); }

ModelMaker SmallModel() {
  ModelMaker model;
  model.Input("x", {-1, 2}).Output("y").Constant(FloatTensor("w", {2, 2}, {1, 2, 3, 4}));
  model.Node("MatMul", {"x", "w"}, {"h"});
  model.Node("Relu", {"h"}, {"y"});
  return model;
}

TEST(ImportTest, TruncationsAreRefusedWhereverTheyCutAField) {
  const std::string bytes = SmallModel().Bytes();
  ASSERT_TRUE(ImportOnnxBytes(bytes, "").ok());
  int refused = 0;
  for (size_t length = 0; length < bytes.size(); ++length) {
    if (!ImportOnnxBytes(absl::string_view(bytes).substr(0, length), "").ok()) ++refused;
  }
  // Only a cut between two fields of the model itself leaves a message: the operator set comes last.
  EXPECT_GE(refused, static_cast<int>(bytes.size()) - 1);
}

TEST(ImportTest, NamesTheFileInErrors) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("broken.onnx", "no model");
  EXPECT_THAT(std::string(ImportOnnxFile(path).status().message()), HasSubstr("broken.onnx"));
  EXPECT_EQ(ImportOnnxFile((folder.path() / "absent.onnx").string()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(ImportOnnxFile(folder.path().string()).ok());
}

TEST(ImportTest, RefusesAModelWithoutGraph) { EXPECT_FALSE(ImportOnnxBytes("", "").ok()); }

TEST(ImportTest, RefusesACycle) {
  ModelMaker model;
  model.Input("x", {2}).Output("y");
  model.Node("Add", {"x", "b"}, {"a"});
  model.Node("Relu", {"a"}, {"b"});
  model.Node("Relu", {"b"}, {"y"});
  EXPECT_FALSE(ErrorOf(model).ok());
}

TEST(ImportTest, NamesWhatNothingProduces) {
  ModelMaker model;
  model.Input("x", {2}).Output("y");
  model.Node("Add", {"x", "ghost"}, {"y"});
  EXPECT_THAT(MessageOf(model), HasSubstr("ghost"));
  ModelMaker without_output;
  without_output.Input("x", {2}).Output("nowhere");
  EXPECT_THAT(MessageOf(without_output), HasSubstr("nowhere"));
}

TEST(ImportTest, RefusesNamesThatAreDefinedTwice) {
  ModelMaker nodes;
  nodes.Input("x", {2}).Output("y");
  nodes.Node("Relu", {"x"}, {"y"});
  nodes.Node("Abs", {"x"}, {"y"});
  EXPECT_THAT(MessageOf(nodes), HasSubstr("'y' is produced twice"));
  ModelMaker inputs;
  inputs.Input("x", {2}).Input("x", {3}).Output("y");
  inputs.Node("Relu", {"x"}, {"y"});
  EXPECT_THAT(MessageOf(inputs), HasSubstr("'x' is produced twice"));
}

TEST(ImportTest, AnInitializerMayBeListedAsAnInputToo) {
  ModelMaker model = SmallModel();
  model.Input("w", {2, 2});
  const auto graph = ImportOnnxBytes(model.Bytes(), "");
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->inputs().size(), 1u);
}

TEST(ImportTest, AnInputMayBeAnOutputToo) {
  ModelMaker model;
  model.Input("x", {2}).Output("x");
  const auto outputs = model.Run({Floats({2}, {1, 2})});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(ValuesOf((*outputs)[0]), ElementsAre(1, 2));
}

TEST(ImportTest, AnOutputListedTwiceIsThereTwice) {
  ModelMaker model;
  model.Input("x", {2}).Output("y").Output("y");
  model.Node("Relu", {"x"}, {"y"});
  const auto outputs = model.Run({Floats({2}, {-1, 2})});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(ValuesOf((*outputs)[0]), ElementsAre(0, 2));
  EXPECT_THAT(ValuesOf((*outputs)[1]), ElementsAre(0, 2));
}

TEST(ImportTest, RefusesUnknownOperatorsByName) {
  ModelMaker model;
  model.Input("x", {2}).Output("y");
  model.Node("Frobnicate", {"x"}, {"y"});
  EXPECT_THAT(std::string(model.Load().status().message()), HasSubstr("Frobnicate"));
}

TEST(ImportTest, RefusesNegativeAndHugeDimensions) {
  const auto with_weights = [](const onnx::TensorProto& weights) {
    ModelMaker model;
    model.Input("x", {2}).Output("y").Constant(weights);
    model.Node("Add", {"x", "w"}, {"y"});
    return MessageOf(model);
  };
  EXPECT_THAT(with_weights(FloatTensor("w", {-2}, {1, 2})), HasSubstr("'w'"));
  EXPECT_THAT(with_weights(FloatTensor("w", {int64_t{1} << 40, int64_t{1} << 40}, {1})), HasSubstr("'w'"));
  // A zero must not hide dimensions whose product overflows.
  EXPECT_THAT(with_weights(FloatTensor("w", {0, int64_t{1} << 62, int64_t{1} << 62}, {})), HasSubstr("'w'"));
  ModelMaker input;
  input.Input("x", {int64_t{1} << 40, int64_t{1} << 40}).Output("y");
  input.Node("Relu", {"x"}, {"y"});
  EXPECT_THAT(MessageOf(input), HasSubstr("'x'"));
}

TEST(ImportTest, AClaimOfTwoGigabytesInASmallFileIsRefusedBeforeMemoryIsTaken) {
  ModelMaker model;
  onnx::TensorProto tensor = FloatTensor("w", {1 << 29}, {});
  tensor.set_raw_data("abcd");
  model.Input("x", {2}).Output("y").Constant(tensor);
  model.Node("Add", {"x", "w"}, {"y"});
  EXPECT_THAT(MessageOf(model), HasSubstr("'w'"));
}

TEST(ImportTest, RefusesSubgraphsNestedTooDeeply) {
  SubgraphMaker innermost;
  innermost.Output("leaf");
  innermost.Node("Relu", {"x"}, {"leaf"});
  onnx::GraphProto inner = innermost.graph();
  for (int depth = 0; depth < 40; ++depth) {
    SubgraphMaker outer;
    const std::string result = absl::StrCat("r", depth);
    outer.Output(result);
    outer.Node("If", {"c"}, {result}).Graph("then_branch", inner).Graph("else_branch", innermost.graph());
    inner = outer.graph();
  }
  ModelMaker model;
  model.graph() = inner;
  model.Input("x", {2}).Input("c", {}, onnx::TensorProto::BOOL);
  EXPECT_THAT(MessageOf(model), HasSubstr("too deeply"));
}

TEST(ImportTest, RefusesAttributesGivenTwiceAndReservedNames) {
  SubgraphMaker branch;
  branch.Output("r");
  branch.Node("Relu", {"x"}, {"r"});
  const auto message = [&](const char* extra) {
    ModelMaker model;
    model.Input("x", {2}).Input("c", {}, onnx::TensorProto::BOOL).Output("y");
    NodeMaker node = model.Node("If", {"c"}, {"y"});
    node.Graph("then_branch", branch.graph()).Graph("else_branch", branch.graph());
    node.Ints(extra, {1000000});
    return MessageOf(model);
  };
  EXPECT_THAT(message("then_branch"), HasSubstr("twice"));
  EXPECT_THAT(message("body.captures"), HasSubstr("reserved"));
}

TEST(ImportTest, OldOperatorSetsAndForeignTypesAreNamed) {
  EXPECT_THAT(MessageOf(ModelMaker(6)), HasSubstr("holds no graph"));
  ModelMaker old(6);
  old.Input("x", {2}).Output("x");
  EXPECT_THAT(MessageOf(old), HasSubstr("operator set 6"));
  ModelMaker strings;
  strings.Input("x", {2}, onnx::TensorProto::STRING).Output("y");
  EXPECT_THAT(MessageOf(strings), HasSubstr("'x'"));
}

TEST(ImportTest, HalfWeightsAndInputsAreComputedInFloat32) {
  ModelMaker model;
  onnx::TensorProto weights = FloatTensor("w", {2}, {});
  weights.set_data_type(onnx::TensorProto::FLOAT16);
  weights.add_int32_data(FloatToHalf(0.5f));
  weights.add_int32_data(FloatToHalf(-2.0f));
  model.Input("x", {2}, onnx::TensorProto::FLOAT16).Output("y", onnx::TensorProto::FLOAT16).Constant(weights);
  model.Node("Mul", {"x", "w"}, {"y"});
  const auto loaded = model.Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)->inputs()[0].type, DataType::kFloat16);
  EXPECT_EQ((*loaded)->outputs()[0].type, DataType::kFloat16);
  EXPECT_EQ((*loaded)->outputs()[0].name, "y");
  Tensor x(DataType::kFloat16, {2});
  for (int i = 0; i < 2; ++i) static_cast<uint16_t*>(x.data())[i] = FloatToHalf(static_cast<float>(3 + i));
  Session session;
  const auto outputs = RunModel(session, *loaded, {x});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  const auto* bits = static_cast<const uint16_t*>((*outputs)[0].data());
  EXPECT_EQ(HalfToFloat(bits[0]), 1.5f);
  EXPECT_EQ(HalfToFloat(bits[1]), -8.0f);
}

TEST(ImportTest, BFloat16WeightsAreWidened) {
  ModelMaker model;
  onnx::TensorProto weights = FloatTensor("w", {1}, {});
  weights.set_data_type(onnx::TensorProto::BFLOAT16);
  const uint16_t bits = FloatToBFloat16(-1.5f);
  weights.set_raw_data(&bits, 2);
  model.Input("x", {1}, onnx::TensorProto::BFLOAT16).Output("y").Constant(weights);
  model.Node("Add", {"x", "w"}, {"s"});
  model.Node("Cast", {"s"}, {"y"}).Int("to", onnx::TensorProto::FLOAT);
  Tensor x(DataType::kBFloat16, {1});
  static_cast<uint16_t*>(x.data())[0] = FloatToBFloat16(4);
  const auto outputs = model.Run({x});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(ValuesOf((*outputs)[0]), ElementsAre(2.5f));
}

TEST(ImportTest, AnyByteThatIsNotZeroIsTrue) {
  ModelMaker model;
  onnx::TensorProto mask = FloatTensor("m", {3}, {});
  mask.set_data_type(onnx::TensorProto::BOOL);
  mask.set_raw_data(std::string("\x00\x02\xff", 3));
  model.Input("x", {3}).Output("y").Constant(mask).Constant(FloatTensor("zero", {}, {0}));
  model.Node("Where", {"m", "x", "zero"}, {"y"});
  const auto outputs = model.Run({Floats({3}, {1, 2, 3})});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(ValuesOf((*outputs)[0]), ElementsAre(0, 2, 3));
}

}  // namespace
}  // namespace tandem::engine
