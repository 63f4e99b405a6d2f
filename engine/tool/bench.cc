#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>

#include "engine/compile/plan.h"
#include "engine/session.h"
#include "engine/status.h"
#include "engine/tool/commands.h"
#include "engine/tool/inputs.h"
#include "engine/tool/int8_cache.h"

namespace tandem::engine {

namespace {

using Clock = std::chrono::steady_clock;

double Milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

double Percentile(const std::vector<double>& sorted, double fraction) {
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(fraction * static_cast<double>(sorted.size())))];
}

absl::StatusOr<std::vector<Tensor>> MakeInputs(const BenchOptions& options, const Model& model) {
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Shape> shapes, ChooseShapes(model, options.shapes, options.batch));
  std::vector<Tensor> inputs;
  if (options.samples.empty()) {
    for (size_t i = 0; i < shapes.size(); ++i) {
      inputs.push_back(RandomTensor(model.inputs()[i].type, shapes[i], static_cast<uint32_t>(i)));
    }
    return inputs;
  }
  TANDEM_ASSIGN_OR_RETURN(const NamedTensors arrays, ReadNpz(options.samples));
  TANDEM_ASSIGN_OR_RETURN(inputs, SelectInputs(model, arrays));
  for (size_t i = 0; i < inputs.size(); ++i) {  // the first samples, as many as the batch holds
    const int64_t have = inputs[i].num_elements(), need = NumElements(shapes[i]);
    if (have < need) {
      return absl::InvalidArgumentError(absl::StrCat(options.samples, ": too few samples of '", model.inputs()[i].name,
                                                     "' for ", ToString(shapes[i])));
    }
    Tensor first(inputs[i].type(), shapes[i]);
    std::memcpy(first.data(), inputs[i].data(), first.num_bytes());
    inputs[i] = std::move(first);
  }
  return inputs;
}

// A whole call: inputs copied in, outputs copied out.
class Call {
 public:
  Call(Execution& execution, const std::vector<Tensor>& inputs, size_t num_outputs)
      : execution_(execution), inputs_(inputs), outputs_(num_outputs) {}

  absl::Status operator()() {
    CopyInputs();
    TANDEM_RETURN_IF_ERROR(execution_.Run());
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const Tensor& output = execution_.output(static_cast<int>(i));
      outputs_[i].assign(static_cast<const char*>(output.data()),
                         static_cast<const char*>(output.data()) + output.num_bytes());
    }
    return absl::OkStatus();
  }

  void CopyInputs() {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].num_bytes() == 0) continue;
      std::memcpy(execution_.input(static_cast<int>(i)).data(), inputs_[i].data(), inputs_[i].num_bytes());
    }
  }

 private:
  Execution& execution_;
  const std::vector<Tensor>& inputs_;
  std::vector<std::vector<char>> outputs_;
};

// The median time of each step over some runs, longest first.
absl::Status PrintProfile(Execution& execution, Call& call) {
  auto* const bound = dynamic_cast<BoundPlan*>(&execution);
  TANDEM_CHECK(bound != nullptr, "an execution is a bound plan");
  const auto& steps = bound->plan().steps;
  constexpr int kRuns = 51;
  std::vector<std::vector<double>> times(steps.size());
  for (int run = 0; run < kRuns; ++run) {
    call.CopyInputs();
    for (size_t i = 0; i < steps.size(); ++i) {
      const auto begin = Clock::now();
      TANDEM_RETURN_IF_ERROR(bound->step(static_cast<int>(i)).Run());
      times[i].push_back(Milliseconds(Clock::now() - begin));
    }
  }
  std::vector<size_t> order(steps.size());
  std::iota(order.begin(), order.end(), 0);
  for (auto& samples : times) std::sort(samples.begin(), samples.end());
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return times[a][kRuns / 2] > times[b][kRuns / 2]; });
  double total = 0;
  for (const auto& samples : times) total += samples[kRuns / 2];
  std::printf("%9s %6s  step\n", "us", "%");
  for (size_t i : order) {
    const double median = times[i][kRuns / 2];
    std::printf("%9.2f %6.2f  %3zu %s\n", median * 1e3, 100 * median / total, i, steps[i]->Description().c_str());
  }
  std::printf("%9.2f         %zu steps, medians added\n", total * 1e3, steps.size());
  return absl::OkStatus();
}

}  // namespace

absl::Status Bench(const BenchOptions& options) {
  if (options.variant != "fp32" && options.variant != "int8") {
    return absl::InvalidArgumentError(absl::StrCat("there is no variant '", options.variant, "'; fp32 or int8"));
  }
  if (!(options.seconds > 0)) return absl::InvalidArgumentError("--seconds must be positive");
  TANDEM_ASSIGN_OR_RETURN(auto model, Model::Load(options.model));
  if (options.variant == "int8") {
    TANDEM_ASSIGN_OR_RETURN(const std::vector<Shape> wanted, ChooseShapes(*model, options.shapes, options.batch));
    TANDEM_ASSIGN_OR_RETURN(const std::string path, Int8Variant(options, wanted));
    TANDEM_ASSIGN_OR_RETURN(model, Model::Load(path));
  }
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, MakeInputs(options, *model));
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  Session session({.threads = options.threads});
  TANDEM_ASSIGN_OR_RETURN(Execution* const execution, session.Prepare(model, shapes));
  Call call(*execution, inputs, model->outputs().size());

  for (int i = 0; i < 3; ++i) TANDEM_RETURN_IF_ERROR(call());
  if (options.profile) TANDEM_RETURN_IF_ERROR(PrintProfile(*execution, call));
  std::vector<double> times;
  const auto end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  auto now = Clock::now();
  while (times.empty() || now < end) {
    const auto begin = now;
    TANDEM_RETURN_IF_ERROR(call());
    now = Clock::now();
    times.push_back(Milliseconds(now - begin));
  }
  std::sort(times.begin(), times.end());
  const double p50 = Percentile(times, 0.5), p99 = Percentile(times, 0.99);
  if (options.json) {
    const nlohmann::ordered_json line = {
        {"min_ms", times.front()}, {"p50_ms", p50}, {"p99_ms", p99}, {"runs", times.size()}};
    std::printf("%s\n", line.dump().c_str());
  } else {
    std::printf("min %.4f ms, p50 %.4f ms, p99 %.4f ms over %zu runs\n", times.front(), p50, p99, times.size());
  }
  return absl::OkStatus();
}

}  // namespace tandem::engine
