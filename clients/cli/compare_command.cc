#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/cli/commands.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace tandem::cli {
namespace {

struct CompareOptions {
  std::string model;
  int64_t version = 0;
};

std::string MillisecondsText(double seconds) { return absl::StrFormat("%.3g ms", seconds * 1e3); }

// The bound of the bucket that holds the `share` of the smallest.
std::string QuantileText(const v1::ArmEvidence& arm, double share) {
  int64_t total = 0, below = 0;
  for (const v1::LatencyBucket& bucket : arm.latency()) total += bucket.count();
  for (const v1::LatencyBucket& bucket : arm.latency()) {
    below += bucket.count();
    if (static_cast<double>(below) < share * static_cast<double>(total)) continue;
    return std::isinf(bucket.at_most_seconds()) ? "long"
                                                : absl::StrCat("<= ", MillisecondsText(bucket.at_most_seconds()));
  }
  return "-";
}

std::string RightText(const v1::ArmEvidence& arm) {
  if (arm.outcomes() == 0) return "-";
  const double share = static_cast<double>(arm.outcomes_right()) / static_cast<double>(arm.outcomes());
  return absl::StrCat(ShareText(share), " of ", arm.outcomes());
}

void AppendTest(const char* what, const v1::TestEvidence& test, std::string& text) {
  if (test.samples() == 0) return;
  absl::StrAppend(&text, what, ": ", ShareText(test.mean_loss()), " (", ShareText(test.lower_bound()), " to ",
                  ShareText(test.upper_bound()), "; budget ", ShareText(test.budget()), ") on ", test.samples(),
                  " samples: ", test.verdict(), test.alarm() ? ", alarm" : "", "\n");
}

// What the evidence is about, and what it is compared with.
std::string SubjectText(const v1::CompareResponse& evidence) {
  if (evidence.baseline_version() == 0) return absl::StrCat("int8 of version ", evidence.version());
  return absl::StrCat("version ", evidence.version(), " beside version ", evidence.baseline_version());
}

std::string Text(const v1::CompareResponse& evidence) {
  std::string text = absl::StrCat(SubjectText(evidence), " is ", evidence.verdict(), " by live evidence",
                                  evidence.int8_serves() ? ", and serves" : "");
  if (!evidence.reason().empty()) absl::StrAppend(&text, ": ", evidence.reason());
  absl::StrAppend(&text, "\n", evidence.comparisons(), " requests compared, ", evidence.duplicates(),
                  " left out as duplicates, ", evidence.dropped(), " dropped; attempt ", evidence.attempt(), "\n");
  if (evidence.comparisons() == 0) return text;
  absl::StrAppendFormat(&text, "%s of answers are the same; relative error %.3g, cosine %.6f\n",
                        ShareText(evidence.agreement()), evidence.relative_error(), evidence.cosine());
  AppendTest("changes", evidence.changes(), text);
  AppendTest("accuracy lost", evidence.accuracy(), text);
  const bool of_versions = evidence.baseline_version() != 0;
  Table table({"", of_versions ? absl::StrCat("VERSION ", evidence.baseline_version()) : "FP32",
               of_versions ? absl::StrCat("VERSION ", evidence.version()) : "INT8"});
  const v1::ArmEvidence &fp32 = evidence.fp32(), &int8 = evidence.int8();
  table.Add({"mean", MillisecondsText(fp32.mean_seconds()), MillisecondsText(int8.mean_seconds())});
  table.Add({"p50", QuantileText(fp32, 0.5), QuantileText(int8, 0.5)});
  table.Add({"p99", QuantileText(fp32, 0.99), QuantileText(int8, 0.99)});
  table.Add({"right", RightText(fp32), RightText(int8)});
  return absl::StrCat(text, table.ToText(TerminalWidth()));
}

absl::Status Compare(Connection& connection, const CompareOptions& options) {
  v1::CompareRequest request;
  request.set_model(options.model);
  request.set_version(options.version);
  v1::CompareResponse response;
  absl::Status status = connection.Call(&v1::Admin::Stub::Compare, request, response);
  if (!status.ok()) return status;
  if (connection.options().json) {
    PrintJson(response);
  } else {
    std::fputs(Text(response).c_str(), stdout);
  }
  return status;
}

}  // namespace

void AddCompare(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand(
      "compare", "What is known from live requests of int8 beside fp32, or of a version beside another");
  const auto options = std::make_shared<CompareOptions>();
  command->add_option("MODEL", options->model, "The model's name")->required();
  command
      ->add_option("--version", options->version,
                   "int8 of this version [the candidate of the route, or int8 of what serves]")
      ->type_name("N");
  command->callback(
      [&chosen, options] { chosen = [options](Connection& connection) { return Compare(connection, *options); }; });
}

}  // namespace tandem::cli
