#include "server/app/app.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/session.h"
#include "engine/status.h"
#include "server/resources/resources.h"
#include "server/version.h"

namespace tandem::app {
namespace {

using models::State;
using models::VersionStatus;

// How soon readiness that comes late is noticed.
constexpr Duration kReadyPoll = std::chrono::milliseconds(50);

// How often the limits of the control groups are read.
constexpr Duration kLimitsPoll = std::chrono::seconds(2);

int WorkersOf(const config::ServerConfig& config) {
  return config.workers > 0 ? static_cast<int>(config.workers) : resources::CoresByAffinity();
}

// Where state is kept when nobody says: the XDG base directories. Empty without a home.
std::string StateDirOf(const config::ServerConfig& config) {
  if (!config.state_dir.empty()) return config.state_dir;
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return absl::StrCat(state, "/tandem");
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? absl::StrCat(home, "/.local/state/tandem") : "";
}

std::string QuantizerOf(const config::ServerConfig& config) {
  if (!config.quantizer.empty()) return config.quantizer;
  std::error_code error;
  return (std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "tandem-model").string();
}

void LogStep(const VersionStatus& step, const std::string& note) {
  const std::string name = absl::StrCat("model ", step.model, " version ", step.version);
  if (step.state == State::kFailed) {
    spdlog::error("{} failed: {}", name, step.reason);
  } else if (step.state == State::kPublished) {
    spdlog::info("{} published; {}", name, note);
  } else {
    spdlog::debug("{} {}", name, std::string(NameOf(step.state)));
  }
}

void LogLaneStep(const models::LaneStatus& step, const std::string& note) {
  const std::string text = absl::StrCat("model ", step.model, " version ", step.version, ": ", Describe(step.lane),
                                        note.empty() ? "" : "; ", note);
  switch (step.lane.state) {
    case models::LaneState::kFailed:
      return spdlog::error("{}", text);
    case models::LaneState::kAbsent:
    case models::LaneState::kBuilt:
      return spdlog::debug("{}", text);
    default:
      return spdlog::info("{}", text);
  }
}

}  // namespace

App::App(const config::ServerConfig& config)
    : config_(config),
      memory_(
          [this] {
            return config_.memory_limit > 0 ? std::optional<int64_t>(config_.memory_limit) : cgroups_.MemoryLimit();
          },
          resources::ResidentBytes),
      dispatcher_(WorkersOf(config), static_cast<size_t>(config.max_queue_bytes)),
      loader_({.files = config.models,
               .repositories = config.model_repositories,
               .poll_interval = config.poll_interval,
               .workers = WorkersOf(config),
               .state_dir = StateDirOf(config),
               .quantizer = QuantizerOf(config),
               .forget =
                   [this](const engine::Model& model) {
                     dispatcher_.Forget(model);
                     inline_runner_.Forget(model);
                   },
               .check_memory = [this](int64_t bytes) { return memory_.Check(bytes); },
               .on_step = LogStep,
               .on_lane_step = LogLaneStep,
               .on_warning = [](const std::string& text) { spdlog::warn("{}", text); }},
              registry_) {}

App::~App() {
  Drain();
  // The loader may be waiting for the workers to forget a model: it ends first.
  loader_.Stop();
}

absl::Status App::Start() {
  FollowLimits();
  workers_ = std::make_unique<scheduling::WorkerPool>(dispatcher_);
  const auto ready = [this] { return Ready(); };
  const rpc::GrpcServerOptions options{
      .address = config_.grpc_address, .max_message_size = config_.max_message_size, .ready = ready};
  TANDEM_ASSIGN_OR_RETURN(grpc_, rpc::GrpcServer::Start(options, registry_, dispatcher_, inline_runner_));
  TANDEM_ASSIGN_OR_RETURN(
      http_, http::HttpServer::Start(
                 config_.http_address,
                 {.metrics = [this] { return metrics::Serialize(metrics::Families(Sample())); }, .ready = ready}));
  spdlog::info("tandemd {}: gRPC on {}, HTTP on {}, {} workers", kTandemVersion, grpc_->address(), http_->address(),
               dispatcher_.num_workers());
  loader_.Start();
  return absl::OkStatus();
}

bool App::Ready() const {
  return !draining_.load() && loader_.first_done() && (!config_.strict_readiness || loader_.all_serving());
}

void App::RequestStop() {
  draining_.store(true);
  MutexLock lock(mutex_);
  stopping_ = true;
  stop_.NotifyAll();
}

absl::Status App::RunUntilStopped() {
  bool announced = false;
  while (true) {
    if (!announced && Ready()) {
      TANDEM_RETURN_IF_ERROR(WriteReadyFile());
      spdlog::info("ready");
      announced = true;
    }
    FollowLimits();
    MutexLock lock(mutex_);
    if (stopping_) break;
    stop_.WaitUntil(mutex_, Now() + (announced ? kLimitsPoll : kReadyPoll));
  }
  spdlog::info("draining");
  Drain();
  spdlog::info("stopped");
  return absl::OkStatus();
}

void App::FollowLimits() {
  // Who says how many workers there are to be means it.
  const int cores = config_.workers > 0 ? dispatcher_.num_workers()
                                        : resources::CoreBudget(dispatcher_.num_workers(), cgroups_.CpuQuota());
  if (cores == cores_) return;
  if (cores_ != 0) spdlog::info("{} cores to compute with, before {}", cores, cores_);
  cores_ = cores;
  dispatcher_.SetCores(cores);
}

void App::Drain() {
  draining_.store(true);
  loader_.StopBuilds();
  if (grpc_ != nullptr) grpc_->Drain();
  http_.reset();  // probes and scrapes are answered until the end
  grpc_.reset();
  workers_.reset();
}

absl::Status App::WriteReadyFile() const {
  if (config_.ready_file.empty()) return absl::OkStatus();
  const nlohmann::json addresses = {{"grpc", grpc_->address()}, {"http", http_->address()}};
  const std::string temporary = absl::StrCat(config_.ready_file, ".", getpid());
  std::ofstream out(temporary);
  out << addresses.dump() << "\n";
  out.close();
  if (!out || std::rename(temporary.c_str(), config_.ready_file.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot write ", config_.ready_file, " (ready_file)"));
  }
  return absl::OkStatus();
}

metrics::ServerSample App::Sample() {
  metrics::ServerSample sample{.version = kTandemVersion,
                               .cpu = std::string(engine::CpuLevel()),
                               .ready = Ready(),
                               .in_flight = grpc_->receiver().in_flight(),
                               .builds = loader_.build_metrics().Sum()};
  for (size_t code = 0; code < metrics::kNumCodes; ++code)
    sample.refused[code] = grpc_->receiver().refused()[code].Get();
  for (const models::VersionHandle& version : registry_.Published()) {
    for (const models::VariantHandle& variant : version->variants()) {
      sample.versions.push_back({.model = version->model_name,
                                 .version = version->number_text,
                                 .variant = std::string(NameOf(variant->precision)),
                                 .totals = variant->queue->metrics().Sum(),
                                 .weight_bytes = static_cast<double>(variant->model->weight_bytes()),
                                 .queued = static_cast<double>(dispatcher_.Waiting(*variant->queue))});
    }
    sample.variant_states.push_back(
        {version->model_name, version->number_text, "int8", std::string(NameOf(version->lane.state))});
  }
  for (const VersionStatus& status : registry_.List()) {
    sample.states.push_back(
        {.model = status.model, .version = absl::StrCat(status.version), .state = std::string(NameOf(status.state))});
  }
  return sample;
}

}  // namespace tandem::app
