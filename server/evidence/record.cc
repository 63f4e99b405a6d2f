#include "server/evidence/record.h"

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/sha256.h"

namespace tandem::evidence {

// Field lists for the JSON library, which finds these functions by the types' namespace.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OutputTotals, real, rows, changed, noise, most_noise, cosine)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ChangeDetector::State, samples, alarm, log_next)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SequentialTest::State, samples, positive, negative, verdict, below, above)

namespace {

using nlohmann::json;

// "tandem-evidence FORMAT SHA256" and a newline before the JSON.
constexpr absl::string_view kName = "tandem-evidence";
constexpr int kFormat = 1;

json OfTerms(const Terms& terms) {
  return {{"subject", terms.subject},
          {"metric", terms.metric.has_value() ? json(*terms.metric) : json()},
          {"changed_budget", terms.changed_budget},
          {"noise_budget", terms.noise_budget},
          {"accuracy_budget", terms.accuracy_budget},
          {"alpha", terms.alpha}};
}

std::optional<Metric> MetricIn(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<Metric>());
}

Terms TermsIn(const json& value) {
  return {.subject = value.at("subject").get<std::string>(),
          .metric = MetricIn(value.at("metric")),
          .changed_budget = value.at("changed_budget").get<double>(),
          .noise_budget = value.at("noise_budget").get<double>(),
          .accuracy_budget = value.at("accuracy_budget").get<double>(),
          .alpha = value.at("alpha").get<double>()};
}

json OfArm(const ArmTotals& arm) {
  return {{"latency", arm.latency.counts},
          {"latency_sum", arm.latency.sum},
          {"outcomes", arm.outcomes},
          {"right", arm.right}};
}

ArmTotals ArmIn(const json& value) {
  ArmTotals arm{.outcomes = value.at("outcomes").get<int64_t>(), .right = value.at("right").get<int64_t>()};
  value.at("latency").get_to(arm.latency.counts);
  value.at("latency_sum").get_to(arm.latency.sum);
  return arm;
}

json OfRecord(const Record& record) {
  return {{"terms", OfTerms(record.terms)},
          {"metric", record.metric.has_value() ? json(*record.metric) : json()},
          {"attempt", record.attempt},
          {"candidate_serves", record.candidate_serves},
          {"comparisons", record.comparisons},
          {"duplicates", record.duplicates},
          {"dropped", record.dropped},
          {"pairs", record.pairs},
          {"outputs", record.outputs},
          {"baseline", OfArm(record.baseline)},
          {"candidate", OfArm(record.candidate)},
          {"changes", record.changes},
          {"accuracy", record.accuracy},
          {"changes_watch", record.changes_watch},
          {"accuracy_watch", record.accuracy_watch}};
}

Record RecordIn(const json& value) {
  Record record{.terms = TermsIn(value.at("terms")), .metric = MetricIn(value.at("metric"))};
  value.at("attempt").get_to(record.attempt);
  value.at("candidate_serves").get_to(record.candidate_serves);
  value.at("comparisons").get_to(record.comparisons);
  value.at("duplicates").get_to(record.duplicates);
  value.at("dropped").get_to(record.dropped);
  value.at("pairs").get_to(record.pairs);
  value.at("outputs").get_to(record.outputs);
  record.baseline = ArmIn(value.at("baseline"));
  record.candidate = ArmIn(value.at("candidate"));
  value.at("changes").get_to(record.changes);
  value.at("accuracy").get_to(record.accuracy);
  value.at("changes_watch").get_to(record.changes_watch);
  value.at("accuracy_watch").get_to(record.accuracy_watch);
  return record;
}

}  // namespace

std::string Encode(const Record& record) {
  const std::string body = OfRecord(record).dump();
  return absl::StrCat(kName, " ", kFormat, " ", engine::Sha256Of(body), "\n", body);
}

absl::StatusOr<Record> Decode(absl::string_view blob) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(blob, absl::MaxSplits('\n', 1));
  const std::vector<absl::string_view> head = absl::StrSplit(parts.first, ' ');
  int format = 0;
  if (head.size() != 3 || head[0] != kName || !absl::SimpleAtoi(head[1], &format) || format < 1) {
    return absl::DataLossError("this is no evidence");
  }
  if (format > kFormat) {
    return absl::UnimplementedError(
        absl::StrCat("the evidence has format ", format, "; this server knows formats up to ", kFormat));
  }
  if (engine::Sha256Of(parts.second) != head[2]) return absl::DataLossError("the evidence is damaged");
  try {
    return RecordIn(json::parse(parts.second.begin(), parts.second.end()));
  } catch (const json::exception& error) {
    return absl::DataLossError(absl::StrCat("the evidence cannot be read: ", error.what()));
  }
}

}  // namespace tandem::evidence
