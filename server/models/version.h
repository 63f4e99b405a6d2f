// Version: one loaded version of a model as requests see it at one moment: its variants and its route.
//
// Immutable: when int8 joins or leaves, or the route changes, the registry hands out another Version in one swap.
// A request reads it once; those in flight keep the one they have, and with it the variants that compute them.
#ifndef TANDEM_SERVER_MODELS_VERSION_H_
#define TANDEM_SERVER_MODELS_VERSION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/model_config.h"
#include "server/models/lane.h"
#include "server/models/variant.h"
#include "server/traffic/collection.h"

namespace tandem::models {

// What evidence has made of the route `auto`; it means nothing to the other routes.
struct AutoState {
  bool int8_serves = false;
  bool gathers = false;  // comparisons may still change that
  int attempt = 1;       // at proving int8
  std::chrono::system_clock::time_point since{};
};

struct Version {
  std::string model_name;
  int64_t number = 1;
  std::string number_text;
  std::string stamp;  // of its files: tells it from another of the same number
  // What clients are told; 0 where the batch is not shared.
  int64_t max_batch_size = 0;
  config::RouteConfig route;
  config::OutcomesConfig outcomes;
  config::VersionPolicy version_policy;  // of the model
  VariantHandle fp32;                    // never null
  VariantHandle int8;  // null unless `lane` has a verdict, and at times even then: some are rejected unbuilt
  Lane lane;           // of int8
  AutoState auto_state;
  // Requests leave samples of their inputs here; null: none are collected.
  std::shared_ptr<traffic::Collection> traffic;

  // The route compares it with another version, which answers requests that name none.
  bool is_candidate() const { return route.candidate_version == number; }

  // Those that are there, fp32 first.
  std::vector<VariantHandle> variants() const {
    return int8 == nullptr ? std::vector<VariantHandle>{fp32} : std::vector<VariantHandle>{fp32, int8};
  }
};

using VersionHandle = std::shared_ptr<const Version>;

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_VERSION_H_
