#include "engine/quantize/bias.h"

#include <algorithm>

#include "engine/ops/dims.h"

namespace tandem::engine {

namespace {

// Where the channels of the layer's results lie.
AxisView ChannelsOf(const Node& node, const Tensor& result) {
  const bool convolution = node.op == "Conv" || node.op == "ConvTranspose";
  return ViewAround(result.shape(), convolution ? 1 : result.rank() - 1);
}

// Calls `f(channel, offset)` for runs of `inner` elements of one channel.
template <typename F>
void ForEachRun(const AxisView& view, F&& f) {
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    for (int64_t channel = 0; channel < view.length; ++channel)
      f(channel, (outer * view.length + channel) * view.inner);
  }
}

// The mean difference of each channel in one sample.
std::vector<double> MeanErrors(const AxisView& view, absl::Span<const float> exact, absl::Span<const float> result) {
  std::vector<double> means(view.length, 0);
  ForEachRun(view, [&](int64_t channel, int64_t offset) {
    double sum = 0;
    for (int64_t i = offset; i < offset + view.inner; ++i) sum += static_cast<double>(exact[i]) - result[i];
    means[channel] += sum;
  });
  for (double& mean : means) mean /= static_cast<double>(std::max<int64_t>(view.outer * view.inner, 1));
  return means;
}

}  // namespace

void CorrectBias(const Graph& graph, const Layer& layer, const std::vector<Tensor>& exact, std::vector<Tensor>& results,
                 LayerScheme& scheme) {
  const Node& node = *graph.node(layer.node);
  const size_t count = results.size();
  if (count < 2 || layer.bias_node == kNoNode) return;
  const int64_t channels = ChannelsOf(node, results[0]).length;
  if (scheme.bias.defined() && scheme.bias.num_elements() != channels) return;
  std::vector<double> sum(channels, 0), squares(channels, 0);
  for (size_t s = 0; s < count; ++s) {
    const auto means = MeanErrors(ChannelsOf(node, exact[s]), exact[s].values<float>(), results[s].values<float>());
    for (int64_t c = 0; c < channels; ++c) {
      sum[c] += means[c];
      squares[c] += means[c] * means[c];
    }
  }
  Tensor bias(DataType::kFloat32, {channels});
  std::vector<float> correction(channels, 0);
  const auto n = static_cast<double>(count);
  for (int64_t c = 0; c < channels; ++c) {
    const double mean = sum[c] / n;
    const double chance = std::max(0.0, squares[c] / n - mean * mean) / (n - 1);  // variance of the mean
    const double kept = mean != 0 ? std::max(0.0, 1 - chance / (mean * mean)) : 0;
    correction[c] = static_cast<float>(mean * kept);
    bias.mutable_values<float>()[c] = correction[c] + (scheme.bias.defined() ? scheme.bias.values<float>()[c] : 0);
  }
  scheme.bias = scheme.bias.defined() ? bias.Reshaped(scheme.bias.shape()) : bias;
  for (Tensor& result : results) {
    const AxisView view = ChannelsOf(node, result);
    const auto values = result.mutable_values<float>();
    ForEachRun(view, [&](int64_t channel, int64_t offset) {
      for (int64_t i = offset; i < offset + view.inner; ++i) values[i] += correction[channel];
    });
  }
}

}  // namespace tandem::engine
