// From an engine's model to a variant that may serve: warmed up, measured, with a queue of its own.
#ifndef TANDEM_SERVER_MODELS_LOAD_VARIANT_H_
#define TANDEM_SERVER_MODELS_LOAD_VARIANT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "config/model_config.h"
#include "engine/model.h"
#include "server/models/variant.h"

namespace tandem::models {

struct VariantOptions {
  std::string model_name;
  int64_t version = 1;
  config::ModelConfig config;
  int workers = 1;       // shards of metrics
  int wide_threads = 1;  // of the wide executor
};

struct WarmVariant {
  std::unique_ptr<Variant> variant;
  std::string note;  // what warm-up found, for the log
};

// The original, in fp32.
absl::StatusOr<WarmVariant> WarmUpFp32(std::shared_ptr<const engine::Model> model, const VariantOptions& options);

// The int8 sibling of `fp32` from an ONNX file. FAILED_PRECONDITION when it is no sibling: other inputs or outputs, or
// nothing in it is quantized. Its requests share batches only where those of fp32 do.
absl::StatusOr<WarmVariant> LoadInt8(const std::string& file, const Variant& fp32, const VariantOptions& options);

// OK when clients of `a`, which messages call `name_of_a`, may be answered by `b`: the same inputs and outputs, in the
// same order.
absl::Status CheckSameSignature(const engine::Model& a, const engine::Model& b,
                                absl::string_view name_of_a = NameOf(Precision::kFp32));

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_LOAD_VARIANT_H_
