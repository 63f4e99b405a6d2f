#include "engine/compile/dequantized.h"

namespace tandem::engine {

namespace {

template <typename Q>
void Dequantize(const Tensor& stored, const Quantization& quantization, absl::Span<float> real) {
  const auto values = stored.values<Q>();
  // Runs of elements that share one scale follow each other, `count` to a cycle.
  int64_t run = stored.num_elements();
  int64_t count = 1;
  if (!quantization.per_tensor()) {
    count = stored.dim(quantization.axis);
    run = NumElements(absl::MakeConstSpan(stored.shape()).subspan(quantization.axis + 1));
  }
  for (int64_t i = 0; i < stored.num_elements(); ++i) {
    const int64_t k = i / run % count;
    real[i] = static_cast<float>(values[i] - quantization.zero_points[k]) * quantization.scales[k];
  }
}

}  // namespace

Tensor Dequantized(const Tensor& stored, const Quantization& quantization) {
  Tensor real(DataType::kFloat32, stored.shape());
  if (stored.type() == DataType::kInt8) {
    Dequantize<int8_t>(stored, quantization, real.mutable_values<float>());
  } else {
    Dequantize<uint8_t>(stored, quantization, real.mutable_values<float>());
  }
  return real;
}

}  // namespace tandem::engine
