#include "engine/quantize/quantizer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "engine/quantize/build.h"
#include "engine/quantize/choice_times.h"
#include "engine/quantize/judge.h"
#include "engine/quantize/kept_samples.h"
#include "engine/quantize/recipes.h"
#include "engine/quantize/search.h"
#include "engine/quantize/sites.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

constexpr double kLeastGain = 1.1;
constexpr double kMostSpent = 1.25;  // of the time in int8, for less noise
constexpr int64_t kFewSamples = 20;
// Samples that are simulated side by side, and samples kept to compare choices on, by the memory they may take.
constexpr int64_t kSimulationBytes = int64_t{576} << 20;
constexpr int64_t kKeptBytes = int64_t{128} << 20;
constexpr int64_t kMostKept = 128;
constexpr int64_t kMostSearched = 64;  // of those that are kept: the search compares for each layer

bool ArrivesQuantized(const Graph& graph) {
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (graph.value(id).quantization.has_value()) return true;
  }
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id) != nullptr && graph.node(id)->op == "QuantizeLinear") return true;
  }
  return false;
}

bool AnyOf(const std::vector<bool>& flags) { return std::find(flags.begin(), flags.end(), true) != flags.end(); }

// How many samples of `bytes_of_each` fit into `budget`.
int64_t Fitting(int64_t most, int64_t bytes_of_each, int64_t budget) {
  return std::clamp(budget / std::max<int64_t>(bytes_of_each, 1), int64_t{4}, most);
}

class Quantizer {
 public:
  Quantizer(const Graph& graph, Samples& samples, const QuantizeOptions& options)
      : graph_(graph),
        samples_(samples),
        options_(options),
        times_(options.times != nullptr ? *options.times : own_times_),
        exact_(graph, options.threads) {}

  absl::StatusOr<Quantized> Run();

 private:
  absl::Status Reject(std::string reason) {
    report_.verdict = Verdict::kRejected;
    report_.reason = std::move(reason);
    return absl::OkStatus();
  }
  void Note(std::string note) { report_.notes.push_back(std::move(note)); }

  absl::Status Build();
  absl::Status Prepare(const std::vector<Layer>& layers);
  bool IsTooLittle(const Workbench& bench, const std::vector<bool>& eligible, const std::vector<bool>& int8) const;
  void NotePackedSize(const Workbench& bench, const std::vector<bool>& int8);
  std::vector<bool> Eligible(const std::vector<Layer>& layers);
  absl::StatusOr<Draft> Choose(const std::vector<bool>& int8);
  absl::StatusOr<std::vector<bool>> LeaveSlowLayers(const Workbench& bench, const Built& built);
  absl::StatusOr<std::vector<double>> NoiseOfLayers(const Workbench& bench, const Built& built,
                                                    const std::vector<bool>& int8);
  absl::StatusOr<std::vector<bool>> LeaveNoisyLayers(const Workbench& bench, const Built& built,
                                                     const std::vector<bool>& int8);
  absl::Status Judge();
  void Decide();
  void ReportLayers(const Workbench& bench, const Built& built);

  const Graph& graph_;
  Samples& samples_;
  const QuantizeOptions& options_;
  TimeBook own_times_;
  TimeBook& times_;
  Recipe recipe_;
  GraphRunner exact_;
  Split split_;
  Yardstick yardstick_;
  Histograms histograms_;
  std::vector<std::vector<Tensor>> simulated_;  // samples to simulate with
  KeptSamples kept_;
  std::vector<Tensor> timed_inputs_;
  std::vector<double> fp32_us_, int8_us_;   // by layer
  std::vector<double> noise_share_;         // by layer, once the search has measured it
  std::vector<std::string> left_in_float_;  // by layer: why, or empty
  bool hopeless_ = false;                   // no choice of layers is good enough: what is judged is all of them
  std::optional<Graph> result_;
  Report report_;
};

