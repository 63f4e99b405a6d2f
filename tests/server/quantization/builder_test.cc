#include "server/quantization/builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "engine/session.h"
#include "engine/sha256.h"
#include "tests/engine/model_maker.h"

namespace tandem::quantization {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const BuildKey kFirst{"m", 1};
const BuildKey kSecond{"m", 2};

// A builder whose quantizer is a shell script.
class BuilderTest : public ::testing::Test {
 protected:
  BuilderTest() {
    fs::create_directories(folder_.path() / "1");
    recipe_ = {.model_file = folder_.Write("1/model.onnx", "m"), .samples_file = folder_.Write("inputs.npz", "s")};
    Behave(Finish());
  }

  // `body` sees the folder that it is to fill as $out.
  void Behave(const std::string& body) const {
    const std::string program =
        folder_.Write("quantizer", absl::StrCat("#!/bin/sh\nwhile [ \"$1\" != --out ]; do shift; done\nout=$2\necho >>",
                                                folder_.path().string(), "/calls\n", body, "\n"));
    fs::permissions(program, fs::perms::owner_all);
  }
  static std::string Finish() {
    return absl::StrCat("mkdir $out; printf q >$out/model.onnx; echo '{\"format\":1,\"verdict\":\"proven\",",
                        "\"artifact_sha256\":\"", engine::Sha256Of("q"), "\",\"cpu\":{\"isa\":\"", engine::CpuLevel(),
                        "\"}}' >$out/report.json");
  }
  // Lets the builder say that it has begun.
  static std::string Hang() { return "echo '{\"event\":\"progress\",\"stage\":\"search\"}'; exec sleep 1000"; }

  size_t Calls() const {
    std::ifstream calls(folder_.path() / "calls");
    return static_cast<size_t>(std::count(std::istreambuf_iterator<char>(calls), {}, '\n'));
  }

  std::unique_ptr<Builder> Make() {
    return std::make_unique<Builder>(BuilderOptions{.state_dir = (folder_.path() / "state").string(),
                                                    .program = (folder_.path() / "quantizer").string(),
                                                    .on_progress = [this](auto&, auto&) { Happened(progress_); },
                                                    .on_result = [this] { Happened(results_); }});
  }
  void Happened(int& count) {
    MutexLock lock(mutex_);
    ++count;
    changed_.NotifyAll();
  }
  void WaitFor(int& count, int wanted) {
    MutexLock lock(mutex_);
    while (count < wanted) changed_.Wait(mutex_);
  }

  engine::TemporaryFolder folder_;
  Recipe recipe_;
  Mutex mutex_;
  CondVar changed_;
  int progress_ = 0, results_ = 0;
};

TEST_F(BuilderTest, DeliversWhatTheQuantizerMadeAndKeepsIt) {
  const auto builder = Make();
  builder->Start(kFirst, recipe_);
  builder->Start(kSecond, recipe_);
  WaitFor(results_, 2);
  const auto results = builder->TakeResults();
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[0].key, kFirst);
  for (const BuildResult& result : results) {
    ASSERT_TRUE(result.artifact.ok()) << result.artifact.status();
    EXPECT_EQ(result.artifact->report->verdict, Verdict::kProven);
  }
  EXPECT_EQ(Calls(), 1u);  // the second is of the same files
  EXPECT_THAT(builder->TakeResults(), IsEmpty());
}

TEST_F(BuilderTest, AFailureHasTheQuantizersLastWord) {
  Behave("echo 'tandem-model: no good' >&2; exit 1");
  const auto builder = Make();
  builder->Start(kFirst, recipe_);
  WaitFor(results_, 1);
  EXPECT_EQ(builder->TakeResults()[0].artifact.status().message(), "tandem-model: no good");
  EXPECT_EQ(builder->metrics().Sum().outcomes[static_cast<size_t>(metrics::BuildOutcome::kFailed)], 1u);
}

TEST_F(BuilderTest, ACancelledBuildMakesRoomForTheNext) {
  Behave(absl::StrCat("if [ ! -e ", folder_.path().string(), "/once ]; then touch ", folder_.path().string(), "/once; ",
                      Hang(), "; fi\n", Finish()));
  const auto builder = Make();
  builder->Start(kFirst, recipe_);
  WaitFor(progress_, 1);
  builder->Cancel(kFirst);
  builder->Start(kSecond, recipe_);
  WaitFor(results_, 1);
  const auto results = builder->TakeResults();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].key, kSecond);
  EXPECT_TRUE(results[0].artifact.ok());
}

TEST_F(BuilderTest, StoppingKillsWhatRunsAndDropsWhatWaits) {
  Behave(Hang());
  const auto builder = Make();
  builder->Start(kFirst, recipe_);
  WaitFor(progress_, 1);
  builder->Start(kSecond, recipe_);
  builder->Stop();
  EXPECT_THAT(builder->TakeResults(), IsEmpty());
  EXPECT_EQ(Calls(), 1u);
}

}  // namespace
}  // namespace tandem::quantization
