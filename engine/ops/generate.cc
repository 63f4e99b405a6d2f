// Operators that make tensors out of shapes, ranges and indices.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"
#include "engine/ops/strided_copy.h"

namespace tandem::engine {

namespace {

// The strides that read `from` as if it had been broadcast to `to`.
Shape BroadcastStrides(absl::Span<const int64_t> from, absl::Span<const int64_t> to) {
  const Shape dense = RowMajorStrides(from);
  Shape strides(to.size(), 0);
  const size_t offset = to.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i) strides[offset + i] = from[i] == 1 ? 0 : dense[i];
  return strides;
}

absl::Status InferExpand(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const auto wanted, KnownIntegers(ctx, 1));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!wanted.has_value() || !ctx.has_shape(0)) return absl::OkStatus();
  TANDEM_RETURN_IF_ERROR(CheckDims(*wanted));
  TANDEM_ASSIGN_OR_RETURN(Shape shape, BroadcastShapes(ctx.shape(0), *wanted));
  return SetCheckedOutput(ctx, 0, ctx.type(0), std::move(shape));
}

absl::Status Expand(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  Tensor& output = ctx.output(0);
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> wanted, IntegersOf(ctx.input(1)));
  TANDEM_ASSIGN_OR_RETURN(const Shape shape, BroadcastShapes(input.shape(), wanted));
  TANDEM_RETURN_IF_ERROR(CheckOutputShape(ctx, 0, shape));
  CopyStrided(input.data(), BroadcastStrides(input.shape(), shape), output.data(), RowMajorStrides(shape), shape,
              SizeOf(input.type()));
  return absl::OkStatus();
}

template <typename T>
void Fill(Tensor& tensor, T value) {
  std::fill_n(MutableRawData<T>(tensor), tensor.num_elements(), value);
}

absl::Status InferConstantOfShape(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const auto wanted, KnownIntegers(ctx, 0));
  const Tensor* value = ctx.attributes().Find<Tensor>("value");
  if (value != nullptr && value->num_elements() != 1) {
    return OpError("value must have one element, got ", value->num_elements());
  }
  const DataType type = value == nullptr ? DataType::kFloat32 : value->type();
  ctx.SetOutput(0, type, std::nullopt);
  if (!wanted.has_value()) return absl::OkStatus();
  return SetCheckedOutput(ctx, 0, type, Shape(wanted->begin(), wanted->end()));
}

absl::Status ConstantOfShape(KernelContext& ctx) {
  Tensor& output = ctx.output(0);
  const Tensor* value = ctx.attributes().Find<Tensor>("value");
  if (value == nullptr) {
    Fill<float>(output, 0);
    return absl::OkStatus();
  }
  return DispatchSize(SizeOf(value->type()), [&](auto t) {
    using T = decltype(t);
    Fill<T>(output, *RawData<T>(*value));
    return absl::OkStatus();
  });
}

// How many values a range has, or an error when its step is zero, or a bound is no number, or there are too many.
template <typename T>
absl::StatusOr<int64_t> RangeLength(T start, T limit, T delta) {
  if (delta == 0) return OpError("delta must not be 0");
  if (delta > 0 ? limit <= start : limit >= start) return 0;
  const auto error = [&] { return OpError("a range from ", start, " to ", limit, " by ", delta, " is too long"); };
  if constexpr (std::is_integral_v<T>) {
    // Unsigned differences are exact where signed ones would overflow.
    const uint64_t from = static_cast<uint64_t>(start);
    const uint64_t to = static_cast<uint64_t>(limit);
    const uint64_t step = static_cast<uint64_t>(delta);
    const uint64_t steps = (delta > 0 ? (to - from - 1) / step : (from - to - 1) / (0 - step));
    if (steps >= static_cast<uint64_t>(kMaxElements)) return error();
    return static_cast<int64_t>(steps) + 1;
  } else {
    const double count = std::ceil(static_cast<double>(limit - start) / static_cast<double>(delta));
    if (!(count <= static_cast<double>(kMaxElements))) return error();
    return static_cast<int64_t>(count);
  }
}

// Calls `f(start, limit, delta)` with the three scalars that Range takes.
template <typename GetTensor, typename F>
absl::Status WithRange(const GetTensor& get, F&& f) {
  return Dispatch<float, double, int16_t, int32_t, int64_t>(get(0).type(), [&](auto t) {
    using T = decltype(t);
    T values[3];
    for (int i = 0; i < 3; ++i) {
      if (get(i).num_elements() != 1) return OpError("input ", i, " must be one number");
      values[i] = get(i).template values<T>()[0];
    }
    return f(values[0], values[1], values[2]);
  });
}

absl::Status InferRange(InferContext& ctx) {
  const DataType type = ctx.type(0);
  if (ctx.type(1) != type || ctx.type(2) != type) return OpError("start, limit and delta must have one type");
  ctx.SetOutput(0, type, std::nullopt);
  for (int i = 0; i < 3; ++i) {
    if (ctx.value(i) == nullptr) return absl::OkStatus();
  }
  const auto get = [&](int i) -> const Tensor& { return *ctx.value(i); };
  return WithRange(get, [&](auto start, auto limit, auto delta) -> absl::Status {
    TANDEM_ASSIGN_OR_RETURN(const int64_t length, RangeLength(start, limit, delta));
    return SetCheckedOutput(ctx, 0, type, {length});
  });
}