absl::Status Quantizer::Prepare(const std::vector<Layer>& layers) {
  const auto count = static_cast<double>(split_.calibration.size());
  TANDEM_ASSIGN_OR_RETURN(
      histograms_, Calibrate(graph_, PossibleSites(graph_, layers), samples_, split_.calibration, options_.threads,
                             [&](int64_t done) { options_.progress("calibrate", static_cast<double>(done) / count); }));
  int64_t largest = 1;
  for (const auto& [id, histogram] : histograms_) {
    largest = std::max(largest, histogram.total() / static_cast<int64_t>(split_.calibration.size()));
  }
  // At a node: both sides' operands and results, and what is tried.
  for (int64_t index : Spread(split_.calibration, Fitting(100, largest * 4 * 6, kSimulationBytes))) {
    TANDEM_ASSIGN_OR_RETURN(std::vector<Tensor> sample, samples_.Read(index));
    simulated_.push_back(std::move(sample));
  }
  int64_t bytes = 0;
  for (const Tensor& input : simulated_[0]) bytes += static_cast<int64_t>(input.num_bytes());
  const std::vector<int64_t> kept = Spread(split_.calibration, Fitting(kMostKept, bytes, kKeptBytes));
  TANDEM_ASSIGN_OR_RETURN(kept_, KeptSamples::Read(exact_, samples_, kept, options_.labels));
  timed_inputs_ = simulated_[0];
  return absl::OkStatus();
}

absl::StatusOr<Draft> Quantizer::Choose(const std::vector<bool>& int8) {
  const Materials materials{.graph = graph_,
                            .histograms = histograms_,
                            .inputs = simulated_,
                            .samples = samples_,
                            .calibration = split_.calibration,
                            .kept = kept_,
                            .yardstick = yardstick_,
                            .threads = options_.threads,
                            .repair = !options_.speed_only,
                            .progress = options_.progress};
  return ChooseRecipe(materials, int8, recipe_);
}

// A sign and a scale is too little for the first and the last layer and for depthwise convolutions.
std::vector<bool> Quantizer::Eligible(const std::vector<Layer>& layers) {
  std::vector<bool> eligible(layers.size(), true);
  if (!recipe_.binary) return eligible;
  for (size_t i = 0; i < layers.size(); ++i) {
    eligible[i] = i > 0 && i + 1 < layers.size() && layers[i].groups == 1;
    if (!eligible[i]) left_in_float_[i] = "first, last or in groups: no layer for signs";
  }
  return eligible;
}

// Whether so few of the `eligible` layers are in int8 that nothing is left of what was asked for: none, or of a binary
// model less than half of the weights.
bool Quantizer::IsTooLittle(const Workbench& bench, const std::vector<bool>& eligible,
                            const std::vector<bool>& int8) const {
  if (!recipe_.binary) return !AnyOf(int8);
  int64_t wanted = 0, got = 0;
  for (size_t i = 0; i < int8.size(); ++i) {
    const int64_t weights = bench.graph().ConstantOf(bench.layers()[i].weights)->num_elements();
    wanted += eligible[i] ? weights : 0;
    got += int8[i] ? weights : 0;
  }
  return 2 * got < wanted;
}

// Standard operators read no signs: the file holds eight bits for each.
void Quantizer::NotePackedSize(const Workbench& bench, const std::vector<bool>& int8) {
  int64_t signs = 0;
  for (size_t i = 0; i < int8.size(); ++i) {
    if (int8[i]) signs += bench.graph().ConstantOf(bench.layers()[i].weights)->num_elements();
  }
  Note(
      absl::StrFormat("The file holds %d signs in 8 bits each, and int8 kernels multiply by them: neither its size nor "
                      "its speed is that of packed bits, which would take %d bytes less.",
                      signs, signs - (signs + 7) / 8));
}

