#include "server/metrics/version_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/metrics/exposition.h"

namespace tandem::metrics {
namespace {

using std::chrono::microseconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Histogram, PutsValuesUnderTheirBounds) {
  Histogram<10, 3> histogram;  // up to 10, up to 20, above
  for (uint64_t value : {0, 10, 11, 20, 21, 1000000}) histogram.Observe(value);
  Histogram<10, 3>::Snapshot snapshot;
  histogram.AddTo(snapshot);
  EXPECT_THAT(snapshot.counts, ::testing::ElementsAre(2, 2, 2));
  EXPECT_EQ(snapshot.sum, 1000062u);
  EXPECT_EQ(snapshot.count(), 6u);
}

TEST(VersionMetrics, SumsItsShards) {
  VersionMetrics metrics(2);
  metrics.receiver().RequestRefused(absl::StatusCode::kInvalidArgument);
  metrics.Refused(Refusal::kQueueBytes);
  metrics.worker(0).RequestDone(absl::StatusCode::kOk, {.total = microseconds(100)});
  metrics.worker(1).RequestDone(absl::StatusCode::kOk, {.total = microseconds(300)});
  metrics.worker(1).BatchRan(4, microseconds(1), microseconds(10));
  metrics.wide().BatchRan(1, microseconds(1), microseconds(10));
  metrics.wide().PlanBound(4096);
  metrics.worker(0).PlanBound(8192);
  metrics.worker(0).PlanBound(64);
  const VersionTotals totals = metrics.Sum();
  EXPECT_EQ(totals.codes[0], 2u);
  EXPECT_EQ(totals.codes[static_cast<size_t>(absl::StatusCode::kInvalidArgument)], 1u);
  EXPECT_EQ(totals.refusals[static_cast<size_t>(Refusal::kQueueBytes)], 1u);
  EXPECT_EQ(totals.total.sum, 400000u);
  EXPECT_EQ(totals.by_size[4].batches, 1u);
  EXPECT_EQ(totals.by_size[1].batches, 1u);
  EXPECT_EQ(totals.wide_batches, 1u);
  EXPECT_EQ(totals.arena_bytes, 8192u);
}

TEST(Exposition, WritesSecondsWithLabels) {
  VersionMetrics metrics(1);
  metrics.worker(0).RequestDone(absl::StatusCode::kOk, {.total = microseconds(100)});
  const ServerSample sample{.version = "1", .versions = {{"m", "3", "fp32", metrics.Sum()}}};
  const std::string text = Serialize(Families(sample));
  EXPECT_THAT(text, HasSubstr(R"(tandem_requests_total{model="m",version="3",variant="fp32",code="OK"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(tandem_request_seconds_sum{model="m",version="3",variant="fp32"} 0.0001)"));
  EXPECT_THAT(text, HasSubstr(R"(le="+Inf"} 1)"));
}

TEST(Exposition, HistogramsBeginWithTheFirstRequest) {
  VersionMetrics metrics(1);
  const auto text = [&] { return Serialize(Families({.versions = {{"m", "3", "fp32", metrics.Sum()}}})); };
  EXPECT_THAT(text(), Not(HasSubstr("tandem_request_seconds_count")));
  EXPECT_THAT(text(), Not(HasSubstr("tandem_batch_rows_count")));
  EXPECT_THAT(text(), HasSubstr(R"(tandem_requests_total{model="m",version="3",variant="fp32",code="OK"} 0)"));
  metrics.worker(0).RequestDone(absl::StatusCode::kOk, {.total = microseconds(100)});
  metrics.worker(0).BatchRan(1, microseconds(1), microseconds(10));
  for (const char* name : {"request_queue_seconds", "request_compute_seconds", "request_seconds", "batch_rows"}) {
    EXPECT_THAT(text(), HasSubstr(absl::StrCat("tandem_", name, R"(_count{model="m",version="3",variant="fp32"} 1)")));
  }
}

TEST(BuildMetrics, AreExposedByOutcomeWithTheTimeTheyTook) {
  BuildMetrics builds;
  builds.Ended(BuildOutcome::kProven, std::chrono::seconds(3));
  builds.Ended(BuildOutcome::kFailed, std::chrono::milliseconds(500));
  const std::string text = Serialize(Families({.builds = builds.Sum()}));
  EXPECT_THAT(text, HasSubstr("tandem_builds_total{outcome=\"proven\"} 1"));
  EXPECT_THAT(text, HasSubstr("tandem_builds_total{outcome=\"failed\"} 1"));
  EXPECT_THAT(text, HasSubstr("tandem_builds_total{outcome=\"cancelled\"} 0"));
  EXPECT_THAT(text, HasSubstr("tandem_build_seconds_count 2"));
  EXPECT_THAT(text, HasSubstr("tandem_build_seconds_bucket{le=\"1\"} 1"));
}

}  // namespace
}  // namespace tandem::metrics
