// ModelConfig: what the owner of a model may say about it in REPO/MODEL/config.yaml; every key is optional.
#ifndef TANDEM_CONFIG_MODEL_CONFIG_H_
#define TANDEM_CONFIG_MODEL_CONFIG_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/settings.h"

namespace tandem::config {

// Which versions of the repository are served.
struct VersionPolicy {
  // The newest N; unless `all` or `versions` says otherwise.
  int64_t latest = 1;
  bool all = false;
  std::vector<int64_t> versions;

  friend bool operator==(const VersionPolicy&, const VersionPolicy&) = default;
};

// How the int8 variant is built and judged.
struct QuantizationConfig {
  std::string enabled = "auto";       // auto, true or false
  std::string method = "integer";     // integer, fixed_point or binary
  std::optional<std::string> metric;  // top1, agreement or sqnr; unset: top1 with labels, agreement without
  std::optional<double> max_loss;     // share of the metric that may be lost
  std::optional<double> min_db;       // sqnr only: decibels
  double confidence = 0.95;
};

// Whether int8 is built from inputs of live requests where there are no samples beside the model.
struct TrafficSamplesConfig {
  bool enabled = false;
  int64_t count = 512;                                            // samples at most
  int64_t of_requests = 5000;                                     // how many pass before they are used
  int64_t max_bytes = 64 << 20;                                   // of all samples together
  std::chrono::nanoseconds max_age = std::chrono::hours(7 * 24);  // nothing is kept for longer

  friend bool operator==(const TrafficSamplesConfig&, const TrafficSamplesConfig&) = default;
};

// How requests choose a variant or, with a candidate, between two versions.
struct RouteConfig {
  std::string mode = "auto";  // fp32, int8, split, shadow or auto
  double int8_weight = 0.1;   // split: share of requests that go to int8
  double shadow_rate = 0.05;  // shadow and auto: share of requests that are compared
  // split and shadow between versions: this one beside the newest other one, both in fp32. 0: between variants.
  int64_t candidate_version = 0;
  double candidate_weight = 0.1;  // split: share of requests that go to the candidate

  bool between_versions() const { return candidate_version != 0; }

  friend bool operator==(const RouteConfig&, const RouteConfig&) = default;
};

// INVALID_ARGUMENT when a value is none that the key takes.
absl::Status Validate(const RouteConfig& route);

// Which answers are remembered, so that clients may tell later whether they were right.
struct OutcomesConfig {
  int64_t keep = 0;  // answers at most; 0: none
  std::chrono::nanoseconds max_age = std::chrono::hours(1);

  friend bool operator==(const OutcomesConfig&, const OutcomesConfig&) = default;
};

struct ModelConfig {
  // Rows of a batch at most; unset: found at warm-up; 1: never batch.
  std::optional<int64_t> max_batch_size;
  // How long a request waits for company; unset: not at all.
  std::optional<std::chrono::nanoseconds> max_delay;
  // Requests that may wait.
  int64_t max_queue_size = 1024;
  VersionPolicy version_policy;
  // Versions kept warm for an instant rollback.
  int64_t keep_previous = 1;
  QuantizationConfig quantization;
  TrafficSamplesConfig samples_from_traffic;
  RouteConfig route;
  OutcomesConfig outcomes;
};

// Reads a config.yaml; `file` is for messages.
absl::StatusOr<ModelConfig> ParseModelConfig(const std::string& text, const std::string& file);

}  // namespace tandem::config

#endif  // TANDEM_CONFIG_MODEL_CONFIG_H_
