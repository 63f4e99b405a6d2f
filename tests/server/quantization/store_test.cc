#include "server/quantization/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/session.h"
#include "engine/sha256.h"
#include "tests/engine/model_maker.h"

namespace tandem::quantization {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    fs::create_directories(folder_.path() / "1");
    recipe_ = {.model_file = Write("1/model.onnx", "m"),
               .samples_file = Write("inputs.npz", "s"),
               .labels_file = Write("labels.npy", "l")};
  }
  std::string Write(const std::string& name, const std::string& bytes) const { return folder_.Write(name, bytes); }
  // What a build leaves at `where`.
  static void Produce(const fs::path& where, const std::string& isa = std::string(engine::CpuLevel())) {
    fs::create_directories(where);
    std::ofstream(where / "model.onnx") << "q";
    std::ofstream(where / "report.json") << R"({"format":1,"verdict":"proven","artifact_sha256":")"
                                         << engine::Sha256Of("q") << R"(","cpu":{"isa":")" << isa << R"("}})";
  }
  fs::path Artifacts() const { return folder_.path() / "state/artifacts"; }

  engine::TemporaryFolder folder_;
  Recipe recipe_;
  ArtifactStore store_{(folder_.path() / "state").string()};
};

TEST_F(StoreTest, TheHashChangesWithEverythingThatGoesIn) {
  std::set<std::string> hashes;
  const auto add = [&](const char* what) { EXPECT_TRUE(hashes.insert(*HashOf(recipe_)).second) << what; };
  add("at first");
  EXPECT_FALSE(hashes.insert(*HashOf(recipe_)).second);
  Write("inputs.npz", "other samples");
  add("samples");
  Write("labels.npy", "other labels");
  add("labels");
  Write("1/model.onnx", "another model");
  add("model");
  Write("1/weights.bin", "external data");
  add("external data");
  recipe_.labels_file.clear();
  add("no labels");
  recipe_.settings.method = "fixed_point";
  add("method");
  recipe_.settings.metric = "sqnr";
  add("metric");
  recipe_.settings.min_db = 20;
  add("decibels");
  recipe_.settings.max_loss = 0.01;
  add("budget");
  recipe_.settings.confidence = 0.99;
  add("confidence");
}

TEST_F(StoreTest, AFileThatCannotBeReadIsNamed) {
  recipe_.samples_file = "/nowhere/inputs.npz";
  EXPECT_THAT(std::string(HashOf(recipe_).status().message()), HasSubstr("/nowhere/inputs.npz"));
}

TEST_F(StoreTest, AnArtifactAppearsWholeOrNotAtAll) {
  ASSERT_TRUE(store_.Prepare().ok());
  EXPECT_EQ(store_.Find("h").status().code(), absl::StatusCode::kNotFound);
  const std::string work = store_.Workplace("h");
  EXPECT_FALSE(store_.Adopt("h").ok());
  Produce(work);
  EXPECT_EQ(store_.Find("h").status().code(), absl::StatusCode::kNotFound);
  const auto artifact = store_.Adopt("h");
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  EXPECT_EQ(artifact->model_file, (Artifacts() / "h/model.onnx").string());
  EXPECT_TRUE(store_.Find("h").ok());
  EXPECT_FALSE(fs::exists(work));
}

TEST_F(StoreTest, AnArtifactJudgedOnAnotherCpuIsNotTaken) {
  Produce(Artifacts() / "h", "sparc");
  EXPECT_EQ(store_.Find("h").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StoreTest, RemovesWhatBuildsOfDeadProcessesLeft) {
  const fs::path dead = Artifacts() / ".building-999999999", ours = Artifacts() / absl::StrCat(".building-", getpid());
  const fs::path alive = Artifacts() / absl::StrCat(".building-", getppid());
  for (const fs::path& folder : {dead, ours, alive, Artifacts() / "h"}) fs::create_directories(folder / "half");
  ASSERT_TRUE(store_.Prepare().ok());
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_FALSE(fs::exists(ours));
  EXPECT_TRUE(fs::exists(alive));
  EXPECT_TRUE(fs::exists(Artifacts() / "h"));
}

TEST_F(StoreTest, SaysWhereItCannotWrite) {
  EXPECT_THAT(std::string(ArtifactStore("").Prepare().message()), HasSubstr("--state-dir"));
  Write("file", "");
  const std::string in_a_file = (folder_.path() / "file").string();
  EXPECT_THAT(std::string(ArtifactStore(in_a_file).Prepare().message()), HasSubstr(in_a_file));
}

}  // namespace
}  // namespace tandem::quantization
