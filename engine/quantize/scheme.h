// What is quantized, and how: the words that the quantizer's steps pass on.
#ifndef TANDEM_ENGINE_QUANTIZE_SCHEME_H_
#define TANDEM_ENGINE_QUANTIZE_SCHEME_H_

#include <map>
#include <string>
#include <vector>

#include "engine/graph.h"

namespace tandem::engine {

// real = (stored - zero_point) * scale, stored as uint8.
struct QuantParams {
  float scale = 1;
  int zero_point = 0;
};

// The parameters for numbers from `low` to `high`; the range is widened to hold zero, which is exact.
QuantParams ParamsForRange(float low, float high);

// The same range, or a little more, with a scale that is a power of two.
QuantParams WithPowerOfTwo(const QuantParams& params, float low, float high);

// `values` as they are after being quantized and dequantized.
void FakeQuantize(const QuantParams& params, absl::Span<const float> values, absl::Span<float> out);

// A node that multiplies one activation by constant weights: Conv, ConvTranspose, Gemm, MatMul.
struct Layer {
  NodeId node = kNoNode;
  ValueId input = kNoValue;
  ValueId weights = kNoValue;
  // What adds its bias: the node itself, or behind a MatMul an Add of a constant; kNoNode: nothing can.
  NodeId bias_node = kNoNode;
  ValueId bias = kNoValue;     // a constant; kNoValue: none yet
  int64_t reduction_axis = 1;  // of the weights: which input channel an element multiplies
  int64_t channel_axis = 0;    // of the weights: which output channel an element belongs to
  int64_t groups = 1;
};

// Every layer of `graph`, in topological order.
std::vector<Layer> FindLayers(const Graph& graph);

// The quantized weights of one layer.
struct LayerScheme {
  Tensor weights;             // int8, as the float ones are laid out
  std::vector<float> scales;  // one a channel
  Tensor bias;                // float32, one an output channel; undefined: none
  Tensor own_bias;            // the same where no other layer is in int8
};

struct Scheme {
  std::map<NodeId, LayerScheme> layers;        // those in int8
  std::map<ValueId, QuantParams> activations;  // values that are stored in 8 bits
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_SCHEME_H_
