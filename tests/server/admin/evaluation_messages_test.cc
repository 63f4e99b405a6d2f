#include "server/admin/evaluation_messages.h"

#include <gtest/gtest.h>

namespace tandem::admin {
namespace {

using models::Precision;

constexpr char kLine[] =
    R"({"samples":200,"metric":"top1","reason":"because","confidence":0.95,"scores":[
        {"model":"/m/1/model.onnx","median_seconds":0.002,"p99_seconds":0.003,
         "accuracy":{"value":0.9,"lower_bound":0.85,"upper_bound":0.94}},
        {"model":"/m/1/int8/model.onnx","median_seconds":0.001,"p99_seconds":0.001,
         "accuracy":{"value":0.89,"lower_bound":0.84,"upper_bound":0.93},
         "difference":{"loss":{"value":0.01,"lower_bound":-0.01,"upper_bound":0.02},"sqnr_db":30.5,"relative_error":0.03,
                       "time_ratio":0.5,"changed":{"value":0.02},"samples_changed":4,"changed_samples":[1,2,3,9],
                       "samples_to_right":1,"samples_to_wrong":3}}]})";

TEST(EvaluationOf, NamesVariantsInPlaceOfFiles) {
  const auto evaluation = EvaluationOf(kLine, {{3, Precision::kFp32, "a"}, {3, Precision::kInt8, "b"}});
  ASSERT_TRUE(evaluation.ok()) << evaluation.status();
  EXPECT_EQ(evaluation->samples(), 200);
  EXPECT_EQ(evaluation->scores(0).version(), 3);
  EXPECT_EQ(evaluation->scores(0).variant(), "fp32");
  EXPECT_EQ(evaluation->scores(1).variant(), "int8");
  EXPECT_FALSE(evaluation->scores(0).has_difference());
  const v1::Difference& difference = evaluation->scores(1).difference();
  EXPECT_EQ(difference.loss().lower_bound(), -0.01);
  EXPECT_EQ(difference.changed_samples_size(), 4);
  EXPECT_EQ(difference.samples_to_wrong(), 3);
}

TEST(EvaluationOf, RefusesWhatIsNone) {
  EXPECT_EQ(EvaluationOf("Killed", {{1, Precision::kFp32, "a"}}).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(EvaluationOf("", {{1, Precision::kFp32, "a"}}).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(EvaluationOf(kLine, {{1, Precision::kFp32, "a"}}).status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace tandem::admin
