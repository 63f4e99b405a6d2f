// Operators that write elements to places given by indices.
#include <algorithm>
#include <cstring>
#include <functional>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"
#include "engine/ops/indices.h"

namespace tandem::engine {

namespace {

void CopyAll(const Tensor& from, Tensor& to) {
  if (from.num_bytes() > 0) std::memcpy(to.data(), from.data(), from.num_bytes());
}

absl::Status CheckReduction(const InferContext& ctx) {
  const std::string reduction = ctx.attributes().String("reduction", "none");
  if (reduction == "none" || reduction == "add" || reduction == "mul" || reduction == "max" || reduction == "min") {
    return absl::OkStatus();
  }
  return OpError("reduction '", reduction, "' is not supported");
}

absl::Status CheckUpdates(const InferContext& ctx) {
  if (ctx.type(2) != ctx.type(0)) {
    return OpError("updates are ", NameOf(ctx.type(2)), ", the data is ", NameOf(ctx.type(0)));
  }
  return absl::OkStatus();
}

// Calls `f(combine)` where combine(old, update) makes the new element: with typed elements for a reduction, with
// elements as plain bits when updates only replace. f is called with the element type's value first.
template <typename F>
absl::Status WithCombination(DataType type, const std::string& reduction, F&& f) {
  if (reduction == "none") {
    return DispatchSize(SizeOf(type), [&](auto t) {
      using T = decltype(t);
      return f(t, [](T, T update) { return update; });
    });
  }
  if (type == DataType::kBool) {  // adding is or, multiplying is and, as on {0,1} with saturation
    const bool any = reduction == "add" || reduction == "max";
    if (any) return f(uint8_t{}, [](uint8_t old, uint8_t update) -> uint8_t { return old | update; });
    return f(uint8_t{}, [](uint8_t old, uint8_t update) -> uint8_t { return old & update; });
  }
  return Dispatch<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>(
      type, [&](auto t) {
        using T = decltype(t);
        // Integers wrap around, which only unsigned arithmetic may do; 64 bits hold any product's lower part.
        const auto wrap = [](auto op, T old, T update) -> T {
          if constexpr (std::is_integral_v<T>) {
            return static_cast<T>(op(static_cast<uint64_t>(old), static_cast<uint64_t>(update)));
          } else {
            return op(old, update);
          }
        };
        if (reduction == "add") return f(t, [=](T old, T update) { return wrap(std::plus<>(), old, update); });
        if (reduction == "mul") return f(t, [=](T old, T update) { return wrap(std::multiplies<>(), old, update); });
        if (reduction == "max") return f(t, [](T old, T update) { return std::max(old, update); });
        return f(t, [](T old, T update) { return std::min(old, update); });
      });
}

absl::Status InferScatterElements(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckIndexType(ctx.type(1)));
  TANDEM_RETURN_IF_ERROR(CheckUpdates(ctx));
  TANDEM_RETURN_IF_ERROR(CheckReduction(ctx));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  if (ctx.has_shape(1)) {
    TANDEM_RETURN_IF_ERROR(CheckElementwiseIndices(ctx.shape(0), ctx.shape(1), ctx.attributes().Int("axis", 0)));
    if (ctx.has_shape(2) && ctx.shape(2) != ctx.shape(1)) {
      return OpError("updates of shape ", ToString(ctx.shape(2)), " do not match indices of shape ",
                     ToString(ctx.shape(1)));
    }
  }
  ctx.SetOutput(0, ctx.type(0), ctx.shape(0));
  return absl::OkStatus();
}

absl::Status ScatterElements(KernelContext& ctx) {
  const Tensor& data = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", 0), data.rank()));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> indices, IndicesWithin(ctx.input(1), data.dim(axis)));
  CopyAll(data, ctx.output(0));
  return WithCombination(data.type(), ctx.attributes().String("reduction", "none"), [&](auto t, auto combine) {
    using T = decltype(t);
    const T* updates = RawData<T>(ctx.input(2));
    T* target = MutableRawData<T>(ctx.output(0));
    ForEachElement(data.shape(), ctx.input(1).shape(), axis, indices,
                   [&](int64_t at, int64_t offset) { target[offset] = combine(target[offset], updates[at]); });
    return absl::OkStatus();
  });
}

absl::Status InferScatterNd(InferContext& ctx) {
  if (ctx.type(1) != DataType::kInt64) return OpError("indices must be int64, got ", NameOf(ctx.type(1)));
  TANDEM_RETURN_IF_ERROR(CheckUpdates(ctx));
  TANDEM_RETURN_IF_ERROR(CheckReduction(ctx));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const Shape& data = ctx.shape(0);
  if (ctx.has_shape(1)) {
    const Shape& indices = ctx.shape(1);
    if (indices.empty() || indices.back() < 1 || indices.back() > static_cast<int64_t>(data.size())) {
      return OpError("indices of shape ", ToString(indices), " do not fit data of shape ", ToString(data));
    }
    Shape expected(indices.begin(), indices.end() - 1);
    expected.insert(expected.end(), data.begin() + indices.back(), data.end());
    if (ctx.has_shape(2) && ctx.shape(2) != expected) {
      return OpError("updates have shape ", ToString(ctx.shape(2)), " where ", ToString(expected), " is needed");
    }
  }
  ctx.SetOutput(0, ctx.type(0), data);
  return absl::OkStatus();
}

absl::Status ScatterNd(KernelContext& ctx) {
  const Tensor& data = ctx.input(0);
  const absl::Span<const int64_t> shape = data.shape();
  const int64_t depth = ctx.input(1).dim(-1);
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> offsets, TupleOffsets(ctx.input(1), shape.subspan(0, depth)));
  const int64_t run = NumElements(shape.subspan(depth));
  CopyAll(data, ctx.output(0));
  return WithCombination(data.type(), ctx.attributes().String("reduction", "none"), [&](auto t, auto combine) {
    using T = decltype(t);
    const T* update = RawData<T>(ctx.input(2));
    for (int64_t offset : offsets) {
      T* target = MutableRawData<T>(ctx.output(0)) + offset * run;
      for (int64_t i = 0; i < run; ++i) target[i] = combine(target[i], update[i]);
      update += run;
    }
    return absl::OkStatus();
  });
}

