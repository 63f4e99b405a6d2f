// What the kernels' tests share: plain rounding, buffers of bytes with guards behind them, and the cases to go through.
#ifndef TANDEM_TESTS_ENGINE_KERNELS_REFERENCE_H_
#define TANDEM_TESTS_ENGINE_KERNELS_REFERENCE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "engine/kernels/stored.h"

namespace tandem::engine::kernels {

// The sets of this machine. Where it lacks one, the tests of that one are left to other machines.
inline std::vector<Isa> Isas() {
  std::vector<Isa> isas = {Isa::kBaseline};
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) isas.push_back(Isa::kAvx2);
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) isas.push_back(Isa::kAvx512);
  if (__builtin_cpu_supports("avx512vbmi")) isas.push_back(Isa::kAvx512Vbmi);
#endif
  return isas;
}

inline std::string NameOf(Isa isa) {
  constexpr const char* kNames[] = {"baseline", "AVX2", "AVX-512", "AVX-512 VBMI"};
  return kNames[static_cast<int>(isa)];
}

// Both types, with zero points at an end, in the middle and elsewhere. The scales are powers of two here and there, so
// that ties happen.
inline std::vector<Quantization> Quantizations() {
  return {{ByteType::kUInt8, 0.5f, 0},  {ByteType::kUInt8, 0.0371f, 113}, {ByteType::kInt8, 0.25f, 0},
          {ByteType::kInt8, 1.7f, -23}, {ByteType::kUInt8, 1.0f, 255},    {ByteType::kInt8, 0.0625f, -128}};
}

// Every length up to two of the widest vectors and a bit, so that every tail occurs.
inline constexpr size_t kLongest = 130;

inline int Low(const Quantization& q) { return q.type == ByteType::kInt8 ? -128 : 0; }
inline int Steps(const Quantization& q, uint8_t stored) {
  return (q.type == ByteType::kInt8 ? static_cast<int8_t>(stored) : static_cast<int>(stored)) - q.zero_point;
}

inline uint8_t Rounded(const Quantization& q, float steps, Activation activation = Activation::kNone) {
  const int low = Low(q), high = low + 255;
  if (activation == Activation::kRelu && steps < 0) steps = 0;
  if (std::isnan(steps)) return static_cast<uint8_t>(activation == Activation::kRelu ? q.zero_point : low);
  const double rounded = std::nearbyint(static_cast<double>(steps)) + q.zero_point;
  return static_cast<uint8_t>(static_cast<int>(std::min<double>(std::max<double>(rounded, low), high)));
}

inline std::vector<uint8_t> RandomBytes(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(generator());
  return bytes;
}

// Halves in units of `step`, so that many are ties, and large ones.
inline std::vector<float> RandomFloats(size_t count, float step, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> halves(-600, 600);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(halves(generator)) * 0.5f * step;
  return values;
}

// Space for a result that notices writes behind it.
template <typename T>
class Result {
 public:
  explicit Result(size_t count) : values_(count + kGuard, kUntouched) {}
  T* data() { return values_.data(); }
  // The result; fails the test when anything behind it was written.
  std::vector<T> Get() const {
    for (size_t i = values_.size() - kGuard; i < values_.size(); ++i) EXPECT_EQ(values_[i], kUntouched) << "behind";
    return std::vector<T>(values_.begin(), values_.end() - kGuard);
  }

 private:
  static constexpr size_t kGuard = 64;
  static constexpr T kUntouched = 77;
  std::vector<T> values_;
};

}  // namespace tandem::engine::kernels

#endif  // TANDEM_TESTS_ENGINE_KERNELS_REFERENCE_H_
