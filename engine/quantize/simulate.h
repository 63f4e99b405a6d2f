// Simulation: the float graph and the quantized one side by side, node after node, on some samples.
//
// The quantized side sees what an int8 layer sees: inputs stored in 8 bits, weights in int8. While it walks, ranges are
// chosen by the error of the layers that read a value, and each layer's bias takes up the mean error of its results,
// earlier layers' errors included (Nagel et al., "Data-free quantization through weight equalization and bias
// correction", 2019, here on data and in sequence), and beside that what it would be if the layer alone were in int8.
// Memory is what is alive at one node.
#ifndef TANDEM_ENGINE_QUANTIZE_SIMULATE_H_
#define TANDEM_ENGINE_QUANTIZE_SIMULATE_H_

#include <functional>
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph.h"
#include "engine/quantize/calibrate.h"
#include "engine/quantize/scheme.h"
#include "engine/quantize/sites.h"

namespace tandem::engine {

struct SimulationOptions {
  int threads = 1;
  bool correct_bias = true;
  bool extremes_only = false;  // ranges are never clipped
  bool power_of_two = false;   // scales
  // Samples that ranges are chosen with, the first ones.
  int range_samples = 8;
  // Told how many nodes are done.
  std::function<void(double)> progress = [](double) {};
};

struct SimulationResult {
  std::map<NodeId, double> layer_noise;        // power of the error over power of the result, by int8 layer
  std::map<ValueId, const char*> range_names;  // how each site's range was chosen
  std::vector<std::vector<Tensor>> exact;      // by sample: the graph's outputs
  std::vector<std::vector<Tensor>> quantized;
};

// `scheme`: the layers to run in int8 with their weights; its activations that are set are kept, others are chosen
// (`groups` says which values are sites, `histograms` how they are distributed). Biases are corrected in place.
absl::StatusOr<SimulationResult> Simulate(const Graph& graph, const std::vector<Layer>& layers,
                                          const std::vector<SiteGroup>& groups, const Histograms& histograms,
                                          const std::vector<std::vector<Tensor>>& inputs,
                                          const SimulationOptions& options, Scheme& scheme);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_SIMULATE_H_
