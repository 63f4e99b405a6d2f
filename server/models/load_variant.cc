#include "server/models/load_variant.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/models/warmup.h"

namespace tandem::models {
namespace {

using engine::TensorSpec;

std::string ToText(const TensorSpec& spec) {
  return absl::StrCat("\"", spec.name, "\" ", engine::NameOf(spec.type),
                      spec.has_rank ? engine::ToString(spec.shape) : "[...]");
}

bool SameShape(const TensorSpec& a, const TensorSpec& b) {
  // What a file leaves open about its outputs it does not contradict.
  return !a.has_rank || !b.has_rank || a.shape == b.shape;
}

absl::Status CheckSameSpecs(absl::string_view kind, const std::vector<TensorSpec>& a, const std::vector<TensorSpec>& b,
                            absl::string_view name_of_a) {
  if (a.size() != b.size()) {
    return absl::FailedPreconditionError(
        absl::StrCat("it has ", b.size(), " ", kind, "s, ", name_of_a, " has ", a.size()));
  }
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].name == b[i].name && a[i].type == b[i].type && SameShape(a[i], b[i])) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(kind, " ", i, " is ", ToText(b[i]), ", that of ", name_of_a, " is ", ToText(a[i])));
  }
  return absl::OkStatus();
}

WarmVariant MakeVariant(std::shared_ptr<const engine::Model> model, Precision precision, const Warmup& warmup,
                        const VariantOptions& options) {
  std::string name = absl::StrCat("model \"", options.model_name, "\" version ", options.version);
  if (precision == Precision::kInt8) absl::StrAppend(&name, " int8");
  auto variant = std::make_unique<Variant>();
  variant->model_name = options.model_name;
  variant->version = options.version;
  variant->precision = precision;
  variant->model = std::move(model);
  variant->shares_batch = warmup.shares_batch;
  const batching::QueueOptions queue{.name = std::move(name),
                                     .max_requests = static_cast<size_t>(options.config.max_queue_size),
                                     .batch = warmup.limits,
                                     .wide = warmup.wide};
  variant->queue = std::make_unique<batching::Queue>(queue, variant->model, options.workers);
  return {.variant = std::move(variant), .note = warmup.note};
}

}  // namespace

absl::Status CheckSameSignature(const engine::Model& a, const engine::Model& b, absl::string_view name_of_a) {
  TANDEM_RETURN_IF_ERROR(CheckSameSpecs("input", a.inputs(), b.inputs(), name_of_a));
  return CheckSameSpecs("output", a.outputs(), b.outputs(), name_of_a);
}

absl::StatusOr<WarmVariant> WarmUpFp32(std::shared_ptr<const engine::Model> model, const VariantOptions& options) {
  const WarmupOptions how{.max_batch_size = options.config.max_batch_size,
                          .max_delay = options.config.max_delay,
                          .wide_threads = options.wide_threads};
  TANDEM_ASSIGN_OR_RETURN(const Warmup warmup, WarmUp(model, how));
  return MakeVariant(std::move(model), Precision::kFp32, warmup, options);
}

absl::StatusOr<WarmVariant> LoadInt8(const std::string& file, const Variant& fp32, const VariantOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(std::shared_ptr<const engine::Model> model,
                          engine::Model::Load(file, {.free_batch = fp32.model->batch_was_freed()}));
  const absl::Status same = CheckSameSignature(*fp32.model, *model);
  if (!same.ok()) return engine::WithContext(same, file);
  if (!model->quantized()) return absl::FailedPreconditionError(absl::StrCat(file, ": nothing in it is quantized"));
  const WarmupOptions how{.max_batch_size = options.config.max_batch_size,
                          .max_delay = options.config.max_delay,
                          .tolerance = kInt8Tolerance,
                          .may_share_batch = fp32.shares_batch,
                          .wide_threads = options.wide_threads};
  TANDEM_ASSIGN_OR_RETURN(const Warmup warmup, WarmUp(model, how));
  return MakeVariant(std::move(model), Precision::kInt8, warmup, options);
}

}  // namespace tandem::models
