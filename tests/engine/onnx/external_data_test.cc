// Weights beside the model: read from its folder and from nowhere else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/onnx/import.h"
#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Entries = std::vector<std::pair<std::string, std::string>>;

class ExternalDataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(outer_.path() / "model");
    const float values[] = {9, 1, 2, 9};
    bytes_.assign(reinterpret_cast<const char*>(values), sizeof values);
    outer_.Write("model/weights.bin", bytes_);
    outer_.Write("secret.bin", bytes_);
  }

  // A model of two weights with these entries of external data.
  static ModelMaker With(const Entries& entries) {
    ModelMaker model;
    onnx::TensorProto weights = FloatTensor("w", {2}, {});
    weights.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : entries) {
      auto& entry = *weights.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    model.Input("x", {2}).Output("y").Constant(weights);
    model.Node("Add", {"x", "w"}, {"y"});
    return model;
  }
  absl::StatusOr<std::shared_ptr<const Model>> Load(const Entries& entries) const {
    return Model::Load(outer_.Write("model/model.onnx", With(entries).Bytes()));
  }
  std::string Message(const Entries& entries) const { return std::string(Load(entries).status().message()); }

  TemporaryFolder outer_;
  std::string bytes_;
};

TEST_F(ExternalDataTest, IsReadAtItsOffset) {
  const auto model = Load({{"location", "weights.bin"}, {"offset", "4"}, {"length", "8"}});
  ASSERT_TRUE(model.ok()) << model.status();
  Session session;
  const auto outputs = RunModel(session, *model, {Floats({2}, {10, 20})});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(ValuesOf((*outputs)[0]), ElementsAre(11, 22));
}

TEST_F(ExternalDataTest, MayLieInAFolderBelow) {
  std::filesystem::create_directory(outer_.path() / "model/deep");
  outer_.Write("model/deep/w.bin", bytes_);
  EXPECT_TRUE(Load({{"location", "deep/w.bin"}}).ok());
}

TEST_F(ExternalDataTest, OutsideItsFileIsRefused) {
  EXPECT_THAT(Message({{"location", "weights.bin"}, {"offset", "12"}}), HasSubstr("'w'"));
  EXPECT_THAT(Message({{"location", "weights.bin"}, {"offset", "18446744073709551608"}}), HasSubstr("'w'"));
  EXPECT_THAT(Message({{"location", "weights.bin"}, {"offset", "-4"}}), HasSubstr("offset"));
  EXPECT_THAT(Message({{"location", "weights.bin"}, {"offset", "x"}}), HasSubstr("offset"));
}

TEST_F(ExternalDataTest, OfAnotherLengthThanTheShapeIsRefused) {
  EXPECT_THAT(Message({{"location", "weights.bin"}, {"length", "12"}}), HasSubstr("8 bytes"));
  EXPECT_THAT(Message({{"location", "weights.bin"}, {"length", "4"}}), HasSubstr("8 bytes"));
}

TEST_F(ExternalDataTest, NeverLeavesTheFolder) {
  EXPECT_THAT(Message({{"location", "../secret.bin"}}), HasSubstr("outside"));
  EXPECT_THAT(Message({{"location", "deep/../../secret.bin"}}), HasSubstr("'w'"));
  EXPECT_THAT(Message({{"location", (outer_.path() / "secret.bin").string()}}), HasSubstr("outside"));
  EXPECT_THAT(Message({{"location", (outer_.path() / "model/weights.bin").string()}}), HasSubstr("outside"));
  EXPECT_THAT(Message({{"location", "/dev/zero"}}), HasSubstr("outside"));
}

TEST_F(ExternalDataTest, LinksOutOfTheFolderAreRefusedAndLinksInsideAreNot) {
  std::filesystem::create_symlink(outer_.path() / "secret.bin", outer_.path() / "model/link.bin");
  EXPECT_THAT(Message({{"location", "link.bin"}}), HasSubstr("outside"));
  std::filesystem::create_directory_symlink(outer_.path(), outer_.path() / "model/up");
  EXPECT_THAT(Message({{"location", "up/secret.bin"}}), HasSubstr("outside"));
  std::filesystem::create_symlink("weights.bin", outer_.path() / "model/inner.bin");
  EXPECT_TRUE(Load({{"location", "inner.bin"}}).ok());
}

TEST_F(ExternalDataTest, MissingFilesAndLocationsAreNamed) {
  EXPECT_THAT(Message({{"location", "absent.bin"}}), HasSubstr("absent.bin"));
  EXPECT_THAT(Message({}), HasSubstr("location"));
  EXPECT_THAT(Message({{"location", "."}}), HasSubstr("'w'"));
}

TEST_F(ExternalDataTest, AreRefusedWithoutAFolder) {
  const auto graph = ImportOnnxBytes(With({{"location", "weights.bin"}}).Bytes(), "");
  EXPECT_THAT(std::string(graph.status().message()), HasSubstr("not allowed"));
}

TEST_F(ExternalDataTest, AHugeClaimIsRefusedBeforeMemoryIsTaken) {
  ModelMaker model = With({{"location", "weights.bin"}});
  model.graph().mutable_initializer(0)->set_dims(0, int64_t{1} << 32);
  EXPECT_FALSE(Model::Load(outer_.Write("model/model.onnx", model.Bytes())).ok());
}

}  // namespace
}  // namespace tandem::engine
