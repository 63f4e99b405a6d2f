// Channels: their magnitudes, and scaling the constants that make or read them.
//
// A value's channel can be made s times smaller when what makes it divides by s and what reads it multiplies by s: the
// network computes the same, and its numbers may be easier to store in 8 bits.
#ifndef TANDEM_ENGINE_QUANTIZE_CHANNELS_H_
#define TANDEM_ENGINE_QUANTIZE_CHANNELS_H_

#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/graph.h"
#include "engine/quantize/samples.h"
#include "engine/quantize/scheme.h"

namespace tandem::engine {

// By channel: magnitudes, or factors.
using ChannelValues = std::vector<float>;

// How many channels a layer reads, and writes.
int64_t InputChannels(const Layer& layer, const Tensor& weights);
int64_t OutputChannels(const Layer& layer, const Tensor& weights);

// The largest magnitude among the weights that each channel is multiplied by, or is made with.
ChannelValues InputMagnitudes(const Layer& layer, const Tensor& weights);
ChannelValues OutputMagnitudes(const Layer& layer, const Tensor& weights);

// Multiplies those weights by their channel's factor. `weights` are changed in place.
void ScaleInputs(const Layer& layer, const ChannelValues& factors, Tensor& weights);
void ScaleOutputs(const Layer& layer, const ChannelValues& factors, Tensor& weights);

// `tensor`, a vector of one element a channel, with its elements multiplied.
Tensor Scaled(const Tensor& tensor, const ChannelValues& factors);

// Replaces constant `input` of node `id`, for that node alone.
void SetConstant(Graph& graph, NodeId id, size_t input, Tensor tensor);

// The largest magnitude that each channel of some values takes on the samples `indices`; `axes`: by value, where its
// channels lie, -1 for the last axis.
using ChannelPeaks = std::map<ValueId, ChannelValues>;
absl::StatusOr<ChannelPeaks> FindPeaks(const Graph& graph, const std::map<ValueId, int64_t>& axes, Samples& samples,
                                       const std::vector<int64_t>& indices, int threads);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_CHANNELS_H_