absl::Status InferTensorScatter(InferContext& ctx) {
  if (ctx.type(1) != ctx.type(0)) {
    return OpError("the update is ", NameOf(ctx.type(1)), ", the cache is ", NameOf(ctx.type(0)));
  }
  const std::string mode = ctx.attributes().String("mode", "linear");
  if (mode != "linear" && mode != "circular") return OpError("mode '", mode, "' is neither linear nor circular");
  if (ctx.has_input(2)) TANDEM_RETURN_IF_ERROR(KnownIntegers(ctx, 2).status());
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const Shape& cache = ctx.shape(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis,
                          NormalizeAxis(ctx.attributes().Int("axis", -2), static_cast<int64_t>(cache.size())));
  if (axis == 0) return OpError("axis must not be the batch axis");
  if (ctx.has_shape(1)) {
    Shape expected = cache;
    if (ctx.shape(1).size() == cache.size()) expected[axis] = std::min(cache[axis], ctx.shape(1)[axis]);
    if (ctx.shape(1) != expected) {
      return OpError("an update of shape ", ToString(ctx.shape(1)), " does not fit a cache of shape ", ToString(cache));
    }
  }
  if (ctx.has_input(2) && ctx.has_shape(2) && ctx.shape(2) != Shape{cache[0]}) {
    return OpError("write_indices have shape ", ToString(ctx.shape(2)), " for a batch of ", cache[0]);
  }
  ctx.SetOutput(0, ctx.type(0), cache);
  return absl::OkStatus();
}

absl::Status TensorScatter(KernelContext& ctx) {
  const Tensor& cache = ctx.input(0);
  const Tensor& update = ctx.input(1);
  if (cache.num_elements() == 0) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", -2), cache.rank()));
  TANDEM_ASSIGN_OR_RETURN(std::vector<int64_t> begins, IntegersOr(ctx, 2, std::vector<int64_t>(cache.dim(0), 0)));
  const AxisView view = ViewAround(cache.shape(), axis);
  const int64_t length = update.dim(axis);
  const bool circular = ctx.attributes().String("mode", "linear") == "circular";
  for (int64_t& begin : begins) {
    if (begin < 0 || (!circular && begin > view.length - length)) {
      return OpError("write index ", begin, " with ", length, " updates is outside [0,", view.length, ")");
    }
    if (view.length > 0) begin %= view.length;
  }
  CopyAll(cache, ctx.output(0));
  if (update.num_elements() == 0) return absl::OkStatus();
  const size_t run = view.inner * SizeOf(cache.type());
  const int64_t per_sample = view.outer / cache.dim(0);
  const char* source = static_cast<const char*>(update.data());
  char* target = static_cast<char*>(ctx.output(0).data());
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    for (int64_t i = 0; i < length; ++i, source += run) {
      const int64_t at = (begins[outer / per_sample] + i) % view.length;
      std::memcpy(target + (outer * view.length + at) * run, source, run);
    }
  }
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"Scatter", 3, 3, InferScatterElements, ScatterElements},
    {"ScatterElements", 3, 3, InferScatterElements, ScatterElements},
    {"ScatterND", 3, 3, InferScatterNd, ScatterNd},
    {"TensorScatter", 2, 3, InferTensorScatter, TensorScatter},
};

}  // namespace

absl::Span<const OpDef> ScatterOps() { return kOps; }

}  // namespace tandem::engine