// Layers that take longer in int8, with the conversions that they need, are left in fp32 when the whole run gains.
absl::StatusOr<std::vector<bool>> Quantizer::LeaveSlowLayers(const Workbench& bench, const Built& built) {
  const ChoiceTimes times(bench, built, timed_inputs_, options_.threads, times_);
  TANDEM_ASSIGN_OR_RETURN(fp32_us_, times.Layers(Choice(built.int8.size(), false)));
  TANDEM_ASSIGN_OR_RETURN(int8_us_, times.Layers(built.int8));
  std::vector<size_t> slow;
  for (size_t i = 0; i < built.int8.size(); ++i) {
    if (built.int8[i] && int8_us_[i] > fp32_us_[i] * 1.02) slow.push_back(i);
  }
  const auto lost = [&](size_t i) { return int8_us_[i] - fp32_us_[i]; };
  std::stable_sort(slow.begin(), slow.end(), [&](size_t a, size_t b) { return lost(a) > lost(b); });
  constexpr size_t kMostTries = 6;
  if (slow.size() > kMostTries) slow.resize(kMostTries);
  std::vector<bool> int8 = built.int8;
  for (size_t n = 0; n < slow.size(); ++n) {
    options_.progress("repair", static_cast<double>(n) / static_cast<double>(slow.size()));
    std::vector<bool> tried = int8;
    tried[slow[n]] = false;
    TANDEM_ASSIGN_OR_RETURN(const PairTimes runs, times.Runs(int8, tried));
    if (runs.second_ms > runs.first_ms * 0.99) continue;
    int8 = tried;
    left_in_float_[slow[n]] = absl::StrFormat("slower in int8: %.1f us with its conversions, %.1f in fp32",
                                              int8_us_[slow[n]], fp32_us_[slow[n]]);
  }
  return int8;
}

// What each layer alone makes of the outputs.
absl::StatusOr<std::vector<double>> Quantizer::NoiseOfLayers(const Workbench& bench, const Built& built,
                                                             const std::vector<bool>& int8) {
  std::vector<double> noise(int8.size(), 0);
  for (size_t i = 0; i < int8.size(); ++i) {
    options_.progress("search", 0.7 * static_cast<double>(i) / static_cast<double>(int8.size()));
    if (!int8[i]) continue;
    TANDEM_ASSIGN_OR_RETURN(const Comparison comparison,
                            kept_.Compare(bench.GraphOfOne(built, i), yardstick_, options_.threads, kMostSearched));
    noise[i] = comparison.Power();
  }
  return noise;
}

absl::StatusOr<std::vector<bool>> Quantizer::LeaveNoisyLayers(const Workbench& bench, const Built& built,
                                                              const std::vector<bool>& int8) {
  const ChoiceTimes times(bench, built, timed_inputs_, options_.threads, times_);
  SearchProblem problem;
  problem.int8 = int8;
  TANDEM_ASSIGN_OR_RETURN(problem.noise, NoiseOfLayers(bench, built, int8));
  for (size_t i = 0; i < int8.size(); ++i) problem.saved_us.push_back(fp32_us_[i] - int8_us_[i]);
  // Well inside of the budget, so that the bounds can be too.
  problem.target_loss = yardstick_.budget * (yardstick_.metric == Metric::kAgreement ? 0.5
                                             : yardstick_.metric == Metric::kTop1    ? 0.5
                                                                                     : 0.8);
  problem.progress = [&](double done) { options_.progress("search", 0.7 + 0.3 * done); };
  problem.is_affordable = [&](const std::vector<bool>& tried) -> absl::StatusOr<bool> {
    TANDEM_ASSIGN_OR_RETURN(const PairTimes runs, times.Runs(int8, tried));
    return runs.second_ms <= runs.first_ms * kMostSpent;
  };
  const Evaluate evaluate = [&](const std::vector<bool>& tried) -> absl::StatusOr<double> {
    TANDEM_ASSIGN_OR_RETURN(const Comparison comparison,
                            kept_.Compare(bench.GraphOf(built, tried), yardstick_, options_.threads, kMostSearched));
    return comparison.CautiousLoss();
  };
  TANDEM_ASSIGN_OR_RETURN(const SearchResult found, SearchPrecision(problem, evaluate));
  for (size_t i = 0; i < int8.size(); ++i) {
    if (int8[i] && !found.int8[i]) left_in_float_[i] = "makes more noise than its time is worth";
  }
  noise_share_ = found.noise_share;
  return found.int8;
}

