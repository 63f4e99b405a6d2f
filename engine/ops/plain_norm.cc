// Normalizations without parameters to learn: LRN, LpNormalization, MeanVarianceNormalization.
#include <cmath>
#include <vector>

#include "engine/ops/dims.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"
#include "engine/ops/reduce_loops.h"

namespace tandem::engine {

namespace {

absl::Status InferLrn(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferSame<Floats>(ctx));
  const int64_t size = ctx.attributes().Int("size", 0);
  if (size < 1) return OpError("size is ", size);
  if (ctx.has_shape(0) && ctx.shape(0).size() < 2) {
    return OpError("the input ", ToString(ctx.shape(0)), " has no channels");
  }
  return absl::OkStatus();
}

// Divides by a power of the sum of squares over the neighbouring channels.
template <typename T>
void LrnOf(const Attributes& attributes, const AxisView& view, const T* x, T* y) {
  const int64_t size = attributes.Int("size", 1);
  const int64_t before = std::min((size - 1) / 2, view.length);
  const int64_t after = std::min(size - 1 - (size - 1) / 2, view.length);
  const T scale = static_cast<T>(attributes.Float("alpha", 1e-4f)) / static_cast<T>(size);
  const T beta = static_cast<T>(attributes.Float("beta", 0.75f));
  const T bias = static_cast<T>(attributes.Float("bias", 1));
  std::vector<T> sums(view.inner);
  for (int64_t n = 0; n < view.outer; ++n, x += view.length * view.inner) {
    for (int64_t c = 0; c < view.length; ++c, y += view.inner) {
      std::fill(sums.begin(), sums.end(), T{0});
      for (int64_t k = std::max<int64_t>(0, c - before); k <= std::min(view.length - 1, c + after); ++k) {
        const T* row = x + k * view.inner;
        for (int64_t i = 0; i < view.inner; ++i) sums[i] += row[i] * row[i];
      }
      const T* row = x + c * view.inner;
      for (int64_t i = 0; i < view.inner; ++i) y[i] = row[i] / std::pow(bias + scale * sums[i], beta);
    }
  }
}

absl::Status Lrn(KernelContext& ctx) {
  if (ctx.input(0).num_elements() == 0) return absl::OkStatus();
  return Floats::Dispatch(ctx.input(0).type(), [&](auto t) {
    using T = decltype(t);
    LrnOf(ctx.attributes(), ViewAround(ctx.input(0).shape(), 1), ctx.input(0).values<T>().data(),
          ctx.output(0).mutable_values<T>().data());
    return absl::OkStatus();
  });
}

absl::Status InferLpNormalization(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferSame<Floats>(ctx));
  const int64_t p = ctx.attributes().Int("p", 2);
  if (p != 1 && p != 2) return OpError("p is ", p, ", not 1 or 2");
  if (!ctx.has_shape(0)) return absl::OkStatus();
  return NormalizeAxis(ctx.attributes().Int("axis", -1), ctx.shape(0).size()).status();
}

// Divides by the norm along the axis; where that is 0 the result is 0.
template <typename T>
void LpNormalizationOf(bool l1, const AxisView& view, const T* x, T* y) {
  const int64_t block = view.length * view.inner;
  std::vector<T> norm(view.inner);
  for (int64_t outer = 0; outer < view.outer; ++outer, x += block, y += block) {
    std::fill(norm.begin(), norm.end(), T{0});
    for (int64_t k = 0; k < view.length; ++k) {
      const T* row = x + k * view.inner;
      for (int64_t i = 0; i < view.inner; ++i) norm[i] += l1 ? std::abs(row[i]) : row[i] * row[i];
    }
    for (T& n : norm) n = l1 ? n : std::sqrt(n);
    for (int64_t k = 0; k < view.length; ++k) {
      const int64_t at = k * view.inner;
      for (int64_t i = 0; i < view.inner; ++i) y[at + i] = norm[i] == T{0} ? T{0} : x[at + i] / norm[i];
    }
  }
}

absl::Status LpNormalization(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", -1), x.rank()));
  if (x.num_elements() == 0) return absl::OkStatus();
  return Floats::Dispatch(x.type(), [&](auto t) {
    using T = decltype(t);
    LpNormalizationOf(ctx.attributes().Int("p", 2) == 1, ViewAround(x.shape(), axis), x.values<T>().data(),
                      ctx.output(0).mutable_values<T>().data());
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<bool>> MvnAxes(const Attributes& attributes, int64_t rank) {
  std::vector<bool> reduced(rank, false);
  const std::vector<int64_t> axes = attributes.Has("axes") ? attributes.Ints("axes") : std::vector<int64_t>{0, 2, 3};
  for (int64_t axis : axes) {
    TANDEM_ASSIGN_OR_RETURN(axis, NormalizeAxis(axis, rank));
    reduced[axis] = true;
  }
  return reduced;
}

absl::Status InferMvn(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferSame<Floats>(ctx));
  if (!ctx.has_shape(0)) return absl::OkStatus();
  return MvnAxes(ctx.attributes(), ctx.shape(0).size()).status();
}

template <typename T>
void MvnOf(const ReduceLoops& loops, int64_t groups, const T* x, T* y) {
  // `f(element, its group)` over the whole input; every group gathers loops.count() elements.
  const auto for_each = [&](auto f) {
    loops.ForEachRow([&](int64_t in, int64_t out) {
      for (int64_t i = 0; i < loops.row(); ++i) f(in + i, loops.folds_rows() ? out : out + i);
    });
  };
  const T count = static_cast<T>(loops.count());
  std::vector<T> mean(groups, T{0});
  std::vector<T> deviation(groups, T{0});
  for_each([&](int64_t at, int64_t group) { mean[group] += x[at]; });
  for (T& m : mean) m /= count;
  for_each([&](int64_t at, int64_t group) { deviation[group] += (x[at] - mean[group]) * (x[at] - mean[group]); });
  for (T& d : deviation) d = std::sqrt(d / count) + T(1e-9);  // the operator's definition fixes this epsilon
  for_each([&](int64_t at, int64_t group) { y[at] = (x[at] - mean[group]) / deviation[group]; });
}

absl::Status Mvn(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const std::vector<bool> reduced, MvnAxes(ctx.attributes(), x.rank()));
  if (x.num_elements() == 0) return absl::OkStatus();
  const ReduceLoops loops(x.shape(), reduced);
  return Floats::Dispatch(x.type(), [&](auto t) {
    using T = decltype(t);
    MvnOf(loops, x.num_elements() / loops.count(), x.values<T>().data(), ctx.output(0).mutable_values<T>().data());
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"LRN", 1, 1, InferLrn, Lrn},
    {"LpNormalization", 1, 1, InferLpNormalization, LpNormalization},
    {"MeanVarianceNormalization", 1, 1, InferMvn, Mvn},
};

}  // namespace

absl::Span<const OpDef> PlainNormOps() { return kOps; }

}  // namespace tandem::engine
