#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/compile/plan.h"
#include "engine/session.h"
#include "engine/status.h"
#include "engine/tool/commands.h"
#include "engine/tool/inputs.h"

namespace tandem::engine {

namespace {

nlohmann::ordered_json ToJson(const std::vector<TensorSpec>& specs) {
  auto list = nlohmann::ordered_json::array();
  for (const TensorSpec& spec : specs) {
    nlohmann::ordered_json entry = {{"name", spec.name}, {"type", std::string(NameOf(spec.type))}};
    if (spec.has_rank) entry["shape"] = std::vector<int64_t>(spec.shape.begin(), spec.shape.end());
    list.push_back(std::move(entry));
  }
  return list;
}

void PrintSpecs(const char* title, const std::vector<TensorSpec>& specs) {
  for (const TensorSpec& spec : specs) {
    std::printf("%-7s %s %s%s\n", title, spec.name.c_str(), std::string(NameOf(spec.type)).c_str(),
                spec.has_rank ? ToString(spec.shape).c_str() : " of any rank");
  }
}

absl::StatusOr<std::vector<std::string>> StepsOf(const std::shared_ptr<const Model>& model,
                                                 const InspectOptions& options, size_t& arena_bytes) {
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Shape> shapes, ChooseShapes(*model, options.shapes, 1));
  Session session;
  TANDEM_ASSIGN_OR_RETURN(Execution* const execution, session.Prepare(model, shapes));
  auto* const bound = dynamic_cast<BoundPlan*>(execution);
  TANDEM_CHECK(bound != nullptr, "an execution is a bound plan");
  arena_bytes = bound->plan().arena_bytes;
  std::vector<std::string> steps;
  for (const auto& step : bound->plan().steps) steps.push_back(step->Description());
  if (bound->plan().continuation != nullptr) steps.push_back("continuation (shapes depend on the data)");
  return steps;
}

}  // namespace

absl::Status Inspect(const InspectOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(const auto model, Model::Load(options.model));
  size_t arena_bytes = 0;
  std::vector<std::string> steps;
  if (options.steps) {
    TANDEM_ASSIGN_OR_RETURN(steps, StepsOf(model, options, arena_bytes));
  }
  if (options.json) {
    nlohmann::ordered_json report = {{"inputs", ToJson(model->inputs())},
                                     {"outputs", ToJson(model->outputs())},
                                     {"batch_is_free", model->batch_is_free()},
                                     {"weight_bytes", model->weight_bytes()}};
    if (options.steps) {
      report["steps"] = steps;
      report["arena_bytes"] = arena_bytes;
    }
    std::printf("%s\n", report.dump(2).c_str());
    return absl::OkStatus();
  }
  PrintSpecs("input", model->inputs());
  PrintSpecs("output", model->outputs());
  std::printf("batch   %s\nweights %zu bytes\n", model->batch_is_free() ? "free" : "fixed", model->weight_bytes());
  if (options.steps) std::printf("arena   %zu bytes\n", arena_bytes);
  for (size_t i = 0; i < steps.size(); ++i) std::printf("%4zu  %s\n", i, steps[i].c_str());
  return absl::OkStatus();
}

}  // namespace tandem::engine