void Quantizer::ReportLayers(const Workbench& bench, const Built& built) {
  for (size_t i = 0; i < bench.layers().size(); ++i) {
    const Layer& layer = bench.layers()[i];
    const Node& node = *graph_.node(layer.node);
    LayerReport entry;
    entry.name = node.name.empty() ? graph_.value(node.outputs[0]).name : node.name;
    entry.op = node.op;
    entry.int8 = built.int8[i];
    entry.reason = left_in_float_[i];
    if (entry.int8) {
      entry.params = built.scheme.activations.at(layer.input);
      entry.low = static_cast<float>(-entry.params.zero_point) * entry.params.scale;
      entry.high = static_cast<float>(255 - entry.params.zero_point) * entry.params.scale;
      const auto name = built.simulation.range_names.find(layer.input);
      entry.reason = absl::StrCat("range by ", name == built.simulation.range_names.end() ? "min-max" : name->second);
      const double noise = built.simulation.layer_noise.at(layer.node);
      entry.sqnr_db = -10 * std::log10(std::max(noise, 1e-12));
    }
    if (!noise_share_.empty() && (entry.int8 || noise_share_[i] > 0)) entry.noise_share = noise_share_[i];
    entry.fp32_us = fp32_us_[i];
    if (built.int8[i] || int8_us_[i] > 0) entry.int8_us = int8_us_[i];
    report_.layers.push_back(std::move(entry));
  }
}

absl::Status Quantizer::Build() {
  const std::vector<Layer> layers = FindLayers(graph_);
  if (ArrivesQuantized(graph_)) return Reject("The model arrives quantized: it runs in int8 as it is.");
  if (layers.empty()) {
    return Reject("There is nothing to quantize: no convolution or matrix product with constant weights.");
  }
  if (samples_.size() == 0) return absl::InvalidArgumentError("there are no samples");
  split_ = SplitSamples(samples_.size(), options_.seed, options_.most_calibration, options_.most_judging);
  report_.calibration_samples = static_cast<int64_t>(split_.calibration.size());
  if (samples_.size() == 1) Note("The one sample calibrates and judges: that it judges well means little.");
  if (samples_.size() < kFewSamples) Note(absl::StrCat("Only ", samples_.size(), " samples: bounds are wide."));
  left_in_float_.resize(layers.size());
  fp32_us_.resize(layers.size());
  int8_us_.resize(layers.size());
  TANDEM_ASSIGN_OR_RETURN(yardstick_, ChooseYardstick(graph_, exact_, samples_, split_.calibration, options_));
  TANDEM_RETURN_IF_ERROR(Prepare(layers));
  const std::vector<bool> eligible = Eligible(layers);
  if (!AnyOf(eligible)) {
    return Reject("No layer can bear signs for weights: they are the first, the last or in groups.");
  }
  TANDEM_ASSIGN_OR_RETURN(Draft draft, Choose(eligible));
  for (std::string& note : draft.notes) Note(std::move(note));
  const Workbench& bench = *draft.bench;
  Built built = std::move(draft.built);
  const std::vector<std::string> not_eligible = left_in_float_;
  const std::vector<bool> first = built.int8;
  TANDEM_ASSIGN_OR_RETURN(std::vector<bool> int8, LeaveSlowLayers(bench, built));
  if (!options_.speed_only) {
    TANDEM_ASSIGN_OR_RETURN(int8, LeaveNoisyLayers(bench, built, int8));
  }
  if (IsTooLittle(bench, first, int8)) {
    if (options_.speed_only) return Reject("No layer gains time in int8.");
    hopeless_ = true;
    left_in_float_ = not_eligible;
  } else if (int8 != first) {
    TANDEM_ASSIGN_OR_RETURN(built,
                            bench.Build(int8, draft.recipe, [&](double done) { options_.progress("repair", done); }));
  }
  ReportLayers(bench, built);
  if (!built.limited.empty()) {
    Note(absl::StrCat(built.limited.size(),
                      " layers have weights of limited pairs: sums of 16 bits would saturate on this CPU."));
  }
  if (recipe_.binary) NotePackedSize(bench, built.int8);
  result_ = bench.GraphOf(built, built.int8);
  if (!options_.speed_only) return Judge();
  report_.reason = "Nothing was judged: the samples say nothing of the model's quality.";
  return absl::OkStatus();
}

