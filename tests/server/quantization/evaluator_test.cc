#include "server/quantization/evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/engine/model_maker.h"

namespace tandem::quantization {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using Part = Evaluation::Part;

// An evaluator whose program is a shell script.
class EvaluatorTest : public ::testing::Test {
 protected:
  EvaluatorTest() { Behave("echo \"$@\""); }

  void Behave(const std::string& body) const {
    const std::string program = folder_.Write("tool", absl::StrCat("#!/bin/sh\n", body, "\n"));
    fs::permissions(program, fs::perms::owner_all);
  }
  std::string Sent() const { return (folder_.path() / "state/evaluation").string(); }

  static bool GoOn(const Progress&) { return true; }

  engine::TemporaryFolder folder_;
  Evaluator evaluator_{{.state_dir = (folder_.path() / "state").string(),
                        .program = (folder_.path() / "tool").string(),
                        .most_bytes = 100}};
  const EvaluationFiles files_{.models = {"a.onnx", "b.onnx"}, .samples = "own.npz", .labels = "own.npy"};
};

TEST_F(EvaluatorTest, ScoresOnTheSamplesBesideTheModel) {
  const auto line = (*evaluator_.Begin())->Run(files_, GoOn);
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(*line, "evaluate a.onnx b.onnx --samples own.npz --threads 1 --output json --labels own.npy");
}

TEST_F(EvaluatorTest, WhatIsSentTakesTheirPlaceAndIsRemoved) {
  fs::create_directories(Sent() + "/1");
  folder_.Write("state/evaluation/1/inputs.npz", "of a server that was killed");
  Behave("cat $5; echo; echo \"$@\"");
  {
    const auto evaluation = *evaluator_.Begin();
    ASSERT_TRUE(evaluation->Append(Part::kSamples, "sam").ok());
    ASSERT_TRUE(evaluation->Append(Part::kSamples, "ples").ok());
    const auto line = evaluation->Run(files_, GoOn);
    ASSERT_TRUE(line.ok()) << line.status();
    EXPECT_THAT(*line, HasSubstr(absl::StrCat("--samples ", Sent(), "/1/inputs.npz")));
    EXPECT_THAT(*line, Not(HasSubstr("--labels"))) << "those beside the model are of other samples";
    EXPECT_EQ(fs::file_size(fs::path(Sent()) / "1/inputs.npz"), 7U);
  }
  EXPECT_FALSE(fs::exists(Sent()));
}

TEST_F(EvaluatorTest, OneRunsAtATime) {
  auto first = evaluator_.Begin();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(evaluator_.Begin().status().code(), absl::StatusCode::kResourceExhausted);
  first->reset();
  EXPECT_TRUE(evaluator_.Begin().ok());
}

TEST_F(EvaluatorTest, WhoeverSendsNothingGivesWay) {
  Evaluator evaluator({.state_dir = (folder_.path() / "state").string(),
                       .program = (folder_.path() / "tool").string(),
                       .patience = Duration::zero()});
  const auto stalled = *evaluator.Begin();
  ASSERT_TRUE(stalled->Append(Part::kSamples, "some").ok());
  Behave("cat $5; echo");
  {
    auto next = evaluator.Begin();
    ASSERT_TRUE(next.ok()) << next.status();
    EXPECT_EQ(stalled->Append(Part::kSamples, "more").code(), absl::StatusCode::kAborted);
    EXPECT_EQ(stalled->Run(files_, GoOn).status().code(), absl::StatusCode::kAborted);
    ASSERT_TRUE((*next)->Append(Part::kSamples, "others").ok());
    absl::StatusCode meanwhile{};
    Behave("echo '{\"event\":\"progress\",\"stage\":\"evaluate\",\"done\":0.5}'; cat $5; echo");
    const auto line = (*next)->Run(files_, [&](const Progress&) {
      meanwhile = evaluator.Begin().status().code();
      return true;
    });
    ASSERT_TRUE(line.ok()) << line.status();
    EXPECT_EQ(*line, "others");
    EXPECT_EQ(meanwhile, absl::StatusCode::kResourceExhausted) << "it runs, and waits for nobody";
  }
  EXPECT_TRUE(evaluator.Begin().ok()) << "the one that gave way holds nothing up";
}

TEST_F(EvaluatorTest, TooMuchIsRefused) {
  const auto evaluation = *evaluator_.Begin();
  EXPECT_TRUE(evaluation->Append(Part::kSamples, std::string(60, 's')).ok());
  EXPECT_EQ(evaluation->Append(Part::kLabels, std::string(60, 'l')).code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(EvaluatorTest, SaysWhatIsMissing) {
  EXPECT_EQ((*evaluator_.Begin())->Run({.models = {"a", "b"}}, GoOn).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT((*evaluator_.Begin())->Run({.models = {"a"}, .samples = "s"}, GoOn).status().message(),
              HasSubstr("nothing to compare fp32 with"));
  const auto evaluation = *evaluator_.Begin();
  ASSERT_TRUE(evaluation->Append(Part::kLabels, "l").ok());
  EXPECT_EQ(evaluation->Run(files_, GoOn).status().message(), "labels came without samples");
}

TEST_F(EvaluatorTest, WhatIsWrongWithSamplesIsTold) {
  Behave("echo \"tandem-model: $5: is no .npz file\" >&2; exit 1");
  const auto evaluation = *evaluator_.Begin();
  ASSERT_TRUE(evaluation->Append(Part::kSamples, "s").ok());
  const absl::Status status = evaluation->Run(files_, GoOn).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "the samples: is no .npz file");
}

TEST_F(EvaluatorTest, EndsWhenNobodyWaits) {
  Behave("echo '{\"event\":\"progress\",\"stage\":\"evaluate\",\"done\":0.5}'; exec sleep 1000");
  double done = 0;
  const auto line = (*evaluator_.Begin())->Run(files_, [&](const Progress& progress) {
    done = progress.done;
    return false;
  });
  EXPECT_EQ(line.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(done, 0.5);
  Behave("echo {}");
  EXPECT_TRUE((*evaluator_.Begin())->Run(files_, GoOn).ok()) << "the next one is not cancelled";
}

TEST_F(EvaluatorTest, EndsWithTheServer) {
  Behave("echo '{\"event\":\"progress\",\"stage\":\"evaluate\",\"done\":0.5}'; exec sleep 1000");
  const auto line = (*evaluator_.Begin())->Run(files_, [&](const Progress&) {
    evaluator_.Stop();
    return true;
  });
  EXPECT_EQ(line.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(evaluator_.Begin().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(EvaluatorTest, ACrashIsNotTheCallersFault) {
  Behave("kill -9 $$");
  EXPECT_EQ((*evaluator_.Begin())->Run(files_, GoOn).status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace tandem::quantization
