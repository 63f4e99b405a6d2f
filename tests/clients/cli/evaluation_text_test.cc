#include "clients/cli/evaluation_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

void Set(v1::Estimate& estimate, double value, double lower, double upper) {
  estimate.set_value(value);
  estimate.set_lower_bound(lower);
  estimate.set_upper_bound(upper);
}

v1::Evaluation TwoVariants(const std::string& metric) {
  v1::Evaluation evaluation;
  evaluation.set_samples(200);
  evaluation.set_metric(metric);
  evaluation.set_reason("Because.");
  for (const char* variant : {"fp32", "int8"}) {
    v1::Score& score = *evaluation.add_scores();
    score.set_version(3);
    score.set_variant(variant);
    score.set_median_seconds(0.002);
    score.set_p99_seconds(0.003);
  }
  v1::Difference& difference = *evaluation.mutable_scores(1)->mutable_difference();
  difference.set_sqnr_db(30.5);
  difference.set_relative_error(0.03);
  difference.set_time_ratio(0.4);
  return evaluation;
}

TEST(EvaluationText, ShowsAccuracyAndWhatChanged) {
  v1::Evaluation evaluation = TwoVariants("top1");
  for (v1::Score& score : *evaluation.mutable_scores()) Set(*score.mutable_accuracy(), 0.9, 0.85, 0.94);
  v1::Difference& difference = *evaluation.mutable_scores(1)->mutable_difference();
  Set(*difference.mutable_loss(), 0.01, -0.005, 0.02);
  Set(*difference.mutable_changed(), 0.06, 0.03, 0.1);
  difference.set_samples_changed(12);
  difference.set_samples_to_right(4);
  difference.set_samples_to_wrong(6);
  for (int i = 0; i < 12; ++i) difference.add_changed_samples(10 * i);
  const std::string text = EvaluationText(evaluation, 0);
  EXPECT_THAT(text, HasSubstr("3 fp32   90.00 % (85.00 to 94.00)  -"));
  EXPECT_THAT(text, HasSubstr("3 int8   90.00 % (85.00 to 94.00)  1.00 % (-0.50 to 2.00)  0.03 (30.5 dB)"));
  EXPECT_THAT(text, HasSubstr("2 ms, p99 3  2.50 x"));
  EXPECT_THAT(text, HasSubstr("3 int8: 12 of 200 samples changed their answer, 4 to the right one and 6 away from it: "
                              "0, 10, 20, 30, 40, 50, 60, 70, 80, 90, ...\n"));
  EXPECT_THAT(text, HasSubstr("Because.\n"));
}

TEST(EvaluationText, ShowsNoiseWhereThereAreNoAnswers) {
  v1::Evaluation evaluation = TwoVariants("sqnr");
  Set(*evaluation.mutable_scores(1)->mutable_difference()->mutable_loss(), 30.5, 29, 32);
  const std::string text = EvaluationText(evaluation, 0);
  EXPECT_THAT(text, HasSubstr("30.5 dB (29.0 to 32.0)"));
  EXPECT_THAT(text, Not(HasSubstr("changed their answer")));
}

}  // namespace
}  // namespace tandem::cli
