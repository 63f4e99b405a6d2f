// Quantization: how real numbers are stored as integers of 8 bits.
//
//   real = (stored - zero_point) * scale          stored = saturate(round_half_even(real / scale) + zero_point)
//
// This is the arithmetic of ONNX's QuantizeLinear and DequantizeLinear. A Value that has a quantization is a float32
// value of the graph that lies in memory as those integers: its producer rounds what it computes, its readers see what
// the integers stand for. So `DequantizeLinear(QuantizeLinear(x))` and a value x that is stored so mean the same.
#ifndef TANDEM_ENGINE_QUANTIZATION_H_
#define TANDEM_ENGINE_QUANTIZATION_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/tensor.h"

namespace tandem::engine {

class Graph;
struct Node;

struct Quantization {
  DataType type = DataType::kUInt8;  // kUInt8 or kInt8
  std::vector<float> scales;         // one for all elements, or one for each position along `axis`
  std::vector<int32_t> zero_points;  // as many as scales
  int64_t axis = -1;                 // -1: one for all

  bool per_tensor() const { return axis < 0; }
  float scale() const { return scales[0]; }
  int32_t zero_point() const { return zero_points[0]; }

  friend bool operator==(const Quantization&, const Quantization&) = default;
};

// What a QuantizeLinear or DequantizeLinear node with constant parameters does; nothing when they are no constants, not
// of 8 bits, given in blocks, or not positive and finite.
std::optional<Quantization> QuantizationOf(const Graph& graph, const Node& node);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZATION_H_
