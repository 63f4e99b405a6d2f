#include "engine/ops/fft.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tandem::engine {

namespace {

using Complex = Fft::Complex;

constexpr int64_t kDirectLimit = 32;

bool IsPowerOfTwo(int64_t n) { return (n & (n - 1)) == 0; }

// std::complex multiplication checks for infinities at every step; transforms need not.
Complex Multiply(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

std::vector<Complex> Roots(int64_t length, bool inverse) {
  std::vector<Complex> roots(length);
  const double step = (inverse ? 2.0 : -2.0) * std::numbers::pi / static_cast<double>(length);
  for (int64_t k = 0; k < length; ++k) roots[k] = std::polar(1.0, step * static_cast<double>(k));
  return roots;
}

// x's length is that of `roots`, a power of two.
void RadixTwo(std::vector<Complex>& x, const std::vector<Complex>& roots) {
  const size_t n = x.size();
  for (size_t i = 1, reversed = 0; i < n; ++i) {
    size_t bit = n >> 1;
    for (; (reversed & bit) != 0; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (i < reversed) std::swap(x[i], x[reversed]);
  }
  for (size_t half = 1; half < n; half *= 2) {
    const size_t stride = n / (2 * half);
    for (size_t start = 0; start < n; start += 2 * half) {
      for (size_t k = 0; k < half; ++k) {
        const Complex odd = Multiply(x[start + k + half], roots[k * stride]);
        const Complex even = x[start + k];
        x[start + k] = even + odd;
        x[start + k + half] = even - odd;
      }
    }
  }
}

}  // namespace

Fft::Fft(int64_t length, bool inverse) : length_(length), roots_(Roots(length, inverse)) {
  if (IsPowerOfTwo(length) || length <= kDirectLimit) return;
  int64_t padded = 1;
  while (padded < 2 * length) padded *= 2;
  padded_roots_ = Roots(padded, /*inverse=*/false);
  chirp_.resize(length);
  filter_.assign(padded, Complex(0));
  const double step = (inverse ? 1.0 : -1.0) * std::numbers::pi / static_cast<double>(length);
  for (int64_t k = 0; k < length; ++k) {
    // k^2 modulo 2 * length keeps the angle small, and so exact.
    chirp_[k] = std::polar(1.0, step * static_cast<double>(k * k % (2 * length)));
    filter_[k] = std::conj(chirp_[k]);
    if (k > 0) filter_[padded - k] = filter_[k];
  }
  RadixTwo(filter_, padded_roots_);
}

void Fft::Transform(std::vector<Complex>& x) {
  if (IsPowerOfTwo(length_)) {
    RadixTwo(x, roots_);
  } else if (length_ <= kDirectLimit) {
    Direct(x);
  } else {
    Bluestein(x);
  }
}

void Fft::Direct(std::vector<Complex>& x) const {
  std::vector<Complex> result(x.size());
  for (int64_t k = 0; k < length_; ++k) {
    for (int64_t n = 0; n < length_; ++n) result[k] += Multiply(x[n], roots_[k * n % length_]);
  }
  x = std::move(result);
}

void Fft::Bluestein(std::vector<Complex>& x) {
  const size_t padded = filter_.size();
  scratch_.assign(padded, Complex(0));
  for (int64_t k = 0; k < length_; ++k) scratch_[k] = Multiply(x[k], chirp_[k]);
  RadixTwo(scratch_, padded_roots_);
  for (size_t i = 0; i < padded; ++i) scratch_[i] = Multiply(scratch_[i], filter_[i]);
  // The inverse transform by the forward one: reverse all but the first, divide by the length.
  RadixTwo(scratch_, padded_roots_);
  std::reverse(scratch_.begin() + 1, scratch_.end());
  const double scale = 1.0 / static_cast<double>(padded);
  for (int64_t k = 0; k < length_; ++k) x[k] = Multiply(scratch_[k], chirp_[k]) * scale;
}

}  // namespace tandem::engine
