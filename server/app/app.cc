#include "server/app/app.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/session.h"
#include "engine/status.h"
#include "server/app/evidence_sample.h"
#include "server/app/steps.h"
#include "server/resources/resources.h"
#include "server/shadow/not_compared.h"
#include "server/version.h"

namespace tandem::app {
namespace {

using models::VersionStatus;

// How soon readiness that comes late is noticed.
constexpr Duration kReadyPoll = std::chrono::milliseconds(50);
// Of the keys that evidence is kept under.
constexpr char kEvidencePrefix[] = "evidence/";

// How often the limits of the control groups are read.
constexpr Duration kLimitsPoll = std::chrono::seconds(2);

int WorkersOf(const config::ServerConfig& config) {
  return config.workers > 0 ? static_cast<int>(config.workers) : resources::CoresByAffinity();
}

// Of the team that runs a lone request.
int WideThreadsOf(const config::ServerConfig& config) {
  constexpr int kLargest = 16;  // meetings of more take longer than they save
  return std::min({WorkersOf(config), engine::LargestTeam(), kLargest});
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

}  // namespace

App::App(const config::ServerConfig& config)
    : config_(config),
      memory_(
          [this] {
            return config_.memory_limit > 0 ? std::optional<int64_t>(config_.memory_limit) : cgroups_.MemoryLimit();
          },
          resources::ResidentBytes),
      log_settings_(config.log_format),
      evaluator_({.state_dir = StateDirOf(config), .program = QuantizerOf(config)}),
      dispatcher_(WorkersOf(config), static_cast<size_t>(config.max_queue_bytes), WideThreadsOf(config)),
      ledgers_(EvidenceKeeping()),
      promoter_(registry_, ledgers_,
                [this](const shadow::Event& event) {
                  LogStep(event);
                  CountStep(event, life_);
                  Record(EventOf(event, absl::Now()));
                }),
      shadow_runner_({}, dispatcher_, ledgers_, promoter_, outcomes_),
      loader_({.files = config.models,
               .repositories = config.model_repositories,
               .poll_interval = config.poll_interval,
               .workers = WorkersOf(config),
               .wide_threads = dispatcher_.wide_threads(),
               .state_dir = StateDirOf(config),
               .quantizer = QuantizerOf(config),
               .forget =
                   [this](const engine::Model& model) {
                     dispatcher_.Forget(model);
                     inline_runner_.Forget(model);
                     shadow_runner_.Forget(model);
                   },
               .check_memory = [this](int64_t bytes) { return memory_.Check(bytes); },
               .auto_state =
                   [this](const models::LaneStatus& joining, const config::QuantizationConfig& settings) {
                     return promoter_.Join(joining, settings);
                   },
               .on_step =
                   [this](const VersionStatus& step, const std::string& note) {
                     LogStep(step, note);
                     CountStep(step, Now(), life_);
                     Record(EventOf(step, absl::Now()));
                     if (step.state == models::State::kUnloaded) {
                       ledgers_.Close(evidence::VariantsOf(step.model, step.version));
                       candidacies_.Ends(step.model, step.version);
                     }
                   },
               .on_lane_step =
                   [this](const models::LaneStatus& step, const std::string& note) {
                     LogStep(step, note);
                     Record(EventOf(step, absl::Now()));
                   },
               .on_warning = [](const std::string& text) { spdlog::warn("{}", text); },
               .desire_route = [this](const std::string& model,
                                      const config::RouteConfig& desired) { return routes_->Desire(model, desired); },
               .on_look = [this](const std::string& model,
                                 const config::ModelConfig& said) { candidacies_.Follow(model, said.quantization); },
               .keep_unloaded =
                   [this](const std::string& model, bool unloaded) {
                     return state_->Write({.unloaded = {{model, unloaded}}});
                   },
               .keep_rejected =
                   [this](const std::string& model, const std::set<int64_t>& rejected) {
                     return state_->Write({.rejected = {{model, rejected}}});
                   }},
              registry_) {}

App::~App() {
  Drain();
  // The loader may be waiting for the workers to forget a model: it ends first.
  loader_.Stop();
}

evidence::Keeping App::EvidenceKeeping() {
  return {.load = [this](const std::string& key) -> std::optional<std::string> {
            // What was let go a moment ago may be taken up again.
            writer_->Write({}).IgnoreError();
            const auto kept = state_->Blob(absl::StrCat(kEvidencePrefix, key));
            if (!kept.ok()) spdlog::warn("evidence {}: {}", key, std::string(kept.status().message()));
            return kept.value_or(std::nullopt);
          },
          .save =
              [this](const std::vector<std::pair<std::string, std::string>>& blobs) {
                state::Changes changes;
                for (const auto& [key, value] : blobs) changes.blobs[absl::StrCat(kEvidencePrefix, key)] = value;
                writer_->Post(changes);
              },
          .on_warning = [](const std::string& text) { spdlog::warn("{}", text); }};
}

absl::Status App::OpenState() {
  auto opened = state::StateStore::Open(StateDirOf(config_));
  if (absl::IsUnavailable(opened.status()) || absl::IsResourceExhausted(opened.status())) {
    spdlog::warn("no state is kept, so routes cannot be overridden: {}", std::string(opened.status().message()));
    state_ = state::StateStore::InMemory(std::string(opened.status().message()));
  } else {
    TANDEM_ASSIGN_OR_RETURN(state_, std::move(opened));
  }
  writer_ = std::make_unique<state::Writer>(*state_, [](const absl::Status& lost) {
    spdlog::warn("evidence and history are not kept: {}", std::string(lost.message()));
  });
  routes_ = std::make_unique<routing::Routes>(registry_, *state_);
  return routes_->Restore();
}

absl::Status App::StartAdmin() {
  admin::AdminServerOptions options{.address = config_.admin_address, .ready = [this] { return Ready(); }};
  TANDEM_ASSIGN_OR_RETURN(options.credentials, rpc::MakeCredentials({.certificate = config_.admin_tls_cert,
                                                                     .key = config_.admin_tls_key,
                                                                     .client_ca = config_.admin_tls_client_ca}));
  if (!config_.admin_token_file.empty()) {
    TANDEM_ASSIGN_OR_RETURN(options.token, admin::Token::Read(config_.admin_token_file));
  }
  const admin::AdminParts parts{.registry = registry_,
                                .loader = loader_,
                                .routes = *routes_,
                                .store = *state_,
                                .ledgers = ledgers_,
                                .promoter = promoter_,
                                .outcomes = outcomes_,
                                .writer = *writer_,
                                .evaluator = evaluator_,
                                .log = log_settings_};
  TANDEM_ASSIGN_OR_RETURN(admin_, admin::AdminServer::Start(options, parts));
  return absl::OkStatus();
}

absl::Status App::Start() {
  FollowLimits();
  TANDEM_RETURN_IF_ERROR(OpenState());
  TANDEM_ASSIGN_OR_RETURN(std::set<std::string> unloaded, state_->Unloaded());
  TANDEM_ASSIGN_OR_RETURN(models::Rejections rejected, state_->Rejected());
  workers_ = std::make_unique<scheduling::WorkerPool>(dispatcher_);
  shadow_runner_.Start();
  const auto ready = [this] { return Ready(); };
  const rpc::GrpcServerOptions options{
      .address = config_.grpc_address,
      .max_message_size = config_.max_message_size,
      .max_connection_age = config_.max_connection_age,
      .ready = ready,
      .shared_memory = config_.shared_memory,
      .control = PublicControl(),
      .log = log_settings_,
      .tls = {.certificate = config_.tls_cert, .key = config_.tls_key, .client_ca = config_.tls_client_ca},
      .shadow_runner = &shadow_runner_,
      .outcomes = &outcomes_,
      .request_log = {
          .access = config_.access_log, .slow = config_.slow_request, .json = config_.log_format == "json"}};
  TANDEM_ASSIGN_OR_RETURN(grpc_, rpc::GrpcServer::Start(options, registry_, dispatcher_, inline_runner_));
  TANDEM_ASSIGN_OR_RETURN(
      http_, http::HttpServer::Start(
                 config_.http_address,
                 {.metrics = [this] { return metrics::Serialize(metrics::Families(Sample())); }, .ready = ready}));
  TANDEM_RETURN_IF_ERROR(StartAdmin());
  spdlog::info("tandemd {}: gRPC on {}, HTTP on {}, admin on {}, {} workers", kTandemVersion, grpc_->address(),
               http_->address(), admin_->address(), dispatcher_.num_workers());
  loader_.Start(std::move(unloaded), std::move(rejected));
  return absl::OkStatus();
}

rpc::ModelControl App::PublicControl() {
  if (!config_.model_control) return {};
  const auto record = [this](const std::string& model, const char* kind, const absl::Status& done) {
    const state::Author author{.who = "a client of the public port", .why = "", .when = absl::Now()};
    if (done.ok()) Record(state::Event{.model = model, .kind = kind, .author = author});
    return done;
  };
  return {.load = [=, this](const std::string& model) { return record(model, "load", loader_.Load(model)); },
          .unload = [=, this](const std::string& model) { return record(model, "unload", loader_.Unload(model)); }};
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
  if (config_.drain_delay > Duration(0)) {
    spdlog::info("not ready any more; calls are taken for another {}",
                 absl::FormatDuration(absl::FromChrono(config_.drain_delay)));
    std::this_thread::sleep_for(config_.drain_delay);
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
  const Time deadline = Now() + config_.drain_timeout;
  if (admin_ != nullptr) admin_->Drain(deadline);
  admin_.reset();
  if (grpc_ != nullptr) grpc_->Drain(deadline);
  if (Now() >= deadline) spdlog::warn("what had not ended by the drain timeout was cancelled");
  http_.reset();  // probes and scrapes are answered until the end
  grpc_.reset();
  shadow::CountNotCompared(registry_, ledgers_);
  shadow_runner_.Stop();
  workers_.reset();
}

absl::Status App::WriteReadyFile() const {
  if (config_.ready_file.empty()) return absl::OkStatus();
  const nlohmann::json addresses = {
      {"grpc", grpc_->address()}, {"http", http_->address()}, {"admin", admin_->address()}};
  const std::string temporary = absl::StrCat(config_.ready_file, ".", getpid());
  std::ofstream out(temporary);
  out << addresses.dump() << "\n";
  out.close();
  if (!out || std::rename(temporary.c_str(), config_.ready_file.c_str()) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot write ", config_.ready_file, " (ready_file)"));
  }
  return absl::OkStatus();
}

void App::Record(const std::optional<state::Event>& event) {
  if (event.has_value()) writer_->Post({.events = {*event}});
}

metrics::ServerSample App::Sample() {
  metrics::ServerSample sample{.version = kTandemVersion,
                               .cpu = std::string(engine::CpuLevel()),
                               .ready = Ready(),
                               .in_flight = grpc_->receiver().in_flight(),
                               .builds = loader_.build_metrics().Sum(),
                               .life = life_.Sum()};
  const scheduling::Dispatcher::Cores cores = dispatcher_.CoresNow();
  sample.cores = cores.granted;
  sample.cores_busy = cores.busy;
  for (size_t code = 0; code < metrics::kNumCodes; ++code)
    sample.refused[code] = grpc_->receiver().refused()[code].Get();
  for (const models::VersionHandle& version : registry_.AllLoaded()) {
    for (const models::VariantHandle& variant : version->variants()) {
      sample.versions.push_back({.model = version->model_name,
                                 .version = version->number_text,
                                 .variant = std::string(NameOf(variant->precision)),
                                 .totals = variant->queue->metrics().Sum(),
                                 .weight_bytes = static_cast<double>(variant->model->weight_bytes()),
                                 .queued = static_cast<double>(dispatcher_.Waiting(*variant->queue))});
    }
  }
  for (const models::VersionHandle& version : registry_.Published()) {
    sample.variant_states.push_back(
        {version->model_name, version->number_text, "int8", std::string(NameOf(version->lane.state))});
    if (version->lane.report != nullptr) sample.artifacts.push_back(SampleOf(*version));
    if (version->traffic != nullptr) {
      const traffic::CollectionSize size = version->traffic->Size();
      sample.traffic.push_back({.model = version->model_name,
                                .version = version->number_text,
                                .samples = static_cast<double>(size.samples),
                                .requests = static_cast<double>(size.seen)});
    }
    sample.routes.push_back(
        {version->model_name, version->number_text, Int8WeightOf(*version), ShareOf(registry_, *version)});
  }
  shadow::CountNotCompared(registry_, ledgers_);
  for (const auto& [pair, ledger] : ledgers_.All()) sample.evidence.push_back(SampleOf(pair, ledger->Summarize()));
  for (const VersionStatus& status : registry_.List()) {
    sample.states.push_back(
        {.model = status.model, .version = absl::StrCat(status.version), .state = std::string(NameOf(status.state))});
  }
  return sample;
}

}  // namespace tandem::app
