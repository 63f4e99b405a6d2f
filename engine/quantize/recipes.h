// The choice of a recipe: how ranges are chosen, and which repairs the float graph gets before it is quantized.
//
// Drafts are built one after the other and compared by the harm that noise does at the outputs on kept samples; the
// best so far stays.
#ifndef TANDEM_ENGINE_QUANTIZE_RECIPES_H_
#define TANDEM_ENGINE_QUANTIZE_RECIPES_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/graph.h"
#include "engine/quantize/build.h"
#include "engine/quantize/calibrate.h"
#include "engine/quantize/judge.h"
#include "engine/quantize/kept_samples.h"
#include "engine/quantize/samples.h"

namespace tandem::engine {

// What drafts are made of. Everything referred to outlives the choice.
struct Materials {
  const Graph& graph;
  const Histograms& histograms;                    // of its possible sites
  const std::vector<std::vector<Tensor>>& inputs;  // samples to simulate with
  Samples& samples;
  const std::vector<int64_t>& calibration;  // indices of samples
  const KeptSamples& kept;
  const Yardstick& yardstick;
  int threads = 1;
  bool repair = true;  // try repairs
  std::function<void(absl::string_view stage, double done)> progress;
};

struct Draft {
  std::shared_ptr<const Graph> graph;  // the float graph as repaired; values and nodes have the same ids
  std::shared_ptr<const Workbench> bench;
  Recipe recipe;
  Built built;
  double harm = 0;                 // Comparison::Harm on kept samples
  std::vector<std::string> notes;  // what was tried, and whether it stays
};

// `int8`: which layers to quantize. `recipe`: what the method asks for; how to choose ranges is found out.
absl::StatusOr<Draft> ChooseRecipe(const Materials& materials, const std::vector<bool>& int8, const Recipe& recipe);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_RECIPES_H_
