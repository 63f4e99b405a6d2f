// Building what operators on quantized numbers stand for: DequantizeLinear, an operator on real numbers,
// QuantizeLinear. For the rewrites that expand them (rewrites.h), which run before types and shapes are inferred.
#ifndef TANDEM_ENGINE_PASSES_EXPANSION_H_
#define TANDEM_ENGINE_PASSES_EXPANSION_H_

#include <optional>

#include "engine/passes/pass.h"

namespace tandem::engine {

// A quantized value as operators take it; the zero point may be absent.
struct QuantizedValue {
  ValueId value = kNoValue;
  ValueId scale = kNoValue;
  ValueId zero_point = kNoValue;
};

// Whether the node has what an expansion replaces. Files may say otherwise, and nothing has checked them yet.
inline bool HasOneOutput(const Node& node) { return node.outputs.size() == 1 && node.outputs[0] != kNoValue; }

// Inputs `first`, `first` + 1 and `first` + 2; nothing when the value or the scale is not among them.
std::optional<QuantizedValue> QuantizedInput(const Node& node, size_t first);

class Expansion {
 public:
  // `node` has one output.
  Expansion(const Matcher& matcher, const Node& node) : matcher_(matcher), node_(node), patch_(matcher.graph()) {}

  ValueId AddConstant(Tensor tensor) { return patch_.AddConstant(std::move(tensor)); }
  // The real numbers of `value`. With more than one scale, `axis` is what they belong to; a single zero point serves
  // all of them.
  ValueId Dequantize(QuantizedValue value, int64_t axis = 0);
  // The real numbers of int32 sums of products, one step of which is worth `scale`.
  ValueId DequantizeSums(ValueId sums, Tensor scale, int64_t axis);
  // The result of `op` on real numbers, with the node's name and `attributes`.
  ValueId Compute(absl::string_view op, std::vector<ValueId> inputs, Attributes attributes);
  // The whole: `real`, quantized, takes the place of the node's output.
  Patch Quantized(ValueId real, ValueId scale, ValueId zero_point) &&;
  // The whole, of a node that gives real numbers itself.
  Patch Real(ValueId real) &&;

 private:
  // Tensors of one element become scalars.
  ValueId Scalar(ValueId id);
  ValueId Repeated(ValueId zero_point, int64_t count);

  const Matcher& matcher_;
  const Node& node_;
  Patch patch_;
};

// The float32 constant `id`, or null.
const Tensor* ScaleConstant(const Matcher& matcher, ValueId id);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_PASSES_EXPANSION_H_
