#include "engine/kernels/binary.h"

#include "engine/kernels/vectorized.h"

namespace tandem::engine::kernels {

void Add(Isa isa, const BinaryParameters& parameters, size_t count, const uint8_t* a, const uint8_t* b, uint8_t* y) {
  const Decoder decode_a(parameters.a), decode_b(parameters.b);
  const Encoder encode(parameters.y, parameters.activation);
  const float factor_a = parameters.a.scale / parameters.y.scale;
  const float factor_b = parameters.b.scale / parameters.y.scale;
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    for (size_t i = 0; i < count; ++i) y[i] = encode(decode_a(a[i]) * factor_a + decode_b(b[i]) * factor_b);
  });
}

void Multiply(Isa isa, const BinaryParameters& parameters, size_t count, const uint8_t* a, const uint8_t* b,
              uint8_t* y) {
  const Decoder decode_a(parameters.a), decode_b(parameters.b);
  const Encoder encode(parameters.y, parameters.activation);
  const float factor = parameters.a.scale * parameters.b.scale / parameters.y.scale;
  ForIsa(isa, [=]() TANDEM_VECTORIZED {
    for (size_t i = 0; i < count; ++i) y[i] = encode((decode_a(a[i]) * decode_b(b[i])) * factor);
  });
}

}  // namespace tandem::engine::kernels
