#include "clients/cpp/service_config.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace tandem::client {
namespace {

constexpr int kMostAttempts = 5;  // gRPC takes more for this many

absl::Status Check(const RetryPolicy& retry) {
  if (retry.attempts < 1 || retry.attempts > kMostAttempts) {
    return absl::InvalidArgumentError(absl::StrCat("RetryPolicy: attempts is ", retry.attempts,
                                                   "; the first one counts and gRPC makes no more than ",
                                                   kMostAttempts));
  }
  if (retry.first_wait.count() <= 0 || retry.longest_wait.count() <= 0) {
    return absl::InvalidArgumentError(absl::StrCat("RetryPolicy: waits must be positive; first_wait is ",
                                                   retry.first_wait.count(), " ms, longest_wait ",
                                                   retry.longest_wait.count(), " ms"));
  }
  if (!(retry.factor >= 1 && retry.factor <= 1000)) {
    return absl::InvalidArgumentError(absl::StrCat("RetryPolicy: factor is ", retry.factor, "; it must be 1 to 1000"));
  }
  if (retry.codes.empty() || std::count(retry.codes.begin(), retry.codes.end(), absl::StatusCode::kOk) > 0) {
    return absl::InvalidArgumentError("RetryPolicy: codes must be some and none of them OK; attempts = 1 turns it off");
  }
  return absl::OkStatus();
}

std::string Seconds(std::chrono::milliseconds wait) { return absl::StrFormat("%.3fs", wait.count() / 1e3); }

std::string MethodConfig(const RetryPolicy& retry) {
  const std::string codes = absl::StrJoin(retry.codes, ",", [](std::string* out, absl::StatusCode code) {
    absl::StrAppend(out, "\"", absl::StatusCodeToString(code), "\"");
  });
  return absl::StrFormat(
      R"({"name":[{"service":"inference.GRPCInferenceService"}],"retryPolicy":{"maxAttempts":%d,)"
      R"("initialBackoff":"%s","maxBackoff":"%s","backoffMultiplier":%.3f,"retryableStatusCodes":[%s]}})",
      retry.attempts, Seconds(retry.first_wait), Seconds(retry.longest_wait), retry.factor, codes);
}

}  // namespace

absl::StatusOr<std::string> ServiceConfig(const RetryPolicy& retry) {
  if (absl::Status status = Check(retry); !status.ok()) return status;
  return absl::StrCat(R"({"loadBalancingConfig":[{"round_robin":{}}])",
                      retry.attempts > 1 ? absl::StrCat(R"(,"methodConfig":[)", MethodConfig(retry), "]") : "", "}");
}

}  // namespace tandem::client
