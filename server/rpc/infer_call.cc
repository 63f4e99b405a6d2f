#include "server/rpc/infer_call.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/routing/candidate.h"
#include "server/routing/choose_variant.h"
#include "server/routing/draw.h"
#include "server/rpc/captured_exchange.h"
#include "server/rpc/datatype.h"

namespace tandem::rpc {
namespace {

// Rows [first, first + rows) of an output.
OutputView ViewOf(const engine::TensorSpec& spec, const engine::Tensor& tensor, const batching::Results& results) {
  OutputView view{.name = spec.name,
                  .datatype = WireName(tensor.type()),
                  .shape = tensor.shape(),
                  .data = tensor.data(),
                  .bytes = tensor.num_bytes()};
  if (results.whole) return view;
  const size_t row_bytes = tensor.num_bytes() / static_cast<size_t>(tensor.dim(0));
  view.shape[0] = results.rows;
  view.data = static_cast<const char*>(tensor.data()) + row_bytes * static_cast<size_t>(results.first_row);
  view.bytes = row_bytes * static_cast<size_t>(results.rows);
  return view;
}

}  // namespace

void InferCall::Release() {
  cancelled.store(false, std::memory_order_relaxed);
  queued_ = false;
  compared_ = Compared::kNo;
  call_ = nullptr;
  checked_ = Duration{0};
  buffer_.Clear();
  slices_.clear();
  blocks_.clear();
  parsed_ = InferRequest{};
  binding_ = Binding{};
  id_.clear();
  gathered_ = absl::OkStatus();
  shapes.clear();
  rows = 1;
  bytes = 0;
  queue.reset();
  variant_ = nullptr;
  arms_ = {};
  candidate_.reset();
  version_.reset();
}

void InferCall::Arrived(const grpc::ServerContext& call) {
  arrived = Now();
  call_ = &call;
  absl::Status status = Prepare(call);
  checked_ = Now() - arrived;
  if (status.ok() && context_.inline_runner.Offer(*this)) return;
  if (status.ok()) {
    // From here on a worker may answer at any moment: set what Cancel reads first.
    queued_ = true;
    status = context_.dispatcher.Submit(this);
    if (status.ok()) return;
    queued_ = false;
  }
  Refuse(status);
}

absl::Status InferCall::Prepare(const grpc::ServerContext& call) {
  TANDEM_RETURN_IF_ERROR(ReadBuffer());
  TANDEM_RETURN_IF_ERROR(ParseInferRequest(blocks_, parsed_));
  if (parsed_.id.empty()) {
    id_ = absl::StrCat(context_.id_prefix, absl::Hex(++context_.next_id));
  } else {
    id_.assign(parsed_.id.data(), parsed_.id.size());
  }
  TANDEM_ASSIGN_OR_RETURN(version_, context_.registry.Find(parsed_.model_name, parsed_.model_version));
  variant_ = version_->fp32.get();  // which counts the request if it is refused
  TANDEM_RETURN_IF_ERROR(ChooseVariant());
  const absl::Status bound =
      Bind(blocks_, parsed_, *variant_->model, variant_->shares_batch, context_.regions, shapes, binding_);
  if (!bound.ok()) return engine::WithContext(bound, variant_->queue->options().name);
  rows = binding_.rows;
  deadline = DeadlineOf(call);
  priority = parsed_.priority;
  start_by = StartBy();
  if (deadline <= arrived) return absl::DeadlineExceededError("the deadline passed before the request arrived");
  // The queue lives within the variant and keeps it and its version alive.
  queue = std::shared_ptr<batching::Queue>(version_, variant_->queue.get());
  return absl::OkStatus();
}

absl::Status InferCall::ReadBuffer() {
  if (!buffer_.Dump(&slices_).ok()) return absl::InvalidArgumentError("malformed request: cannot be decompressed");
  for (const grpc::Slice& slice : slices_) {
    blocks_.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
    bytes += slice.size();
  }
  return absl::OkStatus();
}

absl::Status InferCall::ChooseVariant() {
  if (version_->route.between_versions() && parsed_.model_version.empty() && parsed_.variant.empty()) {
    ChooseVersion();
    return absl::OkStatus();
  }
  const routing::Int8Status int8{
      .loaded = version_->int8 != nullptr, .lane = version_->lane, .auto_state = version_->auto_state};
  const auto precision = routing::ChooseVariant(parsed_.variant, version_->route, int8, Draw());
  if (!precision.ok()) return engine::WithContext(precision.status(), variant_->queue->options().name);
  if (*precision == models::Precision::kInt8) variant_ = version_->int8.get();
  const double share = routing::ComparedShare(version_->route, int8);
  if (share == 0 || context_.shadow_runner == nullptr || !parsed_.variant.empty()) return absl::OkStatus();
  const double drawn = routing::DrawOf(context_.next_draw++);
  const bool watched = *precision == models::Precision::kInt8 && drawn < routing::kWatchedShare;
  compared_ = watched ? Compared::kInAnyCase : drawn < share ? Compared::kYes : Compared::kNo;
  return absl::OkStatus();
}

void InferCall::ChooseVersion() {
  const config::RouteConfig& route = version_->route;
  arms_ = {.baseline = version_->number, .candidate = route.candidate_version};
  const bool splits = route.mode == "split";
  if (splits && Draw() >= route.candidate_weight) return;
  if (!splits && context_.shadow_runner == nullptr) return;
  if (!splits && routing::DrawOf(context_.next_draw++) >= route.shadow_rate) return;
  auto candidate = routing::FindCandidate(context_.registry, *version_);
  if (!candidate.ok()) return;  // operators are told why, with the route
  if (splits) {
    version_ = *std::move(candidate);
    variant_ = version_->fp32.get();
  } else {
    candidate_ = *std::move(candidate);
    compared_ = Compared::kYes;
  }
}

double InferCall::Draw() {
  if (version_->route.mode != "split") return 0;
  const absl::string_view key = parsed_.routing_key.empty() ? parsed_.id : parsed_.routing_key;
  return key.empty() ? routing::DrawOf(context_.next_draw++) : routing::DrawOf(version_->model_name, key);
}

Time InferCall::DeadlineOf(const grpc::ServerContext& call) const {
  const gpr_timespec raw = call.raw_deadline();
  if (gpr_time_cmp(raw, gpr_inf_future(raw.clock_type)) == 0) return Time::max();
  const auto left = call.deadline() - std::chrono::system_clock::now();
  constexpr auto kForEver = std::chrono::hours(24 * 365);
  return left > kForEver ? Time::max() : arrived + std::chrono::duration_cast<Duration>(left);
}

Time InferCall::StartBy() const {
  constexpr std::chrono::microseconds kForEver = std::chrono::hours(24 * 365);
  if (parsed_.timeout_us == 0 || parsed_.timeout_us > static_cast<uint64_t>(kForEver.count())) return Time::max();
  return arrived + std::chrono::microseconds(parsed_.timeout_us);
}

void InferCall::Refuse(const absl::Status& status) {
  if (variant_ != nullptr) {
    variant_->queue->metrics().receiver().RequestRefused(status.code());
  } else {
    context_.refused[static_cast<size_t>(status.code())].Add(1);
  }
  if (context_.log->WantsAll()) {
    const Time now = Now();
    context_.log->Write(EntryOf(status, {.total = now - arrived}), now);
  }
  responder_.Respond(status);
}

RequestEntry InferCall::EntryOf(const absl::Status& status, const metrics::RequestTimes& times) const {
  const Duration received = std::min(checked_, times.total);
  RequestEntry entry{.id = id_,
                     .status = status,
                     .rows = rows,
                     .bytes = static_cast<int64_t>(bytes),
                     .receive = received,
                     .queue = std::max(times.queue - received, Duration{0}),
                     .gather = times.gather,
                     .compute = times.compute - times.gather,
                     .total = times.total};
  if (version_ != nullptr) {
    entry.model = version_->model_name;
    entry.version = version_->number_text;
    entry.variant = std::string(NameOf(variant_->precision));
  } else {
    entry.model = std::string(parsed_.model_name);
    entry.version = std::string(parsed_.model_version);
  }
  const auto& headers = call_->client_metadata();
  if (const auto found = headers.find("traceparent"); found != headers.end()) {
    entry.trace_id = std::string(TraceIdOf({found->second.data(), found->second.size()}));
  }
  return entry;
}

void InferCall::Cancel() {
  if (!queued_) return;
  cancelled.store(true, std::memory_order_relaxed);
  // Free its place in the queue at once, unless a worker has it already.
  if (context_.dispatcher.Withdraw(this)) Refuse(absl::CancelledError("the client has gone"));
}

void InferCall::Gather(int i, size_t offset, size_t size, void* destination) const {
  const InputBytes& input = binding_.inputs[i];
  char* to = static_cast<char*>(destination);
  if (input.region == nullptr) return CopyInput(blocks_, input, offset, size, to);
  const absl::Status read = input.region->Read(input.region_offset + offset, size, to);
  if (read.ok()) return;
  gathered_ = read;
  std::memset(to, 0, size);
}

void InferCall::Answer(const absl::Status& status, const batching::Results* results, metrics::RequestTimes times,
                       metrics::VersionMetrics::Shard& shard) {
  const absl::Status& failed = status.ok() ? gathered_ : status;
  if (version_->traffic != nullptr && failed.ok()) OfferSample();
  std::optional<shadow::Job> job;
  if (compared_ != Compared::kNo && failed.ok()) job = MakeJob(*results, times);
  absl::StatusOr<grpc::Slice> answer = failed.ok() ? Encoded(*results, job.has_value() ? &*job : nullptr) : failed;
  if (answer.ok() && version_->outcomes.keep > 0 && context_.outcomes != nullptr) KeepForOutcome(*results);
  shadow::Runner* const runner = context_.shadow_runner;
  // Count first: after Respond the call may be another's already, and clients may ask for the counts.
  shard.RequestDone(answer.status().code(), times);
  RequestLog* const log = context_.log;
  std::optional<RequestEntry> entry;
  Time now{};
  if (log->Wants(times.total)) {
    now = Now();
    entry = EntryOf(answer.status(), times);
    entry->reply = now - arrived - times.total;
    entry->total += entry->reply;
  }
  const bool compare = job.has_value() && job->exchange != nullptr && answer.ok();
  responder_.Respond(std::move(answer));
  // The client does not wait for this, and the call is no longer ours.
  if (entry.has_value()) log->Write(*entry, now);
  if (compare && !runner->Offer(*job)) job->variant().queue->metrics().NotCompared();
}

void InferCall::OfferSample() const {
  const std::vector<engine::TensorSpec>& specs = variant_->model->inputs();
  size_t held = 0;
  for (size_t i = 0; i < specs.size(); ++i) {
    if (binding_.inputs[i].region != nullptr) return;  // its owner may have written over it by now
    held += static_cast<size_t>(engine::NumElements(shapes[i])) * engine::SizeOf(specs[i].type);
  }
  version_->traffic->Offer(held, arrived, [&] {
    traffic::Inputs inputs;
    for (size_t i = 0; i < specs.size(); ++i) {
      engine::Tensor& input = inputs.emplace_back(specs[i].type, shapes[i]);
      Gather(static_cast<int>(i), 0, input.num_bytes(), input.data());
    }
    return inputs;
  });
}

void InferCall::KeepForOutcome(const batching::Results& results) const {
  std::vector<int> all(results.outputs.size());
  std::iota(all.begin(), all.end(), 0);
  context_.outcomes->Answered({.model = version_->model_name,
                               .version = version_->number,
                               .id = id_,
                               .by = variant_->precision,
                               .arms = arms_,
                               .answer = evidence::AnswerOf(shadow::RowsOf(results, all)),
                               .at = arrived},
                              version_->outcomes);
}

shadow::Job InferCall::MakeJob(const batching::Results& results, const metrics::RequestTimes& times) const {
  shadow::Job job{.version = version_,
                  .answered_by = variant_->precision,
                  .candidate = candidate_,
                  .shapes = shapes,
                  .id = version_->outcomes.keep > 0 ? id_ : "",
                  .bytes = bytes,
                  .took = shadow::ShareOf(results, times.compute),
                  .answered = arrived + times.total,
                  .must_run = compared_ == Compared::kInAnyCase};
  for (const BoundOutput& bound : binding_.outputs) {
    const int i = bound.index;
    const engine::Tensor& output = *results.outputs[i];
    job.answers.push_back({.output = i, .type = output.type(), .shape = output.shape()});
    if (!results.whole) job.answers.back().shape[0] = results.rows;
  }
  return job;
}

absl::StatusOr<grpc::Slice> InferCall::Encoded(const batching::Results& results, shadow::Job* job) {
  absl::InlinedVector<OutputView, 4> views;
  // Before outputs are written: they may lie where the inputs are.
  if (job != nullptr && !CopySharedInputs().ok()) job = nullptr;
  std::vector<std::string> elsewhere(binding_.outputs.size());  // what is not in the message, for the job
  for (size_t k = 0; k < binding_.outputs.size(); ++k) {
    const BoundOutput& output = binding_.outputs[k];
    const int i = output.index;
    views.push_back(ViewOf(variant_->model->outputs()[i], *results.outputs[i], results));
    if (output.region == nullptr) continue;
    TANDEM_RETURN_IF_ERROR(WriteShared(output, views.back()));
    if (job != nullptr) elsewhere[k].assign(static_cast<const char*>(views.back().data), views.back().bytes);
    views.back().bytes = 0;  // none of it is in the message
  }
  const InferResponse response{.model_name = version_->model_name,
                               .model_version = version_->number_text,
                               .id = id_,
                               .variant = NameOf(variant_->precision),
                               .outputs = views};
  const size_t size = EncodedSize(response);
  if (size > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return absl::ResourceExhaustedError(absl::StrCat("the results are ", size, " bytes, more than a message holds"));
  }
  grpc::Slice slice(size);
  Encode(response, reinterpret_cast<char*>(const_cast<uint8_t*>(slice.begin())));
  if (job != nullptr) {
    job->bytes += size;
    for (const std::string& bytes : elsewhere) job->bytes += bytes.size();
    for (const InputBytes& input : binding_.inputs) job->bytes += input.decoded.size();
    job->exchange = std::make_unique<CapturedExchange>(std::move(slices_), std::move(blocks_), std::move(binding_),
                                                       slice, ValueOffsets(response), std::move(elsewhere));
  }
  return slice;
}

absl::Status InferCall::CopySharedInputs() {
  for (size_t i = 0; i < binding_.inputs.size(); ++i) {
    InputBytes& input = binding_.inputs[i];
    if (input.region == nullptr) continue;
    const engine::DataType type = variant_->model->inputs()[i].type;
    input.decoded.resize(static_cast<size_t>(engine::NumElements(shapes[i])) * engine::SizeOf(type));
    TANDEM_RETURN_IF_ERROR(input.region->Read(input.region_offset, input.decoded.size(), input.decoded.data()));
    input.region = nullptr;
    input.is_raw = false;
  }
  return absl::OkStatus();
}

absl::Status InferCall::WriteShared(const BoundOutput& output, const OutputView& view) const {
  absl::Status status;
  if (view.bytes > output.region_bytes) {
    status = absl::InvalidArgumentError(
        absl::StrCat("the results are ", view.bytes, " bytes, the shared memory given is ", output.region_bytes));
  } else {
    status = output.region->Write(output.region_offset, view.bytes, view.data);
  }
  return engine::WithContext(status, absl::StrCat("output ", Quoted(view.name)));
}

}  // namespace tandem::rpc
