#include "server/models/loader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/models/free_batch.h"
#include "server/sync/background.h"

namespace tandem::models {

Loader::Loader(LoaderOptions options, Registry& registry)
    : options_(std::move(options)),
      registry_(registry),
      graveyard_(std::make_shared<Graveyard>([this] {
        MutexLock lock(mutex_);
        bury_ = true;
        wake_.NotifyAll();
      })),
      lineup_(registry, options_.keep_rejected, options_.on_step),
      orders_([this] {
        MutexLock lock(mutex_);
        ordered_ = true;
        wake_.NotifyAll();
      }),
      builder_(BuilderOptionsOf()),
      lanes_({.workers = options_.workers,
              .wide_threads = options_.wide_threads,
              .make_handle = [this](std::unique_ptr<Variant> variant) { return Keep(std::move(variant)); },
              .check_memory = options_.check_memory,
              .auto_state = options_.auto_state,
              .on_step = options_.on_lane_step},
             registry_, builder_),
      collector_({.state_dir = options_.state_dir, .on_warning = options_.on_warning}) {}

quantization::BuilderOptions Loader::BuilderOptionsOf() {
  return {
      .state_dir = options_.state_dir,
      .program = options_.quantizer,
      .on_progress = [this](const Key& key, const quantization::Progress& progress) { ShowProgress(key, progress); },
      .on_result =
          [this] {
            MutexLock lock(mutex_);
            built_ = true;
            wake_.NotifyAll();
          },
      .on_warning = options_.on_warning};
}

Loader::~Loader() {
  builder_.Stop();
  Stop();
  graveyard_->Close();
}

void Loader::Start(std::set<std::string> unloaded, Rejections rejected) {
  unloaded_ = std::move(unloaded);
  lineup_.Restore(std::move(rejected));
  thread_ = std::thread(&Loader::Loop, this);
}

void Loader::Stop() {
  orders_.Close();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
    done_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Loader::Sync() {
  MutexLock lock(mutex_);
  const uint64_t mine = ++looks_asked_;
  wake_.NotifyAll();
  while (!stopping_ && looks_done_ < mine) done_.Wait(mutex_);
}

void Loader::WaitForFirst() {
  MutexLock lock(mutex_);
  while (!stopping_ && !first_done_) done_.Wait(mutex_);
}

bool Loader::first_done() const {
  MutexLock lock(mutex_);
  return first_done_;
}

bool Loader::all_serving() const {
  MutexLock lock(mutex_);
  return all_serving_;
}

void Loader::Loop() {
  EnterBackground("loader", /*niceness=*/10);
  const bool polls = options_.poll_interval.count() > 0;
  while (true) {
    uint64_t asked = 0;
    {
      MutexLock lock(mutex_);
      asked = looks_asked_;
    }
    const bool first = !first_done();
    const std::vector<ModelFiles> found = LookOnce();
    {
      MutexLock lock(mutex_);
      first_done_ = true;
      done_.NotifyAll();
    }
    AlignVariants(found, first);
    bool stop = false;
    Time tended = Now();
    const Time next = polls ? tended + options_.poll_interval : Time::max();
    while (!stop) {
      const Time tend = TimeToTend(tended);
      const Time until = std::min(next, tend);
      {
        MutexLock lock(mutex_);
        looks_done_ = asked;
        done_.NotifyAll();
        while (!stopping_ && !bury_ && !built_ && !ordered_ && looks_asked_ == asked && Now() < until) {
          wake_.WaitUntil(mutex_, until);
        }
        stop = stopping_;
        if (!stop && !bury_ && !built_ && !ordered_ && (looks_asked_ != asked || Now() >= next)) break;
        bury_ = built_ = ordered_ = false;
      }
      Bury();
      orders_.CarryOut();
      lanes_.TakeResults();
      if (Now() < tend) continue;
      TendTraffic();
      tended = Now();
    }
    if (stop) return;
  }
}

std::vector<ModelFiles> Loader::LookOnce() {
  std::vector<ModelFiles> found = FindModels();
  std::set<std::string> names;
  bool outdated = false;
  for (ModelFiles& files : found) {
    // Orders do not wait until all models have loaded. They have seen newer files, which this look must not take back.
    outdated = orders_.CarryOut() || outdated;
    if (outdated) {
      if (auto again = FindModel(files.name); again.ok()) files = *std::move(again);
    }
    Align(files);
    names.insert(files.name);
  }
  for (const std::string& name : known_models_) {
    if (names.contains(name)) continue;
    lineup_.Forget(name);
    candidates_.erase(name);
    Retract(name, registry_.LoadedNumbers(name));
  }
  ForgetFailures(found);
  known_models_ = names;
  collector_.KeepOnly(names);
  std::erase_if(samplers_, [&](const auto& sampler) { return !names.contains(sampler.first); });
  const bool all = std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return unloaded_.contains(name) || !registry_.PublishedNumbers(name).empty();
  });
  MutexLock lock(mutex_);
  all_serving_ = all;
  return found;
}

