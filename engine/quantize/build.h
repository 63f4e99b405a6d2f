// Builds quantized graphs for choices of layers, out of what calibration found; the quantizer's workbench.
#ifndef TANDEM_ENGINE_QUANTIZE_BUILD_H_
#define TANDEM_ENGINE_QUANTIZE_BUILD_H_

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/quantize/calibrate.h"
#include "engine/quantize/quantizer.h"
#include "engine/quantize/scheme.h"
#include "engine/quantize/simulate.h"

namespace tandem::engine {

// How numbers become integers, by method.
struct Recipe {
  bool extremes_only = false;  // of ranges: no clipping
  bool power_of_two = false;   // scales
  bool binary = false;         // weights: a sign and a scale
  bool saturating = false;     // sums of two products have 16 bits on this CPU
};

struct Built {
  std::vector<bool> int8;  // by layer
  Scheme scheme;
  std::vector<size_t> limited;  // layers with weights whose pairs are limited
  SimulationResult simulation;
};

class Workbench {
 public:
  // `graph` outlives it. `inputs`: samples to simulate with. One that only makes graphs needs neither these nor
  // histograms.
  Workbench(const Graph& graph, std::vector<Layer> layers, Histograms histograms,
            std::vector<std::vector<Tensor>> inputs, int threads)
      : graph_(graph),
        layers_(std::move(layers)),
        histograms_(std::move(histograms)),
        inputs_(std::move(inputs)),
        threads_(threads) {}

  const Graph& graph() const { return graph_; }
  const std::vector<Layer>& layers() const { return layers_; }

  // Ranges chosen, weights quantized, biases corrected in sequence.
  absl::StatusOr<Built> Build(const std::vector<bool>& int8, const Recipe& recipe,
                              const std::function<void(double)>& progress) const;
  // The graph of `built`, or of fewer of its layers with the same parameters.
  Graph GraphOf(const Built& built, const std::vector<bool>& int8) const;
  // The graph with one layer of `built` in int8.
  Graph GraphOfOne(const Built& built, size_t layer) const;

 private:
  Graph GraphWith(const Built& built, const std::vector<bool>& int8, std::map<NodeId, LayerScheme> layers) const;
  // The sites whose distribution is known.
  std::vector<SiteGroup> Sites(const std::vector<bool>& int8) const;

  const Graph& graph_;
  const std::vector<Layer> layers_;
  const Histograms histograms_;
  const std::vector<std::vector<Tensor>> inputs_;
  const int threads_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_BUILD_H_
