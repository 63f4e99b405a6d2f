// How the kernels are written once and compiled for every instruction set; only for this folder's sources.
//
//   ForIsa(isa, [=]() TANDEM_VECTORIZED { for (size_t i = 0; i < n; ++i) y[i] = encode(decode(x[i]) * factor); });
//
// The body is inlined into functions compiled for each set, where the compiler vectorizes its loops. It and all it
// calls must therefore be TANDEM_VECTORIZED, and it must capture by value: what stores of bytes may alias stays in
// memory. Contraction into fused multiply-adds is off for the folder, so that every set computes the same.
#ifndef TANDEM_ENGINE_KERNELS_VECTORIZED_H_
#define TANDEM_ENGINE_KERNELS_VECTORIZED_H_

#include <bit>
#include <cstdint>

#include "engine/kernels/stored.h"

#define TANDEM_VECTORIZED __attribute__((always_inline))
#ifdef __x86_64__
#define TANDEM_AVX2 __attribute__((target("avx2")))
#if defined(__clang__)
#define TANDEM_AVX512 __attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl"), min_vector_width(512)))
#else
#define TANDEM_AVX512 __attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")))
#endif
#else
#define TANDEM_AVX2
#define TANDEM_AVX512
#endif

namespace tandem::engine::kernels {

template <typename Body>
TANDEM_AVX2 void RunAvx2(Body body) {
  body();
}

template <typename Body>
TANDEM_AVX512 void RunAvx512(Body body) {
  body();
}

template <typename Body>
void ForIsa(Isa isa, Body body) {
  switch (isa) {
    case Isa::kBaseline:
      return body();
    case Isa::kAvx2:
      return RunAvx2(body);
    case Isa::kAvx512:
    case Isa::kAvx512Vbmi:
      return RunAvx512(body);
  }
}

// Stored bytes -> steps above the zero point, exactly. Signed bytes become unsigned ones by flipping their first bit,
// so that one loop serves both types.
class Decoder {
 public:
  explicit Decoder(const Quantization& q) : flip_(q.type == ByteType::kInt8 ? 0x80 : 0), zero_(q.zero_point + flip_) {}
  TANDEM_VECTORIZED float operator()(uint8_t stored) const { return static_cast<float>(Unsigned(stored) - zero_); }

  // For sums: the byte as an unsigned one, and the zero point in these terms.
  TANDEM_VECTORIZED uint8_t Unsigned(uint8_t stored) const { return static_cast<uint8_t>(stored ^ flip_); }
  TANDEM_VECTORIZED int32_t UnsignedZero() const { return zero_; }

 private:
  uint8_t flip_;
  int32_t zero_;
};

// Real numbers in steps above the zero point -> stored bytes, rounded as stored.h says.
class Encoder {
 public:
  TANDEM_VECTORIZED explicit Encoder(const Quantization& q, Activation activation = Activation::kNone)
      : low_(static_cast<float>((q.type == ByteType::kInt8 ? -128 : 0) - q.zero_point)),
        high_(static_cast<float>((q.type == ByteType::kInt8 ? 127 : 255) - q.zero_point)),
        zero_(static_cast<uint32_t>(q.zero_point)) {
    if (activation == Activation::kRelu && low_ < 0) low_ = 0;
  }

  TANDEM_VECTORIZED uint8_t operator()(float steps) const {
    // Clamped between integers first, so that the sum with 1.5 * 2^23 rounds to an integer that its low bits hold.
    steps = steps > low_ ? steps : low_;
    steps = steps < high_ ? steps : high_;
    return static_cast<uint8_t>(std::bit_cast<uint32_t>(steps + 12582912.0f) + zero_);
  }

 private:
  float low_;
  float high_;
  uint32_t zero_;
};

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_VECTORIZED_H_
