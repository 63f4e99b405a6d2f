#include "engine/kernels/table.h"

#include "engine/kernels/vectorized.h"
#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace tandem::engine::kernels {

namespace {

void LookupPlain(const uint8_t* table, size_t count, const uint8_t* x, uint8_t* y) {
  for (size_t i = 0; i < count; ++i) y[i] = table[x[i]];
}

#ifdef __x86_64__

// One shuffle for each sixteen entries of the table. The saturating sum leaves the first bit unset only for the bytes
// whose entry is among them; shuffles give zero for the others.
__attribute__((target("avx2"))) __m256i LookupIn(const __m256i* rows, __m256i bytes) {
  __m256i found = _mm256_setzero_si256();
  for (int row = 0; row < 16; ++row) {
    const __m256i column = _mm256_xor_si256(bytes, _mm256_set1_epi8(static_cast<char>(row << 4)));
    const __m256i index = _mm256_adds_epu8(column, _mm256_set1_epi8(0x70));
    found = _mm256_or_si256(found, _mm256_shuffle_epi8(rows[row], index));
  }
  return found;
}

__attribute__((target("avx2"))) void LookupAvx2(const uint8_t* table, size_t count, const uint8_t* x, uint8_t* y) {
  __m256i rows[16];
  for (int row = 0; row < 16; ++row) {
    rows[row] = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * row)));
  }
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), LookupIn(rows, bytes));
  }
  LookupPlain(table, count - i, x + i, y + i);
}

__attribute__((target("avx512f,avx512bw"))) void LookupAvx512(const uint8_t* table, size_t count, const uint8_t* x,
                                                              uint8_t* y) {
  __m512i rows[16];
  for (int row = 0; row < 16; ++row) {
    rows[row] =
        _mm512_maskz_broadcast_i32x4(0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * row)));
  }
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    const __m512i bytes = _mm512_loadu_si512(x + i);
    __m512i found = _mm512_setzero_si512();
    for (int row = 0; row < 16; ++row) {
      const __m512i column = _mm512_xor_si512(bytes, _mm512_set1_epi8(static_cast<char>(row << 4)));
      const __m512i index = _mm512_adds_epu8(column, _mm512_set1_epi8(0x70));
      found = _mm512_or_si512(found, _mm512_shuffle_epi8(rows[row], index));
    }
    _mm512_storeu_si512(y + i, found);
  }
  LookupPlain(table, count - i, x + i, y + i);
}

// The whole table in four registers; two lookups of 128 entries each, chosen between by the byte's first bit.
__attribute__((target("avx512f,avx512bw,avx512vbmi"))) void LookupVbmi(const uint8_t* table, size_t count,
                                                                       const uint8_t* x, uint8_t* y) {
  const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64);
  const __m512i t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  for (size_t i = 0; i < count; i += 64) {
    const __mmask64 valid = count - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (count - i)) - 1;
    const __m512i bytes = _mm512_maskz_loadu_epi8(valid, x + i);
    const __m512i low = _mm512_permutex2var_epi8(t0, bytes, t1);
    const __m512i high = _mm512_permutex2var_epi8(t2, bytes, t3);
    _mm512_mask_storeu_epi8(y + i, valid, _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high));
  }
}

#endif

}  // namespace

Table MakeTable(const Quantization& x, const Quantization& y, const std::function<float(float)>& f) {
  const Decoder decode(x);
  const Encoder encode(y);
  Table table;
  for (int byte = 0; byte < 256; ++byte) {
    const float real = decode(static_cast<uint8_t>(byte)) * x.scale;
    table[byte] = encode(f(real) / y.scale);
  }
  return table;
}

void Lookup(Isa isa, const Table& table, size_t count, const uint8_t* x, uint8_t* y) {
#ifdef __x86_64__
  switch (isa) {
    case Isa::kBaseline:
      break;
    case Isa::kAvx2:
      return LookupAvx2(table.data(), count, x, y);
    case Isa::kAvx512:
      return LookupAvx512(table.data(), count, x, y);
    case Isa::kAvx512Vbmi:
      return LookupVbmi(table.data(), count, x, y);
  }
#endif
  LookupPlain(table.data(), count, x, y);
}

}  // namespace tandem::engine::kernels
