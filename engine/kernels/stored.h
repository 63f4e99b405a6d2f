// Numbers as plans of int8 precision store them: bytes, signed or not, that stand for real numbers.
//
//   real = (stored - zero_point) * scale
//
// Rounding to stored numbers is the same in every kernel of this folder: halves go to the even neighbour, what lies
// outside the type goes to its nearest end, NaN to the low one.
#ifndef TANDEM_ENGINE_KERNELS_STORED_H_
#define TANDEM_ENGINE_KERNELS_STORED_H_

#include <cstdint>

namespace tandem::engine::kernels {

enum class ByteType : uint8_t { kUInt8, kInt8 };

// How a buffer of bytes is to be read or written. The kernels take such buffers as uint8_t pointers for both types.
struct Quantization {
  ByteType type = ByteType::kUInt8;
  float scale = 1;         // positive and finite
  int32_t zero_point = 0;  // of the type
};

// What is applied to a result before it is stored.
enum class Activation : uint8_t { kNone, kRelu };

// The instructions a kernel may use; more is faster, results are the same to the bit. The caller vouches that the CPU
// has them: these functions never look.
enum class Isa : uint8_t {
  kBaseline,    // what every x86-64 has (and other processors)
  kAvx2,        // AVX2
  kAvx512,      // AVX-512 F, BW, DQ and VL
  kAvx512Vbmi,  // these and VBMI
};

}  // namespace tandem::engine::kernels

#endif  // TANDEM_ENGINE_KERNELS_STORED_H_
