// Operators that choose elements by their values.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"
#include "engine/ops/strided_copy.h"

namespace tandem::engine {

namespace {

// A total order even with NaN among the numbers (it counts as the largest), as sorting needs.
template <typename T>
bool Less(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a < b || (std::isnan(b) && !std::isnan(a));
  } else {
    return a < b;
  }
}

absl::Status InferTopK(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const auto k, KnownIntegers(ctx, 1));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  ctx.SetOutput(1, DataType::kInt64, std::nullopt);
  if (k.has_value() && k->size() != 1) return OpError("k must be one number, got ", k->size());
  if (!ctx.has_shape(0)) return absl::OkStatus();
  Shape shape = ctx.shape(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis,
                          NormalizeAxis(ctx.attributes().Int("axis", -1), static_cast<int64_t>(shape.size())));
  if (!k.has_value()) return absl::OkStatus();
  if (k->front() < 0 || k->front() > shape[axis]) {
    return OpError("k ", k->front(), " is outside [0,", shape[axis], "]");
  }
  shape[axis] = k->front();
  ctx.SetOutput(0, ctx.type(0), shape);
  ctx.SetOutput(1, DataType::kInt64, shape);
  return absl::OkStatus();
}

template <typename T>
struct Candidate {
  T value;
  int64_t index;
};

// Brings the `k` first candidates by `before` to the front, in order when `sorted`.
template <typename T, typename Before>
void SelectFirst(std::vector<Candidate<T>>& candidates, int64_t k, bool sorted, const Before& before) {
  const auto middle = candidates.begin() + k;
  if (k < static_cast<int64_t>(candidates.size()))
    std::nth_element(candidates.begin(), middle, candidates.end(), before);
  if (sorted) std::sort(candidates.begin(), middle, before);
}

template <typename T>
void TopKOf(const Tensor& input, const AxisView& view, int64_t k, bool largest, bool sorted, T* values,
            int64_t* indices) {
  const auto before = [largest](const Candidate<T>& a, const Candidate<T>& b) {
    if (Less(a.value, b.value)) return !largest;
    if (Less(b.value, a.value)) return largest;
    return a.index < b.index;
  };
  const T* source = RawData<T>(input);
  std::vector<Candidate<T>> candidates(view.length);
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    for (int64_t inner = 0; inner < view.inner; ++inner) {
      const T* line = source + outer * view.length * view.inner + inner;
      for (int64_t i = 0; i < view.length; ++i) candidates[i] = {line[i * view.inner], i};
      SelectFirst(candidates, k, sorted, before);
      const int64_t target = outer * k * view.inner + inner;
      for (int64_t i = 0; i < k; ++i) {
        values[target + i * view.inner] = candidates[i].value;
        indices[target + i * view.inner] = candidates[i].index;
      }
    }
  }
}

absl::Status TopK(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  Tensor& values = ctx.output(0);
  if (values.num_elements() == 0) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", -1), input.rank()));
  const int64_t k = values.dim(axis);
  const bool largest = ctx.attributes().Int("largest", 1) != 0;
  const bool sorted = ctx.attributes().Int("sorted", 1) != 0;
  std::vector<int64_t> unused;
  int64_t* indices = nullptr;
  if (ctx.num_outputs() > 1) {
    indices = ctx.output(1).mutable_values<int64_t>().data();
  } else {
    unused.resize(values.num_elements());
    indices = unused.data();
  }
  return Dispatch<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>(
      input.type(), [&](auto t) {
        using T = decltype(t);
        TopKOf<T>(input, ViewAround(input.shape(), axis), k, largest, sorted, values.mutable_values<T>().data(),
                  indices);
        return absl::OkStatus();
      });
}

absl::Status InferNonZero(InferContext& ctx) {
  ctx.SetOutput(0, DataType::kInt64, std::nullopt);
  return absl::OkStatus();
}

template <typename T>
void NonZeroOf(const Tensor& input, KernelContext& ctx) {
  const T* values = RawData<T>(input);
  std::vector<int64_t> found;
  for (int64_t i = 0; i < input.num_elements(); ++i) {
    if (values[i] != T{0}) found.push_back(i);
  }
  const int64_t count = static_cast<int64_t>(found.size());
  int64_t* row = ctx.AllocateOutput(0, DataType::kInt64, {input.rank(), count}).mutable_values<int64_t>().data();
  const Shape strides = RowMajorStrides(input.shape());
  for (int64_t axis = 0; axis < input.rank(); ++axis, row += count) {
    for (int64_t i = 0; i < count; ++i) row[i] = found[i] / strides[axis] % input.shape()[axis];
  }
}

absl::Status NonZero(KernelContext& ctx) {
  return Dispatch<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, bool>(
      ctx.input(0).type(), [&](auto t) {
        NonZeroOf<decltype(t)>(ctx.input(0), ctx);
        return absl::OkStatus();
      });
}

