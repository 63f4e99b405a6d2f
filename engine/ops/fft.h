// The discrete Fourier transform of one sequence of any length, in double precision.
#ifndef TANDEM_ENGINE_OPS_FFT_H_
#define TANDEM_ENGINE_OPS_FFT_H_

#include <complex>
#include <cstdint>
#include <vector>

namespace tandem::engine {

// Made once for a length and direction, used for many sequences; one thread at a time. Powers of two take the radix-2
// algorithm, other lengths Bluestein's (as a convolution of a power of two), short ones the definition.
class Fft {
 public:
  using Complex = std::complex<double>;

  // `length` is at least 1. The inverse is not scaled by 1/length.
  Fft(int64_t length, bool inverse);

  // Transforms `x` (of `length`) in place.
  void Transform(std::vector<Complex>& x);

 private:
  void Direct(std::vector<Complex>& x) const;
  void Bluestein(std::vector<Complex>& x);

  int64_t length_;
  std::vector<Complex> roots_;   // e^(-+2 pi i k / length)
  std::vector<Complex> chirp_;   // Bluestein: e^(-+pi i k^2 / length)
  std::vector<Complex> filter_;  // Bluestein: the transform of the chirp's conjugate
  std::vector<Complex> padded_roots_;
  std::vector<Complex> scratch_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_FFT_H_
