#include "server/rpc/model_messages.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/rpc/datatype.h"

namespace tandem::rpc {
namespace {

constexpr const char* kPlatform = "tandem_onnx";

template <typename Message>
void AddTensors(const std::vector<engine::TensorSpec>& specs, google::protobuf::RepeatedPtrField<Message>& messages) {
  for (const engine::TensorSpec& spec : specs) {
    Message& message = *messages.Add();
    message.set_name(spec.name);
    message.set_datatype(std::string(WireName(spec.type)));
    for (int64_t dim : spec.shape) message.add_shape(dim);
  }
}

// The wire's enum has the wire's names with a prefix, but for strings.
inference::DataType ConfigType(engine::DataType type) {
  inference::DataType result = inference::TYPE_INVALID;
  if (type == engine::DataType::kString) return inference::TYPE_STRING;
  inference::DataType_Parse(absl::StrCat("TYPE_", std::string(WireName(type))), &result);
  return result;
}

// Triton leaves the batch dimension out of dims where max_batch_size is positive.
template <typename Message>
void AddConfigTensors(const std::vector<engine::TensorSpec>& specs, bool batched,
                      google::protobuf::RepeatedPtrField<Message>& messages) {
  for (const engine::TensorSpec& spec : specs) {
    Message& message = *messages.Add();
    message.set_name(spec.name);
    message.set_data_type(ConfigType(spec.type));
    for (size_t d = batched ? 1 : 0; d < spec.shape.size(); ++d) message.add_dims(spec.shape[d]);
  }
}

void Set(inference::StatisticDuration& duration, uint64_t count, uint64_t ns) {
  duration.set_count(count);
  duration.set_ns(ns);
}

std::string Number(double value) { return absl::StrFormat("%.6g", value); }

// What int8 is like, and what it cost and gained where that has been judged: "int8.state" and so on.
std::vector<std::pair<std::string, std::string>> DescribeInt8(const models::Lane& lane) {
  std::vector<std::pair<std::string, std::string>> facts = {{"state", std::string(NameOf(lane.state))},
                                                            {"reason", lane.reason}};
  if (lane.state == models::LaneState::kBuilding) {
    facts.emplace_back("stage", lane.progress.stage);
    facts.emplace_back("done", Number(lane.progress.done));
    facts.emplace_back("seconds_left", Number(lane.progress.seconds_left));
  }
  if (lane.report == nullptr) return facts;
  const quantization::Report& report = *lane.report;
  if (report.int8_layers + report.fp32_layers > 0) {
    facts.emplace_back("int8_layers", absl::StrCat(report.int8_layers));
    facts.emplace_back("fp32_layers", absl::StrCat(report.fp32_layers));
  }
  if (report.loss.has_value()) {
    facts.emplace_back("metric", report.loss->metric);
    facts.emplace_back("loss", Number(report.loss->value));
    facts.emplace_back("loss_lower", Number(report.loss->lower));
    facts.emplace_back("loss_upper", Number(report.loss->upper));
    facts.emplace_back("budget", Number(report.loss->budget));
  }
  if (report.speedup.has_value()) facts.emplace_back("speedup", Number(*report.speedup));
  return facts;
}

// Neither protocol has a field for variants; the parameters of a configuration are free.
void DescribeVariants(const models::Version& version, inference::ModelConfig& config) {
  auto& parameters = *config.mutable_parameters();
  std::string names;
  for (const models::VariantHandle& variant : version.variants()) {
    const std::string name(NameOf(variant->precision));
    absl::StrAppend(&names, names.empty() ? "" : ",", name);
    parameters[absl::StrCat("variant.", name, ".precision")].set_string_value(name);
    parameters[absl::StrCat("variant.", name, ".weight_bytes")].set_string_value(
        absl::StrCat(variant->model->weight_bytes()));
  }
  parameters["variants"].set_string_value(names);
  parameters["route.mode"].set_string_value(version.route.mode);
  if (version.route.between_versions()) {
    parameters["route.candidate_version"].set_string_value(absl::StrCat(version.route.candidate_version));
  }
  if (version.route.mode == "auto") {
    parameters["route.auto.serves"].set_string_value(version.auto_state.int8_serves ? "int8" : "fp32");
  }
  for (const auto& [key, value] : DescribeInt8(version.lane)) {
    if (!value.empty()) parameters[absl::StrCat("variant.int8.", key)].set_string_value(value);
  }
}

void AddVersionPolicy(const config::VersionPolicy& policy, inference::ModelVersionPolicy& message) {
  if (policy.all) {
    message.mutable_all();
  } else if (!policy.versions.empty()) {
    message.mutable_specific()->mutable_versions()->Add(policy.versions.begin(), policy.versions.end());
  } else {
    message.mutable_latest()->set_num_versions(static_cast<uint32_t>(policy.latest));
  }
}

}  // namespace

inference::ModelMetadataResponse MetadataOf(const models::Version& version, const std::vector<int64_t>& numbers) {
  inference::ModelMetadataResponse response;
  response.set_name(version.model_name);
  for (int64_t number : numbers) response.add_versions(absl::StrCat(number));
  response.set_platform(kPlatform);
  AddTensors(version.fp32->model->inputs(), *response.mutable_inputs());
  AddTensors(version.fp32->model->outputs(), *response.mutable_outputs());
  return response;
}

inference::ModelConfig ConfigOf(const models::Version& version) {
  inference::ModelConfig config;
  config.set_name(version.model_name);
  config.set_platform(kPlatform);
  config.set_backend("tandem");
  AddVersionPolicy(version.version_policy, *config.mutable_version_policy());
  config.set_max_batch_size(static_cast<int32_t>(version.max_batch_size));
  const bool batched = version.max_batch_size > 0;
  AddConfigTensors(version.fp32->model->inputs(), batched, *config.mutable_input());
  AddConfigTensors(version.fp32->model->outputs(), batched, *config.mutable_output());
  const batching::BatchLimits& limits = version.fp32->queue->options().batch;
  if (limits.max_rows > 1) {
    inference::ModelDynamicBatching& batching = *config.mutable_dynamic_batching();
    batching.add_preferred_batch_size(static_cast<int32_t>(limits.max_rows));
    batching.set_max_queue_delay_microseconds(static_cast<uint64_t>(limits.max_delay.count() / 1000));
  }
  config.set_default_model_filename("model.onnx");
  DescribeVariants(version, config);
  return config;
}

inference::ModelStatistics StatisticsOf(const models::Version& version) {
  metrics::VersionTotals totals;
  for (const models::VariantHandle& variant : version.variants()) variant->queue->metrics().AddTo(totals);
  inference::ModelStatistics message;
  message.set_name(version.model_name);
  message.set_version(version.number_text);
  message.set_last_inference(totals.last_inference_ms);
  message.set_inference_count(totals.batch_rows.sum);
  message.set_execution_count(totals.batch_rows.count());

  uint64_t failed = 0;
  for (size_t code = 1; code < metrics::kNumCodes; ++code) failed += totals.codes[code];
  const uint64_t succeeded = totals.codes[0];
  metrics::SizeTotals all;
  for (size_t rows = 0; rows < metrics::kMaxSizeStats; ++rows) {
    const metrics::SizeTotals& size = totals.by_size[rows];
    if (size.batches == 0) continue;
    inference::InferBatchStatistics& stats = *message.add_batch_stats();
    stats.set_batch_size(rows);
    Set(*stats.mutable_compute_input(), size.batches, size.gather_ns);
    Set(*stats.mutable_compute_infer(), size.batches, size.run_ns);
    Set(*stats.mutable_compute_output(), size.batches, size.respond_ns);
    all.gather_ns += size.gather_ns;
    all.run_ns += size.run_ns;
    all.respond_ns += size.respond_ns;
  }
  inference::InferStatistics& stats = *message.mutable_inference_stats();
  Set(*stats.mutable_success(), succeeded, totals.total.sum);
  Set(*stats.mutable_fail(), failed, totals.failed_ns);
  Set(*stats.mutable_queue(), succeeded, totals.queue.sum);
  Set(*stats.mutable_compute_input(), succeeded, all.gather_ns);
  Set(*stats.mutable_compute_infer(), succeeded, all.run_ns);
  Set(*stats.mutable_compute_output(), succeeded, all.respond_ns);
  return message;
}

const char* IndexState(models::State state) {
  switch (state) {
    case models::State::kPublished:
      return "READY";
    case models::State::kLoading:
    case models::State::kWarming:
      return "LOADING";
    case models::State::kDraining:
      return "UNLOADING";
    default:
      return "UNAVAILABLE";
  }
}

}  // namespace tandem::rpc
