#include "server/quantization/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::quantization {
namespace {

using ::testing::HasSubstr;

constexpr char kWhole[] = R"({"format":1,"verdict":"proven","reason":"within budget.","artifact_sha256":"ab",
  "cpu":{"isa":"avx2"},
  "loss":{"metric":"top1","value":0.001,"lower":-0.002,"upper":0.004,"budget":0.01,"confidence":0.95,"samples":500},
  "speed":{"fp32_ms":5.1,"int8_ms":1.7,"ratio":3.0},
  "layers":[{"name":"a","precision":"int8"},{"name":"b","precision":"int8"},{"name":"c","precision":"fp32"}]})";

TEST(ParseReport, ReadsWhatTheServerTells) {
  const auto report = ParseReport(kWhole, "report.json");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->verdict, Verdict::kProven);
  EXPECT_EQ(report->reason, "within budget");
  EXPECT_EQ(report->artifact_sha256, "ab");
  EXPECT_EQ(report->isa, "avx2");
  ASSERT_TRUE(report->loss.has_value());
  EXPECT_EQ(report->loss->metric, "top1");
  EXPECT_DOUBLE_EQ(report->loss->upper, 0.004);
  EXPECT_EQ(report->loss->samples, 500);
  EXPECT_EQ(report->speedup, 3.0);
  EXPECT_EQ(report->int8_layers, 2);
  EXPECT_EQ(report->fp32_layers, 1);
}

TEST(ParseReport, TakesAVerdictAloneForAReport) {
  const auto report = ParseReport(R"({"format":1,"verdict":"rejected","reason":"not faster"})", "report.json");
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->verdict, Verdict::kRejected);
  EXPECT_FALSE(report->loss.has_value());
  EXPECT_FALSE(report->speedup.has_value());
}

TEST(ParseReport, NamesTheFileAndWhatIsWrongWithIt) {
  for (const auto& [text, what] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "not a JSON object"},
           {R"({"format":1,"verdict":"pro)", "not a JSON object"},
           {R"({"format":2,"verdict":"proven"})", "not of format 1"},
           {R"({"format":1})", "verdict: expected"},
           {R"({"format":1,"verdict":7})", "verdict: expected"},
           {R"({"format":1,"verdict":"good"})", "not \"good\""}}) {
    const absl::Status status = ParseReport(text, "dir/report.json").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("dir/report.json: ")) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(what)) << text;
  }
}

TEST(ParseReport, SurvivesValuesOfOtherTypes) {
  EXPECT_TRUE(
      ParseReport(R"({"format":1,"verdict":"proven","loss":3,"speed":[],"cpu":"x","layers":{"a":1}})", "r").ok());
  EXPECT_TRUE(ParseReport(R"({"format":1,"verdict":"proven","layers":[1,"x",{}],"speed":{"ratio":"x"}})", "r").ok());
}

}  // namespace
}  // namespace tandem::quantization
