#include "server/shadow/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "server/scheduling/run_batch.h"
#include "server/shadow/candidacies.h"
#include "tests/server/batching/fake_request.h"
#include "tests/server/shadow/pair.h"

namespace tandem::shadow {
namespace {

using evidence::Summary;
using Offline = quantization::Verdict;

class RunnerTest : public ::testing::Test {
 protected:
  void TearDown() override { runner_.Stop(); }

  // Until there is room: the thread may just be looking at the queue.
  void Offer(Job job) {
    while (!runner_.Offer(job)) std::this_thread::yield();
  }
  void OfferAll(int from, int to) {
    for (int i = from; i < to; ++i) Offer(pair_.MakeJob(i));
    runner_.Flush();
  }
  Summary Evidence() { return pair_.ledger()->Summarize(); }
  // Keeps the only worker busy, as far as the dispatcher knows.
  void Occupy() {
    busy_.queue = std::make_shared<batching::Queue>(batching::QueueOptions{.name = "busy"}, nullptr, 1);
    busy_.arrived = Now();
    ASSERT_TRUE(dispatcher_.Submit(&busy_).ok());
  }
  // As a worker does.
  void RunNextBatch() {
    scheduling::Task task = dispatcher_.Next(0, {});
    engine::Session session;
    scheduling::RunBatch(session, *task.queue, task.requests, task.queue->metrics().worker(0));
    dispatcher_.Stop();
    dispatcher_.Next(0, std::move(task));
  }