absl::Status InferUnique(InferContext& ctx) {
  const int64_t* axis = ctx.attributes().Find<int64_t>("axis");
  if (axis != nullptr && ctx.has_shape(0)) {
    TANDEM_RETURN_IF_ERROR(NormalizeAxis(*axis, static_cast<int64_t>(ctx.shape(0).size())).status());
  }
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  for (int i = 1; i < ctx.num_outputs(); ++i) ctx.SetOutput(i, DataType::kInt64, std::nullopt);
  return absl::OkStatus();
}

// The distinct rows of a matrix, each by its first occurrence.
struct Groups {
  std::vector<int64_t> first;
  std::vector<int64_t> inverse;  // for every row, its group
  std::vector<int64_t> counts;
};

template <typename T>
Groups GroupRows(const T* rows, int64_t count, int64_t width, bool sorted) {
  const auto less = [&](int64_t a, int64_t b) {
    return std::lexicographical_compare(rows + a * width, rows + (a + 1) * width, rows + b * width,
                                        rows + (b + 1) * width, Less<T>);
  };
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), less);
  Groups groups;
  groups.inverse.resize(count);
  for (int64_t i = 0; i < count; ++i) {
    if (i == 0 || less(order[i - 1], order[i])) groups.first.push_back(order[i]);
    groups.inverse[order[i]] = static_cast<int64_t>(groups.first.size()) - 1;
  }
  if (!sorted) {
    std::vector<int64_t> by_occurrence(groups.first.size());
    std::iota(by_occurrence.begin(), by_occurrence.end(), 0);
    std::sort(by_occurrence.begin(), by_occurrence.end(),
              [&](int64_t a, int64_t b) { return groups.first[a] < groups.first[b]; });
    std::vector<int64_t> renumbered(groups.first.size());
    for (size_t i = 0; i < by_occurrence.size(); ++i) renumbered[by_occurrence[i]] = static_cast<int64_t>(i);
    for (int64_t& group : groups.inverse) group = renumbered[group];
    std::sort(groups.first.begin(), groups.first.end());
  }
  groups.counts.resize(groups.first.size());
  for (int64_t group : groups.inverse) ++groups.counts[group];
  return groups;
}

absl::Status Unique(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  const int64_t* given = ctx.attributes().Find<int64_t>("axis");
  Shape shape = given != nullptr ? input.shape() : Shape{input.num_elements()};
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis,
                          NormalizeAxis(given != nullptr ? *given : 0, static_cast<int64_t>(shape.size())));
  const AxisView view = ViewAround(shape, axis);
  const int64_t width = view.outer * view.inner;
  // There may be far more empty slices than memory for their numbers.
  if (width == 0 && view.length > 0) return OpError("cannot compare the empty slices of ", ToString(shape));
  const size_t size = SizeOf(input.type());
  // The slices along the axis, each made one row.
  Tensor rows(input.type(), {view.length, view.outer, view.inner});
  CopyStrided(input.data(), {view.inner, view.length * view.inner, 1}, rows.data(), {width, view.inner, 1},
              rows.shape(), size);
  Groups groups;
  TANDEM_RETURN_IF_ERROR(
      (Dispatch<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, bool>(
          input.type(), [&](auto t) {
            groups = GroupRows(RawData<decltype(t)>(rows), view.length, width, ctx.attributes().Int("sorted", 1) != 0);
            return absl::OkStatus();
          })));
  shape[axis] = static_cast<int64_t>(groups.first.size());
  char* target = static_cast<char*>(ctx.AllocateOutput(0, input.type(), shape).data());
  for (size_t i = 0; i < groups.first.size(); ++i) {
    CopyStrided(static_cast<const char*>(rows.data()) + groups.first[i] * width * size, {view.inner, 1},
                target + i * view.inner * size, {shape[axis] * view.inner, 1}, {view.outer, view.inner}, size);
  }
  const std::vector<int64_t>* extras[] = {&groups.first, &groups.inverse, &groups.counts};
  for (int i = 1; i < std::min(ctx.num_outputs(), 4); ++i) {
    const std::vector<int64_t>& values = *extras[i - 1];
    Tensor& output = ctx.AllocateOutput(i, DataType::kInt64, {static_cast<int64_t>(values.size())});
    std::copy(values.begin(), values.end(), output.mutable_values<int64_t>().begin());
  }
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"TopK", 2, 2, InferTopK, TopK},
    {"NonZero", 1, 1, InferNonZero, NonZero},
    {"Unique", 1, 1, InferUnique, Unique},
};

}  // namespace

absl::Span<const OpDef> SelectOps() { return kOps; }

}  // namespace tandem::engine