std::vector<ModelFiles> Loader::FindModels() {
  std::vector<ModelFiles> found;
  std::set<std::string> names;
  const auto add = [&](ModelFiles files) {
    // The first to name a model wins; the command line comes first.
    if (names.insert(files.name).second) found.push_back(std::move(files));
  };
  for (const std::string& file : options_.files) {
    absl::StatusOr<ModelFiles> files = SingleFile(file);
    if (files.ok()) add(*std::move(files));
  }
  for (const std::string& folder : options_.repositories) {
    for (const ModelFiles& files : Scan(folder)) add(files);
  }
  return found;
}

// A repository that cannot be read, an unmounted one say, is taken to be as it was.
const std::vector<ModelFiles>& Loader::Scan(const std::string& folder) {
  absl::StatusOr<std::vector<ModelFiles>> models = ScanRepository(folder);
  if (models.ok()) {
    unreadable_.erase(folder);
    return scans_[folder] = *std::move(models);
  }
  if (unreadable_.insert(folder).second && options_.on_warning) {
    options_.on_warning(absl::StrCat(models.status().message(), "; what was loaded from there goes on serving"));
  }
  return scans_[folder];
}

config::ModelConfig Loader::ReadConfig(const ModelFiles& files, absl::Status& status) {
  if (files.config_file.empty()) return {};
  absl::StatusOr<std::string> text = config::ReadFile(files.config_file);
  if (!text.ok()) {
    status = text.status();
    return {};
  }
  absl::StatusOr<config::ModelConfig> config = config::ParseModelConfig(*text, files.config_file);
  status = config.status();
  return config.ok() ? *std::move(config) : config::ModelConfig{};
}

void Loader::Align(const ModelFiles& files) {
  if (unloaded_.contains(files.name)) return RetireUnloaded(files);
  absl::Status config_status;
  const config::ModelConfig config = ReadConfig(files, config_status);
  Wishes wishes{.policy = config.version_policy,
                .keep_previous = config.keep_previous,
                .candidate = CandidateOf(files, config, config_status)};
  for (const auto& [number, version] : files.versions) wishes.present.insert(number);
  lineup_.Want(files.name, wishes);
  size_t loaded = 0;
  for (int64_t number : NewestFirst(files)) {
    if (loaded == wishes.Count()) break;
    if (number == wishes.candidate) continue;
    if (!wishes.Allows(number) || lineup_.IsRejected(files.name, number)) continue;
    if (EnsureLoaded(files, number, config, config_status)) ++loaded;
  }
  const int64_t candidate = wishes.present.contains(wishes.candidate) ? wishes.candidate : 0;
  if (candidate != 0 && !lineup_.IsRejected(files.name, candidate)) {
    EnsureLoaded(files, candidate, config, config_status);
  }
  lineup_.Settle(files.name, [&](int64_t number) { Retract(files.name, {number}); });
  if (options_.on_look && config_status.ok()) options_.on_look(files.name, config);
}

bool Loader::EnsureLoaded(const ModelFiles& files, int64_t number, const config::ModelConfig& config,
                          const absl::Status& config_status) {
  const Key key{files.name, number};
  const std::string& stamp = files.versions.at(number).stamp;
  const VersionStatus status = registry_.Get(files.name, number);
  if (status.state == State::kPublished || status.state == State::kKept) return true;
  if (status.state == State::kDraining) return false;
  const auto failed = failed_.find(key);
  if (failed != failed_.end() && failed->second == stamp) return false;
  // A version that appears while the server runs may still be being written: wait until it looks the same twice.
  if (first_done()) {
    std::string& seen = unstable_[key];
    if (seen != stamp) {
      seen = stamp;
      return false;
    }
  }
  unstable_.erase(key);
  const absl::Status room = CheckMemory(files.versions.at(number));
  // Told once; it is tried again at each look, for others may go.
  if (!room.ok() && no_room_.contains(key)) return false;

  Enter(key, State::kFound);
  Enter(key, State::kLoading);
  if (!room.ok()) {
    no_room_.insert(key);
    Fail(key, room);
    return false;
  }
  no_room_.erase(key);
  absl::StatusOr<WarmVariant> fp32 = config_status.ok() ? LoadFp32(files, number, config) : config_status;
  if (!fp32.ok()) {
    failed_[key] = stamp;
    Fail(key, fp32.status());
    return false;
  }
  failed_.erase(key);
  auto version = std::make_shared<Version>();
  version->model_name = files.name;
  version->number = number;
  version->number_text = absl::StrCat(number);
  version->stamp = stamp;
  version->route = DesireRoute(files.name, config.route);
  version->outcomes = config.outcomes;
  version->version_policy = config.version_policy;
  // Requests may bring more rows than are joined: those run in parts.
  constexpr int64_t kMostRows = 64;
  if (fp32->variant->shares_batch) version->max_batch_size = config.max_batch_size.value_or(kMostRows);
  version->fp32 = Keep(std::move(fp32->variant));
  lineup_.Add(std::move(version), fp32->note);
  DesireRoute(files.name, config.route);  // again: it may have been overridden meanwhile
  return true;
}

