// Any function of one stored byte, as a table of its 256 values: sigmoids, hyperbolic tangents, sums with a constant,
// another quantization.
//
//   Table table = MakeTable(x_quantization, y_quantization, [](float x) { return std::tanh(x); });   // once
//   Lookup(isa, table, count, x, y);
//
// Any thread. `y` may be `x` but not overlap it otherwise.
#ifndef TANDEM_ENGINE_KERNELS_TABLE_H_
#define TANDEM_ENGINE_KERNELS_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "engine/kernels/stored.h"

namespace tandem::engine::kernels {

// By the byte of x as it lies in memory, whatever its type.
using Table = std::array<uint8_t, 256>;

// y = f(x), each stored with its own parameters: f(real) / y_scale in float, rounded as stored.h says.
Table MakeTable(const Quantization& x, const Quantization& y, const std::function<float(float)>& f);

// y[i] = table[x[i]].
void Lookup(Isa isa, const Table& table, size_t count, const uint8_t* x, uint8_t* y);

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_TABLE_H_
