#include "server/quantization/artifacts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "engine/session.h"
#include "engine/sha256.h"
#include "tests/engine/model_maker.h"

namespace tandem::quantization {
namespace {

using ::testing::HasSubstr;

constexpr char kModel[] = "the bytes of a model";

std::string ReportText(const std::string& sha256, const std::string& verdict, const std::string& isa) {
  return absl::StrCat(R"({"format":1,"verdict":")", verdict, R"(","artifact_sha256":")", sha256, R"(","cpu":{"isa":")",
                      isa, R"("}})");
}

class ArtifactsTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path().string(); }
  void WriteModel(const std::string& bytes = kModel) { folder_.Write("model.onnx", bytes); }
  void WriteReport(const std::string& verdict, const std::string& isa = std::string(engine::CpuLevel())) {
    folder_.Write("report.json", ReportText(engine::Sha256Of(kModel), verdict, isa));
  }

  engine::TemporaryFolder folder_;
};

TEST_F(ArtifactsTest, AreReadWhenTheModelIsTheOneReportedOn) {
  WriteModel();
  WriteReport("proven");
  const auto artifact = ReadArtifact(path());
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  EXPECT_EQ(artifact->report->verdict, Verdict::kProven);
  EXPECT_EQ(artifact->model_file, path() + "/model.onnx");
}

TEST_F(ArtifactsTest, AreRefusedWhenDamaged) {
  EXPECT_EQ(ReadArtifact(path()).status().code(), absl::StatusCode::kNotFound);
  WriteReport("proven");
  EXPECT_EQ(ReadArtifact(path()).status().code(), absl::StatusCode::kDataLoss);
  WriteModel("the bytes of a mod");
  const absl::Status truncated = ReadArtifact(path()).status();
  EXPECT_EQ(truncated.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(truncated.message()), HasSubstr("model.onnx"));
  WriteModel();
  folder_.Write("report.json", "{");
  EXPECT_EQ(ReadArtifact(path()).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(ArtifactsTest, NeedNoModelWhenRejected) {
  WriteReport("rejected");
  const auto artifact = ReadArtifact(path());
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  EXPECT_EQ(artifact->model_file, "");
}

TEST_F(ArtifactsTest, AReadyMadeModelHasTheVerdictOfItsReport) {
  WriteModel();
  WriteReport("proven");
  EXPECT_EQ(ReadyMadeArtifact(path()).report->verdict, Verdict::kProven);
}

TEST_F(ArtifactsTest, AReadyMadeModelIsInconclusiveWithoutAVerdictThatHoldsHere) {
  WriteModel();
  const auto expect = [&](const char* reason) {
    const Artifact artifact = ReadyMadeArtifact(path());
    EXPECT_EQ(artifact.report->verdict, Verdict::kInconclusive);
    EXPECT_THAT(artifact.report->reason, HasSubstr(reason));
    EXPECT_EQ(artifact.model_file, path() + "/model.onnx");
  };
  expect("no report.json");
  folder_.Write("report.json", "{");
  expect("not a JSON object");
  WriteReport("proven", "sparc");
  expect("judged on another CPU (sparc");
  WriteReport("proven");
  WriteModel("another model");
  expect("not the file that its report.json describes");
}

}  // namespace
}  // namespace tandem::quantization
