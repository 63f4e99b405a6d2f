// Graphs that carry quantization, for tests: QuantizeLinear and DequantizeLinear as exporters write them, and what the
// plans of such graphs must hold to.
#ifndef TANDEM_TESTS_ENGINE_STORED_GRAPHS_H_
#define TANDEM_TESTS_ENGINE_STORED_GRAPHS_H_

#include "tests/engine/graph_maker.h"

namespace tandem::engine {

struct Scheme {
  float scale;
  int zero_point;
  bool is_signed = false;
};

inline constexpr Scheme kUnsigned{0.02f, 100};
inline constexpr Scheme kPositive{0.015f, 0};
inline constexpr Scheme kSigned{0.025f, 3, true};

// DequantizeLinear(QuantizeLinear(x)).
ValueId Rounded(GraphMaker& maker, ValueId x, const Scheme& scheme);

// Random weights with a scale for each of `channels` along `axis`: of 7 bits, which every CPU multiplies exactly, or of
// all 8.
ValueId StoredWeights(GraphMaker& maker, const Shape& shape, int64_t channels, int64_t axis, int bits = 7);

struct ConvCase {
  Shape x;
  int64_t out;
  Shape kernel;
  int64_t groups = 1;
  std::vector<int64_t> strides = {1, 1}, pads = {0, 0, 0, 0}, dilations = {1, 1};
};

// A convolution of `x` by stored weights.
ValueId StoredConv(GraphMaker& maker, ValueId x, const ConvCase& c, bool with_bias = true);

// Every output of a plan within `steps` of what reference kernels compute.
void ExpectWithin(const Graph& graph, float step, float steps = 1);

// The plan has `products` steps named `kind` over integers, and none that runs a reference kernel. Without VNNI, some
// products are left to real numbers: what matters there is that they are right.
void ExpectIntegers(const Graph& graph, const char* kind, int products = 1);

}  // namespace tandem::engine

#endif  // TANDEM_TESTS_ENGINE_STORED_GRAPHS_H_