absl::Status Quantizer::Judge() {
  GraphRunner quantized(*result_, options_.threads);
  Comparison comparison(yardstick_);
  for (size_t n = 0; n < split_.judging.size(); ++n) {
    TANDEM_RETURN_IF_ERROR(CompareOn(exact_, quantized, samples_, split_.judging[n], options_, comparison));
    options_.progress("judge", static_cast<double>(n + 1) / static_cast<double>(split_.judging.size()));
  }
  report_.loss = comparison.Report(options_.confidence, options_.seed);
  TANDEM_ASSIGN_OR_RETURN(const PairTimes times, TimeInTurns(exact_, quantized, timed_inputs_));
  report_.fp32_ms = times.first_ms;
  report_.int8_ms = times.second_ms;
  Decide();
  return absl::OkStatus();
}

void Quantizer::Decide() {
  const LossReport& loss = *report_.loss;
  const double gain = *report_.fp32_ms / *report_.int8_ms;
  const auto shown = [&](double value) { return ShownLoss(loss, value); };
  const std::string measured =
      absl::StrFormat("%s of %s (%s to %s at %g %% confidence; budget %s)", shown(loss.value),
                      loss.metric == "top1"        ? "accuracy lost"
                      : loss.metric == "agreement" ? "answers changed"
                                                   : "signal to noise",
                      shown(loss.lower), shown(loss.upper), 100 * loss.confidence, shown(loss.budget));
  report_.reason = absl::StrFormat("%s on %d samples; %.2f times as fast.", measured, loss.samples, gain);
  const auto blame = [&] {
    const std::string layers = CostliestLayers(report_.layers);
    if (!layers.empty()) absl::StrAppend(&report_.reason, " ", layers);
  };
  if (hopeless_) {
    report_.verdict = Verdict::kRejected;
    report_.reason = "No choice of layers keeps within the budget and gains time; with all of them: " + report_.reason;
    blame();
  } else if (loss.lower > loss.budget) {
    report_.verdict = Verdict::kRejected;
    report_.reason = "The loss is outside the budget: " + report_.reason;
    blame();
  } else if (gain < kLeastGain) {
    report_.verdict = Verdict::kRejected;
    report_.reason = absl::StrFormat("It gains less than %.1f times on this CPU and is left in fp32: %s", kLeastGain,
                                     report_.reason);
  } else if (loss.upper <= loss.budget && samples_.size() > 1) {
    report_.verdict = Verdict::kProven;
  } else {
    report_.verdict = Verdict::kInconclusive;
    report_.reason = "The samples do not suffice for a proof: " + report_.reason;
  }
}

absl::StatusOr<Quantized> Quantizer::Run() {
  recipe_.power_of_two = options_.method == "fixed_point";
  recipe_.binary = options_.method == "binary";
  recipe_.saturating = SumsSaturate(options_.cpu_level);
  report_.isa = options_.cpu_level;
  report_.method = options_.method;
  report_.seed = options_.seed;
  TANDEM_RETURN_IF_ERROR(Build());
  return Quantized{std::move(result_), std::move(report_)};
}

}  // namespace

bool SumsSaturate(absl::string_view cpu_level) {
  return cpu_level == "sse41" || cpu_level == "avx" || cpu_level == "avx2" || cpu_level == "avx512_core";
}

absl::StatusOr<Quantized> Quantize(const Graph& graph, Samples& samples, const QuantizeOptions& options) {
  return Quantizer(graph, samples, options).Run();
}

}  // namespace tandem::engine
