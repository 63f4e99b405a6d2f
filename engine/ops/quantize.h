// Rounding real numbers to quantized ones, in every kernel the same way.
#ifndef TANDEM_ENGINE_OPS_QUANTIZE_H_
#define TANDEM_ENGINE_OPS_QUANTIZE_H_

#include <cstdint>
#include <limits>

namespace tandem::engine {

// To an integer type of 8 or 16 bits with one zero point: halves go to the even neighbour, what lies outside the type
// to its nearest end, NaN to the low one.
//   const Quantizer<uint8_t> quantizer(zero_point);
//   y = quantizer(x / scale);
template <typename Q>
class Quantizer {
 public:
  explicit Quantizer(Q zero_point)
      : zero_(zero_point),
        low_(static_cast<float>(std::numeric_limits<Q>::min() - zero_)),
        high_(static_cast<float>(std::numeric_limits<Q>::max() - zero_)) {}

  Q operator()(float scaled) const {
    // Clamped first, so that the sum with 1.5 * 2^23 below rounds to an integer and the conversion is in range; the
    // ends are integers themselves, so the order makes no difference. No branch: loops over it vectorize.
    scaled = scaled > low_ ? scaled : low_;
    scaled = scaled < high_ ? scaled : high_;
    constexpr float kRound = 12582912.0f;
    return static_cast<Q>(static_cast<int32_t>((scaled + kRound) - kRound) + zero_);
  }

 private:
  static_assert(sizeof(Q) <= 2);
  int32_t zero_;
  float low_;
  float high_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_QUANTIZE_H_
