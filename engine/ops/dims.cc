#include "engine/ops/dims.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tandem::engine {

absl::Status CheckDims(absl::Span<const int64_t> shape) {
  int64_t count = 1;
  for (int64_t dim : shape) {
    if (dim < 0) return OpError("dimension ", dim, " is negative");
    const int64_t factor = std::max<int64_t>(dim, 1);
    if (factor > kMaxElements / count) {
      return OpError("shape [", absl::StrJoin(shape, ","), "] has more than ", kMaxElements, " elements");
    }
    count *= factor;
  }
  return absl::OkStatus();
}

absl::Status SetCheckedOutput(InferContext& ctx, int output, DataType type, Shape shape) {
  TANDEM_RETURN_IF_ERROR(CheckDims(shape));
  ctx.SetOutput(output, type, std::move(shape));
  return absl::OkStatus();
}

absl::Status CheckOutputShape(KernelContext& ctx, int output, absl::Span<const int64_t> shape) {
  const Shape& made = ctx.output(output).shape();
  if (absl::Span<const int64_t>(made) != shape) {
    return OpError("the inputs ask for output shape ", ToString(shape), ", but ", ToString(made), " was planned");
  }
  return absl::OkStatus();
}

Shape RowMajorStrides(absl::Span<const int64_t> shape) {
  Shape strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

AxisView ViewAround(absl::Span<const int64_t> shape, int64_t axis) {
  return {NumElements(shape.subspan(0, axis)), shape[axis], NumElements(shape.subspan(axis + 1))};
}

absl::StatusOr<std::vector<int64_t>> NormalizeAxes(absl::Span<const int64_t> axes, int64_t rank) {
  std::vector<int64_t> normalized;
  std::vector<bool> seen(rank, false);
  for (int64_t given : axes) {
    TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(given, rank));
    if (seen[axis]) return OpError("axis ", axis, " is given twice");
    seen[axis] = true;
    normalized.push_back(axis);
  }
  return normalized;
}

absl::StatusOr<std::optional<std::vector<int64_t>>> KnownIntegers(const InferContext& ctx, int i) {
  if (ctx.type(i) != DataType::kInt64 && ctx.type(i) != DataType::kInt32) {
    return OpError("input ", i, " must hold integers (int32 or int64), got ", NameOf(ctx.type(i)));
  }
  if (ctx.value(i) == nullptr) return std::nullopt;
  TANDEM_ASSIGN_OR_RETURN(std::vector<int64_t> values, IntegersOf(*ctx.value(i)));
  return values;
}

absl::StatusOr<std::vector<int64_t>> IntegersOr(const KernelContext& ctx, int i, std::vector<int64_t> fallback) {
  if (!ctx.has_input(i)) return fallback;
  return IntegersOf(ctx.input(i));
}

absl::StatusOr<int64_t> ScalarInteger(const Tensor& tensor, absl::string_view what) {
  if (tensor.num_elements() != 1) return OpError(what, " must be one number, got ", tensor.num_elements());
  int64_t result = 0;
  TANDEM_RETURN_IF_ERROR(
      (Dispatch<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>(
          tensor.type(), [&](auto t) {
            using T = decltype(t);
            const T value = tensor.values<T>()[0];
            // Past 2^62 nothing counts or indexes elements, and conversions would overflow.
            if (!(static_cast<double>(value) > -0x1p62 && static_cast<double>(value) < 0x1p62)) {
              return OpError(what, " ", value, " is out of range");
            }
            result = static_cast<int64_t>(value);
            return absl::OkStatus();
          })));
  return result;
}

absl::StatusOr<DataType> TypeOfOnnxCode(int64_t code) {
  constexpr DataType kTypes[] = {DataType::kUndefined, DataType::kFloat32, DataType::kUInt8,     DataType::kInt8,
                                 DataType::kUInt16,    DataType::kInt16,   DataType::kInt32,     DataType::kInt64,
                                 DataType::kString,    DataType::kBool,    DataType::kFloat16,   DataType::kFloat64,
                                 DataType::kUInt32,    DataType::kUInt64,  DataType::kUndefined, DataType::kUndefined,
                                 DataType::kBFloat16};
  const DataType type =
      code >= 0 && code < static_cast<int64_t>(std::size(kTypes)) ? kTypes[code] : DataType::kUndefined;
  if (SizeOf(type) == 0) return OpError("dtype ", code, " is not supported");
  return type;
}

}  // namespace tandem::engine
