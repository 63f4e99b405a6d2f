#include "engine/quantize/quantizer.h"

#include <cmath>
#include <utility>

#include "engine/quantize/calibrate.h"
#include "engine/quantize/insert.h"
#include "engine/quantize/simulate.h"
#include "engine/quantize/sites.h"
#include "engine/quantize/weights.h"
#include "engine/status.h"

namespace tandem::engine {

absl::StatusOr<Quantized> Quantize(const Graph& graph, Samples& samples, const QuantizeOptions& options) {
  Quantized result;
  result.report.method = options.method;
  result.report.seed = options.seed;
  const std::vector<Layer> layers = FindLayers(graph);
  const Split split = SplitSamples(samples.size(), options.seed, options.most_calibration, options.most_judging);
  const std::vector<SiteGroup> groups = FindSites(graph, layers, std::vector<bool>(layers.size(), true));
  std::vector<ValueId> sites;
  for (const SiteGroup& group : groups) sites.insert(sites.end(), group.values.begin(), group.values.end());
  TANDEM_ASSIGN_OR_RETURN(const Histograms histograms,
                          Calibrate(graph, sites, samples, split.calibration, options.threads, [&](int64_t done) {
                            options.progress("calibrate", static_cast<double>(done) / split.calibration.size());
                          }));
  Scheme scheme;
  for (const Layer& layer : layers) {
    LayerScheme& quantized = scheme.layers[layer.node];
    quantized = QuantizeWeights(*graph.ConstantOf(layer.weights), layer.channel_axis, {});
    if (layer.bias != kNoValue) quantized.bias = *graph.ConstantOf(layer.bias);
  }
  std::vector<std::vector<Tensor>> inputs;
  for (int64_t index : Spread(split.calibration, 32)) {
    TANDEM_ASSIGN_OR_RETURN(std::vector<Tensor> sample, samples.Read(index));
    inputs.push_back(std::move(sample));
  }
  SimulationOptions simulation{.threads = options.threads};
  simulation.correct_bias = getenv("NOBC") == nullptr;
  simulation.progress = [&](double done) { options.progress("ranges", done); };
  TANDEM_ASSIGN_OR_RETURN(const SimulationResult simulated,
                          Simulate(graph, layers, groups, histograms, inputs, simulation, scheme));
  for (const Layer& layer : layers) {
    const ValueId v = layer.input;
    LayerReport r{.name = graph.node(layer.node)->name, .op = graph.node(layer.node)->op, .int8 = true};
    r.params = scheme.activations.at(v);
    r.reason = simulated.range_names.at(v);
    r.sqnr_db = -10 * std::log10(simulated.layer_noise.at(layer.node) + 1e-20);
    r.low = -r.params.zero_point * r.params.scale;
    r.high = (255 - r.params.zero_point) * r.params.scale;
    result.report.layers.push_back(r);
  }
  result.graph = InsertQuantization(graph, layers, scheme);
  return result;
}

}  // namespace tandem::engine
