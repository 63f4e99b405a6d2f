// Checked arithmetic on dimensions and axes, for shape inference and kernels of all families. Pure functions.
#ifndef TANDEM_ENGINE_OPS_DIMS_H_
#define TANDEM_ENGINE_OPS_DIMS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/ops/op.h"
#include "engine/tensor.h"

namespace tandem::engine {

// Every dimension is non-negative and a tensor of this shape has at most kMaxElements. Zero dimensions count as one, so
// that products of any subset of the dimensions do not overflow either.
absl::Status CheckDims(absl::Span<const int64_t> shape);

// CheckDims, then SetOutput.
absl::Status SetCheckedOutput(InferContext& ctx, int output, DataType type, Shape shape);

// INVALID_ARGUMENT unless output `output` was allocated with `shape`: for kernels whose output shape follows from the
// contents of inputs, which the caller may have changed since inference.
absl::Status CheckOutputShape(KernelContext& ctx, int output, absl::Span<const int64_t> shape);

// How far apart, in elements, neighbours along each axis of a dense row-major tensor are.
Shape RowMajorStrides(absl::Span<const int64_t> shape);

// A shape seen as [outer, length, inner] around one axis. `axis` must be in [0, rank).
struct AxisView {
  int64_t outer = 1;
  int64_t length = 1;
  int64_t inner = 1;
};
AxisView ViewAround(absl::Span<const int64_t> shape, int64_t axis);

// Axes in [-rank, rank) made non-negative, in the order given; an error when one is out of range or given twice.
absl::StatusOr<std::vector<int64_t>> NormalizeAxes(absl::Span<const int64_t> axes, int64_t rank);

// The elements of integer input `i`; nullopt when it is given but its contents are not known yet. The input must be
// given.
absl::StatusOr<std::optional<std::vector<int64_t>>> KnownIntegers(const InferContext& ctx, int i);

// The elements of input `i` as integers, or `fallback` when it is not given.
absl::StatusOr<std::vector<int64_t>> IntegersOr(const KernelContext& ctx, int i, std::vector<int64_t> fallback);

// The single element of a tensor of any numeric type as int64 (fractions are cut off), or an error naming `what`.
absl::StatusOr<int64_t> ScalarInteger(const Tensor& tensor, absl::string_view what);

// The element type that the `dtype` attributes of ONNX number so, or an error naming it when tensors cannot hold it.
absl::StatusOr<DataType> TypeOfOnnxCode(int64_t code);

// Calls `f(T{})` with the unsigned integer T of `bytes` bytes: for kernels that move elements without looking at them.
template <typename F>
absl::Status DispatchSize(size_t bytes, F&& f) {
  switch (bytes) {
    case 1:
      return f(uint8_t{});
    case 2:
      return f(uint16_t{});
    case 4:
      return f(uint32_t{});
    case 8:
      return f(uint64_t{});
    default:
      return absl::UnimplementedError(absl::StrCat("elements of ", bytes, " bytes are not supported"));
  }
}

// The bytes of a tensor as elements of T, which must be as wide as the tensor's own.
template <typename T>
const T* RawData(const Tensor& tensor) {
  return static_cast<const T*>(tensor.data());
}
template <typename T>
T* MutableRawData(Tensor& tensor) {
  return static_cast<T*>(tensor.data());
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_DIMS_H_