  PublishedPair pair_;
  Outcomes outcomes_{pair_.registry, pair_.ledgers, pair_.promoter};
  batching::FakeRequest busy_{1};
  scheduling::Dispatcher dispatcher_{1, 1 << 20};
  Runner runner_{{.max_jobs = 150, .max_bytes = 1 << 20, .max_age = std::chrono::seconds(30)},
                 dispatcher_,
                 pair_.ledgers,
                 pair_.promoter,
                 outcomes_};
};

TEST_F(RunnerTest, ComparesWhatWasAnsweredWithTheOtherVariant) {
  pair_.Join("Identity", Offline::kInconclusive);
  runner_.Start();
  OfferAll(0, 50);
  const Summary summary = Evidence();
  EXPECT_EQ(summary.comparisons, 50);
  EXPECT_EQ(summary.agreement, 1);
  EXPECT_EQ(summary.dropped, 0);
  EXPECT_EQ(summary.baseline.latency.count(), 50u);
  EXPECT_EQ(summary.baseline.latency.sum, 50 * 50'000u);
  EXPECT_GT(summary.candidate.latency.sum, 0u);
}

TEST_F(RunnerTest, KnowsWhichOfBothAnswered) {
  pair_.Join("Neg", Offline::kInconclusive);
  runner_.Start();
  Job job = pair_.MakeJob(1);
  job.answered_by = models::Precision::kInt8;
  Offer(std::move(job));
  runner_.Flush();
  // int8 is said to have answered as fp32 does, in 50 us.
  EXPECT_EQ(Evidence().agreement, 1);
  EXPECT_EQ(Evidence().candidate.latency.sum, 50'000u);
}

TEST_F(RunnerTest, ComparesVersionsAndTellsTheVerdict) {
  pair_.AddCandidate("Neg");
  Candidacies candidacies(pair_.registry, pair_.ledgers);
  candidacies.Follow("m", {});
  runner_.Start();
  for (int i = 0; i < 50; ++i) {
    Job job = pair_.MakeJob(i);
    job.candidate = pair_.candidate();
    Offer(std::move(job));
  }
  runner_.Flush();
  const Summary summary = pair_.ledger_of_versions()->Summarize();
  EXPECT_EQ(summary.comparisons, 50);
  EXPECT_EQ(summary.agreement, 0);
  EXPECT_EQ(summary.baseline.latency.sum, 50 * 50'000u);
  EXPECT_EQ(pair_.ledger(), nullptr) << "it is no evidence about int8";
  ASSERT_EQ(pair_.events.size(), 1u);
  EXPECT_EQ(pair_.events[0].kind, Event::Kind::kRejected);
  EXPECT_EQ(pair_.events[0].version, 2);
  EXPECT_EQ(pair_.events[0].baseline_version, 1);
}

TEST_F(RunnerTest, CountsAnInputOnce) {
  pair_.Join("Identity", Offline::kInconclusive);
  runner_.Start();
  for (int i = 0; i < 3; ++i) Offer(pair_.MakeJob(7));
  runner_.Flush();
  EXPECT_EQ(Evidence().comparisons, 1);
  EXPECT_EQ(Evidence().duplicates, 2);
}

TEST_F(RunnerTest, TellsOutcomesWhatTheOtherVariantSaid) {
  pair_.Join("Neg", Offline::kInconclusive);
  runner_.Start();
  Job job = pair_.MakeJob(-1);
  job.id = "id";
  outcomes_.Answered({.model = "m", .id = "id", .answer = 3, .at = Now()}, {.keep = 10});
  Offer(std::move(job));
  runner_.Flush();
  const auto outcome = outcomes_.Report("m", "id", 0, Now());  // the largest of the row's negatives
  ASSERT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome->right);
  EXPECT_EQ(outcome->other_right, true);
  EXPECT_EQ(Evidence().pairs, 1);
}

TEST_F(RunnerTest, PromotesWhatAgrees) {
  pair_.Join("Identity", Offline::kInconclusive);
  runner_.Start();
  OfferAll(0, 200);
  EXPECT_TRUE(pair_.int8_serves());
}

TEST_F(RunnerTest, DemotesWhatWasPromotedByForceAndIsBad) {
  pair_.Join("Neg", Offline::kInconclusive);
  ASSERT_TRUE(pair_.promoter.Promote("m", 1, true).ok());
  runner_.Start();
  OfferAll(0, 50);
  EXPECT_FALSE(pair_.int8_serves());
  EXPECT_EQ(pair_.events.back().kind, Event::Kind::kDemoted);
}

TEST_F(RunnerTest, LeavesWhatFindsNoRoom) {
  pair_.Join("Identity", Offline::kInconclusive);
  Job large = pair_.MakeJob(1'000);
  large.bytes = size_t{2} << 20;
  EXPECT_FALSE(runner_.Offer(large));
  EXPECT_NE(large.version, nullptr);
  for (int i = 0; i < 160; ++i) {
    Job job = pair_.MakeJob(i);
    EXPECT_EQ(runner_.Offer(job), i < 150) << i;
  }
  runner_.Start();
  runner_.Flush();
  EXPECT_EQ(Evidence().comparisons, 150);
}

TEST_F(RunnerTest, LeavesWhatTheOtherVariantWouldNotTake) {
  pair_.Join("Identity", Offline::kInconclusive);
  // As a variant that shares no batches may have answered it.
  for (const std::vector<engine::Shape>& shapes :
       {std::vector<engine::Shape>{{0, 4}}, {{1, 4}, {2, 4}}, {{2, 4}, {}}}) {
    Job job = pair_.MakeJob(1);
    job.shapes = shapes;
    EXPECT_FALSE(runner_.Offer(job));
  }
}

TEST_F(RunnerTest, DropsWhatIsOldAndItsVersion) {
  pair_.Join("Identity", Offline::kInconclusive);
  Job old = pair_.MakeJob(1);
  old.answered = Now() - std::chrono::minutes(1);
  const std::weak_ptr<const models::Version> version = old.version;
  Offer(std::move(old));
  pair_.Route("shadow");  // another version takes its place
  EXPECT_FALSE(version.expired());
  runner_.Start();
  runner_.Flush();
  EXPECT_TRUE(version.expired());
  EXPECT_EQ(Evidence().dropped, 1);
  EXPECT_EQ(Evidence().comparisons, 0);
}

TEST_F(RunnerTest, WaitsWhileAllWorkersAreBusy) {
  pair_.Join("Identity", Offline::kInconclusive);
  Occupy();
  runner_.Start();
  for (int i = 0; i < 20; ++i) Offer(pair_.MakeJob(i));
  EXPECT_EQ(Evidence().comparisons, 0);
  ASSERT_TRUE(dispatcher_.Withdraw(&busy_));
  runner_.Flush();
  EXPECT_EQ(Evidence().comparisons, 20);
}

TEST_F(RunnerTest, WhatMustRunGoesToTheWorkersWhenAllAreBusy) {
  pair_.Join("Identity", Offline::kInconclusive);
  Occupy();
  runner_.Start();
  for (int i = 0; i < 20; ++i) {
    Job job = pair_.MakeJob(i);
    job.must_run = i == 10;
    Offer(std::move(job));
  }
  batching::Queue& queue = *pair_.version()->int8->queue;
  ASSERT_EQ(dispatcher_.Waiting(queue), 1u);
  ASSERT_TRUE(dispatcher_.Withdraw(&busy_));
  RunNextBatch();
  runner_.Flush();
  EXPECT_EQ(Evidence().comparisons, 20);
  EXPECT_EQ(Evidence().agreement, 1);
  // It is no client's request.
  EXPECT_EQ(queue.metrics().Sum().codes[0], 0u);
}

TEST_F(RunnerTest, WhatMustRunGoesToTheWorkersWhenTheThreadIsBehind) {
  pair_.Join("Identity", Offline::kInconclusive);  // the thread has not even started
  Offer(pair_.MakeJob(0));
  for (int i = 1; i < 3; ++i) {
    Job job = pair_.MakeJob(i);
    job.must_run = i == 2;
    job.answered += std::chrono::seconds(1);
    Offer(std::move(job));
  }
  ASSERT_EQ(dispatcher_.Waiting(*pair_.version()->int8->queue), 1u);
  RunNextBatch();
  EXPECT_EQ(Evidence().comparisons, 1);
}

TEST_F(RunnerTest, WhatMustRunIsLeftWhereTheDispatcherHasNoRoom) {
  pair_.Join("Identity", Offline::kInconclusive);
  Occupy();
  Job job = pair_.MakeJob(1);
  job.must_run = true;
  job.bytes = size_t{2} << 20;
  EXPECT_FALSE(runner_.Offer(job));
  EXPECT_NE(job.version, nullptr);
}

TEST_F(RunnerTest, ForgetsModelsWhileItRuns) {
  pair_.Join("Identity", Offline::kInconclusive);
  runner_.Start();
  for (int i = 0; i < 100; ++i) {
    Offer(pair_.MakeJob(i));
    if (i % 10 == 0) runner_.Forget(*pair_.version()->int8->model);
  }
  runner_.Flush();
  EXPECT_EQ(Evidence().comparisons, 100);
}

TEST_F(RunnerTest, StopsWithJobsLeftAndTakesNoMore) {
  pair_.Join("Identity", Offline::kInconclusive);
  Occupy();
  runner_.Start();
  for (int i = 0; i < 20; ++i) Offer(pair_.MakeJob(i));
  runner_.Stop();
  Job late = pair_.MakeJob(20);
  EXPECT_FALSE(runner_.Offer(late));
  EXPECT_EQ(Evidence().comparisons, 0);
}

TEST_F(RunnerTest, StopsOnceTheWorkersHaveAnswered) {
  pair_.Join("Identity", Offline::kInconclusive);
  Occupy();
  runner_.Start();
  Job job = pair_.MakeJob(1);
  job.must_run = true;
  Offer(std::move(job));
  ASSERT_TRUE(dispatcher_.Withdraw(&busy_));
  std::thread stop([this] { runner_.Stop(); });
  RunNextBatch();
  stop.join();
  EXPECT_EQ(Evidence().comparisons, 1);
}

}  // namespace
}  // namespace tandem::shadow
