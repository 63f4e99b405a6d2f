#include "engine/quantize/quantizer.h"

#include <utility>

#include "engine/quantize/calibrate.h"
#include "engine/quantize/insert.h"
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
  for (const SiteGroup& group : groups) {
    Histogram all;
    for (ValueId id : group.values) all.Merge(histograms.at(id));
    for (ValueId id : group.values) scheme.activations[id] = ParamsForRange(all.min(), all.max());
  }
  for (const Layer& layer : layers) {
    LayerScheme& quantized = scheme.layers[layer.node];
    quantized = QuantizeWeights(*graph.ConstantOf(layer.weights), layer.channel_axis, {});
    if (layer.bias != kNoValue) quantized.bias = *graph.ConstantOf(layer.bias);
  }
  result.graph = InsertQuantization(graph, layers, scheme);
  return result;
}

}  // namespace tandem::engine
