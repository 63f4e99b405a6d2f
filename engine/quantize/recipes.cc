#include "engine/quantize/recipes.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "engine/quantize/equalize.h"
#include "engine/quantize/sites.h"
#include "engine/quantize/smooth.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

// Of the harm: what is chosen on few samples must be clearly better. Changes grow with the noise's deviation, the share
// of the power with its square.
constexpr double kClearlyLessNoise = 0.75;
constexpr double kClearlyFewerChanges = 0.9;
constexpr float kAlphas[] = {0.25f, 0.5f, 0.75f};

double Decibels(double noise) { return -10 * std::log10(std::max(noise, 1e-12)); }

class Chooser {
 public:
  Chooser(const Materials& materials, const std::vector<bool>& int8, const Recipe& recipe)
      : materials_(materials), int8_(int8), layers_(FindLayers(materials.graph)) {
    best_.recipe = recipe;
  }

  absl::StatusOr<Draft> Run() {
    TANDEM_RETURN_IF_ERROR(ChooseRanges());
    if (materials_.repair) TANDEM_RETURN_IF_ERROR(Repair());
    return std::move(best_);
  }

 private:
  absl::StatusOr<Draft> Build(const std::shared_ptr<const Graph>& graph, const std::shared_ptr<const Workbench>& bench,
                              const Recipe& recipe, const std::function<void(double)>& progress) const {
    Draft draft{.graph = graph, .bench = bench, .recipe = recipe, .built = {}, .notes = {}};
    TANDEM_ASSIGN_OR_RETURN(draft.built, bench->Build(int8_, recipe, progress));
    TANDEM_ASSIGN_OR_RETURN(
        const Comparison comparison,
        materials_.kept.Compare(bench->GraphOf(draft.built, int8_), materials_.yardstick, materials_.threads));
    draft.harm = comparison.Harm();
    return draft;
  }

  // The extremes come first; clipping helps some models and hurts others.
  absl::Status ChooseRanges() {
    const auto graph = std::make_shared<const Graph>(materials_.graph);
    const auto bench = std::make_shared<const Workbench>(*graph, layers_, materials_.histograms, materials_.inputs,
                                                         materials_.threads);
    Recipe recipe = best_.recipe;
    recipe.extremes_only = true;
    TANDEM_ASSIGN_OR_RETURN(best_,
                            Build(graph, bench, recipe, [&](double done) { materials_.progress("ranges", done / 2); }));
    recipe.extremes_only = false;
    TANDEM_ASSIGN_OR_RETURN(Draft clipped, Build(graph, bench, recipe,
                                                 [&](double done) { materials_.progress("ranges", 0.5 + done / 2); }));
    if (IsClearlyBetter(clipped, best_.harm)) best_ = std::move(clipped);
    return absl::OkStatus();
  }

  absl::Status Repair() {
    const std::vector<EqualizedPair> pairs = FindEqualizedPairs(materials_.graph, layers_);
    const std::vector<SmoothedValue> values = FindSmoothedValues(materials_.graph, layers_);
    std::map<ValueId, int64_t> axes;
    for (const EqualizedPair& pair : pairs) {
      if (pair.clipped != kNoValue) axes[pair.clipped] = pair.axis;
    }
    for (const SmoothedValue& value : values) axes[value.value] = -1;
    ChannelPeaks peaks;
    if (!axes.empty()) {
      TANDEM_ASSIGN_OR_RETURN(
          peaks, FindPeaks(materials_.graph, axes, materials_.samples, materials_.calibration, materials_.threads));
    }
    if (!pairs.empty()) {
      TANDEM_RETURN_IF_ERROR(Try("cross-layer equalization", {Equalize(*best_.graph, layers_, pairs, peaks)}));
    }
    if (!values.empty()) {
      std::vector<Graph> smoothed;
      const std::vector<Layer> layers = FindLayers(*best_.graph);
      for (const float alpha : kAlphas) smoothed.push_back(Smooth(*best_.graph, layers, values, peaks, alpha));
      TANDEM_RETURN_IF_ERROR(Try("smoothing of outliers", std::move(smoothed)));
    }
    return absl::OkStatus();
  }

  // The best of `graphs`, forms of one repair, takes over when it does clearly less harm than what was before.
  absl::Status Try(const char* name, std::vector<Graph> graphs) {
    const double before = best_.harm;
    double least = 0;
    bool kept = false;
    for (size_t i = 0; i < graphs.size(); ++i) {
      const auto told = [&](double done) {
        materials_.progress("repair", (static_cast<double>(i) + done) / static_cast<double>(graphs.size()));
      };
      const auto graph = std::make_shared<const Graph>(std::move(graphs[i]));
      TANDEM_ASSIGN_OR_RETURN(const auto bench, Calibrated(*graph, [&](double done) { told(done / 2); }));
      TANDEM_ASSIGN_OR_RETURN(Draft draft,
                              Build(graph, bench, best_.recipe, [&](double done) { told(0.5 + done / 2); }));
      if (i == 0 || draft.harm < least) least = draft.harm;
      if (IsClearlyBetter(draft, before) && draft.harm < best_.harm) {
        draft.notes = std::move(best_.notes);
        best_ = std::move(draft);
        kept = true;
      }
    }
    best_.notes.push_back(absl::StrCat(name, kept ? ": kept, " : ": tried, not kept, ", Change(before, least)));
    return absl::OkStatus();
  }

  bool IsClearlyBetter(const Draft& draft, double before) const {
    const bool noise = materials_.yardstick.metric == Metric::kSqnr;
    return draft.harm < before * (noise ? kClearlyLessNoise : kClearlyFewerChanges);
  }

  // What a note says of the harm before and after.
  std::string Change(double before, double after) const {
    if (materials_.yardstick.metric == Metric::kSqnr) {
      return absl::StrFormat("noise %.1f -> %.1f dB", Decibels(before), Decibels(after));
    }
    return absl::StrFormat("answers expected to change %.2f -> %.2f %%", 100 * before, 100 * after);
  }

  absl::StatusOr<std::shared_ptr<const Workbench>> Calibrated(const Graph& graph,
                                                              const std::function<void(double)>& progress) const {
    std::vector<Layer> layers = FindLayers(graph);
    const auto count = static_cast<double>(materials_.calibration.size());
    TANDEM_ASSIGN_OR_RETURN(
        Histograms histograms,
        Calibrate(graph, PossibleSites(graph, layers), materials_.samples, materials_.calibration, materials_.threads,
                  [&](int64_t done) { progress(static_cast<double>(done) / count); }));
    return std::make_shared<const Workbench>(graph, std::move(layers), std::move(histograms), materials_.inputs,
                                             materials_.threads);
  }

  const Materials& materials_;
  const std::vector<bool>& int8_;
  const std::vector<Layer> layers_;
  Draft best_;
};

}  // namespace

absl::StatusOr<Draft> ChooseRecipe(const Materials& materials, const std::vector<bool>& int8, const Recipe& recipe) {
  return Chooser(materials, int8, recipe).Run();
}

}  // namespace tandem::engine