absl::Status Loader::CheckMemory(const VersionFiles& files) const {
  return options_.check_memory ? options_.check_memory(BytesToLoad(files.bytes)) : absl::OkStatus();
}

absl::StatusOr<WarmVariant> Loader::LoadFp32(const ModelFiles& files, int64_t number,
                                             const config::ModelConfig& config) {
  // Whoever wants single rows gets the model as its file has it.
  const std::string& file = files.versions.at(number).model_file;
  TANDEM_ASSIGN_OR_RETURN(std::shared_ptr<const engine::Model> model,
                          config.max_batch_size == 1 ? engine::Model::Load(file) : LoadFreeingBatch(file));
  Enter({files.name, number}, State::kWarming);
  return WarmUpFp32(std::move(model), {files.name, number, config, options_.workers, options_.wide_threads});
}

VariantHandle Loader::Keep(std::unique_ptr<Variant> variant) {
  ++living_[{variant->model_name, variant->version}];
  return MakeHandle(std::move(variant), graveyard_);
}

void Loader::Retract(const std::string& model, const std::vector<int64_t>& numbers) {
  for (int64_t number : numbers) {
    // Tell of it first: the version may be gone as soon as it is retracted.
    if (options_.on_step) options_.on_step({model, number, State::kDraining, ""}, "");
    lanes_.Drop({model, number});
    registry_.Retract(model, number);
  }
}

// Failures of files that have gone are of no more interest.
void Loader::ForgetFailures(const std::vector<ModelFiles>& found) {
  std::set<Key> present;
  for (const ModelFiles& files : found) {
    for (const auto& [number, version] : files.versions) present.insert({files.name, number});
  }
  std::erase_if(failed_, [&](const auto& failure) {
    if (present.contains(failure.first)) return false;
    registry_.Remove(failure.first.first, failure.first.second);
    return true;
  });
  std::erase_if(unstable_, [&](const auto& seen) { return !present.contains(seen.first); });
  std::erase_if(no_room_, [&](const Key& key) {
    if (present.contains(key)) return false;
    registry_.Remove(key.first, key.second);
    return true;
  });
  for (const VersionStatus& status : registry_.List()) {
    const bool wanted = present.contains({status.model, status.version}) && unloaded_.contains(status.model);
    if (status.state == State::kUnloaded && !wanted) registry_.Remove(status.model, status.version);
  }
}

void Loader::Enter(const Key& key, State state, const std::string& reason, absl::StatusCode code) {
  registry_.Enter(key.first, key.second, state, reason);
  if (options_.on_step) options_.on_step({key.first, key.second, state, reason, code}, "");
}

void Loader::Fail(const Key& key, const absl::Status& status) {
  Enter(key, State::kFailed, std::string(status.message()), status.code());
}

void Loader::Bury() {
  std::vector<std::unique_ptr<const Variant>> dead = graveyard_->TakeAll();
  if (dead.empty()) return;
  for (std::unique_ptr<const Variant>& variant : dead) {
    if (options_.forget) options_.forget(*variant->model);
    const Key key{variant->model_name, variant->version};
    variant.reset();
    // The last variant of a version that takes no more requests ends the version.
    if (--living_[key] > 0 || registry_.Get(key.first, key.second).state != State::kDraining) continue;
    living_.erase(key);
    const bool by_hand = unloaded_.contains(key.first);
    Enter(key, State::kUnloaded, by_hand ? kUnloadedByHand : "");
    // What was unloaded by hand stays in the list, so that whoever misses it is told.
    if (!by_hand) registry_.Remove(key.first, key.second);
  }
  MutexLock lock(mutex_);
  ++burials_;
  done_.NotifyAll();
}

}  // namespace tandem::models
