// A published version with two small variants, and jobs about it: what the tests of this folder share.
#ifndef TANDEM_TESTS_SERVER_SHADOW_PAIR_H_
#define TANDEM_TESTS_SERVER_SHADOW_PAIR_H_

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/evidence/ledgers.h"
#include "server/models/registry.h"
#include "server/shadow/job.h"
#include "server/shadow/promoter.h"
#include "tests/engine/model_maker.h"

namespace tandem::shadow {

using Row = std::vector<float>;

inline const std::string kModel = "m";

// y = op(x), rows of four.
inline std::shared_ptr<const engine::Model> OneNode(const std::string& op) {
  engine::ModelMaker maker;
  maker.Input("x", {-1, 4}).Output("y");
  maker.Node(op, {"x"}, {"y"});
  return *maker.Load();
}

inline std::unique_ptr<models::Variant> MakeVariant(models::Precision precision, const std::string& op,
                                                    Duration row_cost) {
  auto variant = std::make_unique<models::Variant>();
  variant->model_name = kModel;
  variant->precision = precision;
  variant->model = OneNode(op);
  variant->shares_batch = true;
  variant->queue = std::make_unique<batching::Queue>(
      batching::QueueOptions{.name = "m", .batch = {.max_rows = 4, .row_cost = row_cost}}, variant->model, 1);
  return variant;
}

class FakeExchange final : public Exchange {
 public:
  FakeExchange(Row input, Row answer) : input_(std::move(input)), answer_(std::move(answer)) {}
  void Gather(int, size_t offset, size_t size, void* destination) const override {
    std::memcpy(destination, reinterpret_cast<const char*>(input_.data()) + offset, size);
  }
  const char* Answer(size_t) const override { return reinterpret_cast<const char*>(answer_.data()); }

 private:
  const Row input_, answer_;
};

// Version 1 of model m: fp32 answers with what it is given, int8 with what `op` makes of it.
class PublishedPair {
 public:
  PublishedPair() {
    using models::State;
    for (State state : {State::kFound, State::kLoading, State::kWarming}) registry.Enter("m", 1, state);
    auto version = std::make_shared<models::Version>();
    version->model_name = kModel;
    version->fp32 = models::MakeHandle(MakeVariant(models::Precision::kFp32, "Identity", kFp32Cost), graveyard_);
    registry.Publish(std::move(version));
  }

  // int8 joins with the verdict of its report.
  void Join(const std::string& op, quantization::Verdict verdict, Duration row_cost = kFp32Cost / 2,
            const std::string& method = "integer") {
    quantization::Report report{.verdict = verdict, .method = method, .artifact_sha256 = op};
    models::Lane lane{.state = models::LaneStateOf(verdict), .report = std::make_shared<quantization::Report>(report)};
    registry.Change("m", 1, [](models::Version& version) {
      version.int8 = nullptr;
      version.lane = {};
    });
    registry.Change("m", 1, [](models::Version& version) { version.lane = {.state = models::LaneState::kBuilt}; });
    const models::AutoState state = promoter.Join({"m", 1, lane}, {});
    registry.Change("m", 1, [&](models::Version& version) {
      version.lane = lane;
      version.int8 = models::MakeHandle(MakeVariant(models::Precision::kInt8, op, row_cost), graveyard_);
      version.auto_state = state;
    });
  }
  // Version 2 comes, which answers with what `op` makes of what it is given; the route compares it with version 1.
  void AddCandidate(const std::string& op) {
    using models::State;
    for (State state : {State::kFound, State::kLoading, State::kWarming}) registry.Enter("m", 2, state);
    auto version = std::make_shared<models::Version>();
    version->model_name = kModel;
    version->number = 2;
    version->stamp = op;
    version->fp32 = models::MakeHandle(MakeVariant(models::Precision::kFp32, op, kFp32Cost), graveyard_);
    registry.Publish(std::move(version));
    CompareWith(2);
  }
  // 0: variants are compared.
  void CompareWith(int64_t candidate) {
    for (const int64_t number : {1, 2}) {
      registry.Change("m", number, [&](models::Version& version) {
        version.route = {.mode = "shadow", .candidate_version = candidate};
      });
    }
  }
  models::VersionHandle candidate() const { return registry.Serving("m", 2); }
  std::shared_ptr<evidence::Ledger> ledger_of_versions() { return ledgers.Find(evidence::VersionsOf("m", 1, 2)); }
  void Route(const std::string& mode) {
    registry.Change("m", 1, [&](models::Version& version) { version.route.mode = mode; });
  }

  models::VersionHandle version() const { return *registry.Find("m", "1"); }
  bool int8_serves() const { return version()->auto_state.int8_serves; }
  std::shared_ptr<evidence::Ledger> ledger() { return ledgers.Find(evidence::VariantsOf("m", 1)); }

  // The request number `i`, as fp32 has answered it; no two are alike.
  Job MakeJob(int i) const {
    const Row row = {static_cast<float>(i), 1, 2, 1e6f};
    Job job{.version = version(), .exchange = std::make_unique<FakeExchange>(row, row), .answered = Now()};
    job.shapes = {{1, 4}};
    job.answers = {{.output = 0, .type = engine::DataType::kFloat32, .shape = {1, 4}}};
    job.bytes = 32;
    job.took = std::chrono::microseconds(50);
    return job;
  }

  static constexpr Duration kFp32Cost = std::chrono::microseconds(100);

  models::Registry registry;
  evidence::Ledgers ledgers;
  std::vector<Event> events;
  Promoter promoter{registry, ledgers, [this](const Event& event) { events.push_back(event); }};

 private:
  std::shared_ptr<models::Graveyard> graveyard_ = std::make_shared<models::Graveyard>(nullptr);
};

}  // namespace tandem::shadow

#endif  // TANDEM_TESTS_SERVER_SHADOW_PAIR_H_