absl::Status Range(KernelContext& ctx) {
  const auto get = [&](int i) -> const Tensor& { return ctx.input(i); };
  return WithRange(get, [&](auto start, auto limit, auto delta) -> absl::Status {
    using T = decltype(start);
    TANDEM_ASSIGN_OR_RETURN(const int64_t length, RangeLength(start, limit, delta));
    TANDEM_RETURN_IF_ERROR(CheckOutputShape(ctx, 0, {length}));
    const auto output = ctx.output(0).mutable_values<T>();
    for (int64_t i = 0; i < length; ++i) {
      // Unsigned, where nothing overflows; the result fits T because it lies between start and limit.
      if constexpr (std::is_integral_v<T>) {
        output[i] =
            static_cast<T>(static_cast<uint64_t>(start) + static_cast<uint64_t>(i) * static_cast<uint64_t>(delta));
      } else {
        output[i] = start + static_cast<T>(i) * delta;
      }
    }
    return absl::OkStatus();
  });
}

absl::Status InferEyeLike(InferContext& ctx) {
  DataType type = ctx.type(0);
  if (ctx.attributes().Has("dtype")) {
    TANDEM_ASSIGN_OR_RETURN(type, TypeOfOnnxCode(ctx.attributes().Int("dtype", 0)));
  }
  if (!ctx.has_shape(0)) {
    ctx.SetOutput(0, type, std::nullopt);
    return absl::OkStatus();
  }
  if (ctx.shape(0).size() != 2) return OpError("expected a matrix, got shape ", ToString(ctx.shape(0)));
  return SetCheckedOutput(ctx, 0, type, ctx.shape(0));
}

absl::Status EyeLike(KernelContext& ctx) {
  Tensor& output = ctx.output(0);
  if (output.num_bytes() > 0) std::memset(output.data(), 0, output.num_bytes());
  const int64_t rows = output.dim(0);
  const int64_t columns = output.dim(1);
  // Bounded, so that sums with a row number cannot overflow.
  const int64_t k = std::clamp(ctx.attributes().Int("k", 0), -rows, columns);
  return Dispatch<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, bool>(
      output.type(), [&](auto t) {
        using T = decltype(t);
        T* values = output.mutable_values<T>().data();
        for (int64_t row = std::max<int64_t>(0, -k); row < std::min(rows, columns - k); ++row) {
          values[row * columns + row + k] = T{1};
        }
        return absl::OkStatus();
      });
}

absl::Status InferOneHot(InferContext& ctx) {
  const DataType type = ctx.type(2);
  if (ctx.has_shape(2) && NumElements(ctx.shape(2)) != 2) return OpError("values must be [off, on]");
  ctx.SetOutput(0, type, std::nullopt);
  int64_t depth = 0;
  if (ctx.value(1) != nullptr) {
    TANDEM_ASSIGN_OR_RETURN(depth, ScalarInteger(*ctx.value(1), "depth"));
    if (depth < 0) return OpError("depth ", depth, " is negative");
  }
  if (!ctx.has_shape(0)) return absl::OkStatus();
  Shape shape = ctx.shape(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis,
                          NormalizeAxis(ctx.attributes().Int("axis", -1), static_cast<int64_t>(shape.size()) + 1));
  if (ctx.value(1) == nullptr) return absl::OkStatus();
  shape.insert(shape.begin() + axis, depth);
  return SetCheckedOutput(ctx, 0, type, std::move(shape));
}

// The position that `index` switches on among `depth`, or -1 for none. Written for all numeric types: NaN and what does
// not fit are none.
template <typename T>
int64_t HotPosition(T index, int64_t depth) {
  const double value = static_cast<double>(index);
  if (!(value >= -static_cast<double>(depth) && value < static_cast<double>(depth))) return -1;
  const int64_t position = static_cast<int64_t>(index);
  return position < 0 ? position + depth : position;
}

absl::Status OneHot(KernelContext& ctx) {
  const Tensor& indices = ctx.input(0);
  const Tensor& values = ctx.input(2);
  Tensor& output = ctx.output(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t depth, ScalarInteger(ctx.input(1), "depth"));
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", -1), indices.rank() + 1));
  Shape shape = indices.shape();
  shape.insert(shape.begin() + axis, depth);
  TANDEM_RETURN_IF_ERROR(CheckOutputShape(ctx, 0, shape));
  const auto [outer, length, inner] = ViewAround(shape, axis);
  const int64_t inner_size = inner;
  const int64_t rows = outer;
  return DispatchSize(SizeOf(values.type()), [&](auto v) {
    using V = decltype(v);
    const V off = RawData<V>(values)[0];
    const V on = RawData<V>(values)[1];
    Fill<V>(output, off);
    V* out = MutableRawData<V>(output);
    return Dispatch<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>(
        indices.type(), [&](auto t) {
          const auto* at = indices.values<decltype(t)>().data();
          for (int64_t row = 0; row < rows; ++row) {
            for (int64_t i = 0; i < inner_size; ++i) {
              const int64_t hot = HotPosition(at[row * inner_size + i], depth);
              if (hot >= 0) out[(row * depth + hot) * inner_size + i] = on;
            }
          }
          return absl::OkStatus();
        });
  });
}

constexpr OpDef kOps[] = {
    {"Expand", 2, 2, InferExpand, Expand}, {"ConstantOfShape", 1, 1, InferConstantOfShape, ConstantOfShape},
    {"Range", 3, 3, InferRange, Range},    {"EyeLike", 1, 1, InferEyeLike, EyeLike},
    {"OneHot", 3, 3, InferOneHot, OneHot},
};

}  // namespace

absl::Span<const OpDef> GenerateOps() { return kOps; }

}  // namespace tandem::engine
