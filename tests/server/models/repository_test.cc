#include "server/models/repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace tandem::models {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class RepositoryTest : public ::testing::Test {
 protected:
  RepositoryTest() {
    root_ = fs::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~RepositoryTest() override { fs::remove_all(root_); }

  void Write(const std::string& file, const std::string& text = "x") {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  fs::path root_;
};

TEST_F(RepositoryTest, AnInt8SiblingHasAStampOfItsOwn) {
  Write("m/1/model.onnx");
  const VersionFiles before = (*ScanRepository(root_.string()))[0].versions.at(1);
  EXPECT_EQ(before.int8_folder, "");
  Write("m/1/int8/model.onnx");
  const VersionFiles after = (*ScanRepository(root_.string()))[0].versions.at(1);
  EXPECT_EQ(after.stamp, before.stamp);
  EXPECT_EQ(after.int8_folder, (root_ / "m/1/int8").string());
  Write("m/1/int8/report.json");
  EXPECT_NE((*ScanRepository(root_.string()))[0].versions.at(1).int8_stamp, after.int8_stamp);
}

TEST_F(RepositoryTest, SamplesBelongToAllVersions) {
  Write("m/1/model.onnx");
  EXPECT_EQ((*ScanRepository(root_.string()))[0].samples_file, "");
  Write("m/samples/inputs.npz");
  const ModelFiles without = (*ScanRepository(root_.string()))[0];
  EXPECT_EQ(without.samples_file, (root_ / "m/samples/inputs.npz").string());
  EXPECT_EQ(without.labels_file, "");
  Write("m/samples/labels.npy");
  const ModelFiles with = (*ScanRepository(root_.string()))[0];
  EXPECT_EQ(with.labels_file, (root_ / "m/samples/labels.npy").string());
  EXPECT_NE(with.samples_stamp, without.samples_stamp);
  EXPECT_EQ(with.versions.size(), 1u);
}

TEST_F(RepositoryTest, FindsVersionsNewestFirst) {
  Write("m/2/model.onnx");
  Write("m/10/model.onnx");
  Write("m/config.yaml");
  const auto models = ScanRepository(root_.string());
  ASSERT_TRUE(models.ok());
  ASSERT_THAT(*models, SizeIs(1));
  EXPECT_EQ((*models)[0].name, "m");
  EXPECT_FALSE((*models)[0].config_file.empty());
  EXPECT_THAT(NewestFirst((*models)[0]), ElementsAre(10, 2));
}

TEST_F(RepositoryTest, SkipsWhatIsNoVersion) {
  Write("m/samples/model.onnx");
  Write("m/0/model.onnx");
  Write("m/3/other.onnx");
  Write(".hidden/1/model.onnx");
  Write("file");
  EXPECT_THAT(*ScanRepository(root_.string()), SizeIs(0));
}

TEST_F(RepositoryTest, StampsChangeWithAnyFileOfTheVersion) {
  Write("m/1/model.onnx");
  const std::string before = (*ScanRepository(root_.string()))[0].versions.at(1).stamp;
  Write("m/1/weights.bin", "more");
  EXPECT_NE((*ScanRepository(root_.string()))[0].versions.at(1).stamp, before);
}

TEST_F(RepositoryTest, TellsOfAFolderThatIsNotThere) {
  EXPECT_EQ(ScanRepository((root_ / "none").string()).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(RepositoryTest, ServesAFileUnderItsBaseName) {
  Write("mnist.onnx");
  const auto model = SingleFile((root_ / "mnist.onnx").string());
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model->name, "mnist");
  EXPECT_EQ(model->versions.count(1), 1u);
  EXPECT_EQ(SingleFile((root_ / "none.onnx").string()).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tandem::models
