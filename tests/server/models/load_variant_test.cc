#include "server/models/load_variant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/model_maker.h"

namespace tandem::models {
namespace {

using engine::ModelMaker;
using ::testing::HasSubstr;

constexpr int kFloat = onnx::TensorProto::FLOAT;
constexpr int kInteger = onnx::TensorProto::INT64;

std::shared_ptr<const engine::Model> Model(const std::string& input, const std::vector<int64_t>& dims,
                                           const std::string& output, int type = kFloat) {
  ModelMaker maker;
  maker.Input(input, dims, type).Output(output, type);
  maker.Node("Identity", {input}, {output});
  return *maker.Load();
}

std::string Difference(const engine::Model& a, const engine::Model& b) {
  return std::string(CheckSameSignature(a, b).message());
}

TEST(CheckSameSignature, TakesEqualNamesTypesAndShapes) {
  EXPECT_TRUE(CheckSameSignature(*Model("x", {-1, 4}, "y"), *Model("x", {-1, 4}, "y")).ok());
}

TEST(CheckSameSignature, NamesWhatDiffers) {
  const auto fp32 = Model("x", {-1, 4}, "y");
  EXPECT_THAT(Difference(*fp32, *Model("z", {-1, 4}, "y")), HasSubstr("input 0 is \"z\""));
  EXPECT_THAT(Difference(*fp32, *Model("x", {-1, 5}, "y")), HasSubstr("[?,5]"));
  EXPECT_THAT(Difference(*fp32, *Model("x", {1, 4}, "y")), HasSubstr("[1,4]"));
  EXPECT_THAT(Difference(*fp32, *Model("x", {-1, 4}, "z")), HasSubstr("output 0 is \"z\""));
  EXPECT_THAT(Difference(*fp32, *Model("x", {-1, 4}, "y", kInteger)), HasSubstr("int64"));
}

// y = x + c, the second operand passed through QuantizeLinear and DequantizeLinear where `quantized`.
std::string AddFile(const engine::TemporaryFolder& folder, bool quantized) {
  ModelMaker maker;
  maker.Input("x", {-1, 2}).Output("y");
  // As free as the input: the batch is shared.
  *maker.graph().mutable_output(0)->mutable_type() = maker.graph().input(0).type();
  maker.Constant(engine::FloatTensor("c", {2}, {1, 2})).Constant(engine::FloatTensor("scale", {}, {0.5}));
  if (quantized) {
    maker.Node("QuantizeLinear", {"x", "scale"}, {"q"});
    maker.Node("DequantizeLinear", {"q", "scale"}, {"d"});
  }
  maker.Node("Add", {quantized ? "d" : "x", "c"}, {"y"});
  return folder.Write(quantized ? "int8.onnx" : "fp32.onnx", maker.Bytes());
}

TEST(LoadInt8, MakesASiblingWithAQueueOfItsOwn) {
  const engine::TemporaryFolder folder;
  const VariantOptions options{.model_name = "m", .version = 3};
  const auto fp32 = WarmUpFp32(*engine::Model::Load(AddFile(folder, false)), options);
  ASSERT_TRUE(fp32.ok()) << fp32.status();
  const auto int8 = LoadInt8(AddFile(folder, true), *fp32->variant, options);
  ASSERT_TRUE(int8.ok()) << int8.status();
  EXPECT_EQ(int8->variant->precision, Precision::kInt8);
  EXPECT_TRUE(int8->variant->shares_batch);
  EXPECT_EQ(int8->variant->queue->options().name, "model \"m\" version 3 int8");
  EXPECT_EQ(fp32->variant->queue->options().name, "model \"m\" version 3");
}

TEST(LoadInt8, SharesBatchesOnlyWhereFp32Does) {
  const engine::TemporaryFolder folder;
  auto fp32 = WarmUpFp32(*engine::Model::Load(AddFile(folder, false)), {});
  ASSERT_TRUE(fp32.ok());
  fp32->variant->shares_batch = false;
  const auto int8 = LoadInt8(AddFile(folder, true), *fp32->variant, {});
  ASSERT_TRUE(int8.ok());
  EXPECT_FALSE(int8->variant->shares_batch);
}

TEST(LoadInt8, RefusesWhatIsNotQuantizedOrBroken) {
  const engine::TemporaryFolder folder;
  const auto fp32 = WarmUpFp32(*engine::Model::Load(AddFile(folder, false)), {});
  ASSERT_TRUE(fp32.ok());
  EXPECT_THAT(std::string(LoadInt8(AddFile(folder, false), *fp32->variant, {}).status().message()),
              HasSubstr("nothing in it is quantized"));
  EXPECT_FALSE(LoadInt8(folder.Write("broken.onnx", "?"), *fp32->variant, {}).ok());
}

}  // namespace
}  // namespace tandem::models
