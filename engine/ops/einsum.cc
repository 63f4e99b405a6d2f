// Einsum: operands are contracted from left to right, each pair as a batch of matrix products.
#include <algorithm>
#include <type_traits>
#include <vector>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/einsum_equation.h"
#include "engine/ops/families.h"
#include "engine/ops/gemm.h"

namespace tandem::engine {

namespace {

template <typename F>
absl::Status DispatchEinsum(DataType type, F&& f) {
  return Dispatch<float, double, int32_t, int64_t, uint32_t, uint64_t>(type, std::forward<F>(f));
}

absl::Status InferEinsum(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(DispatchEinsum(ctx.type(0), [](auto) { return absl::OkStatus(); }));
  std::vector<Shape> shapes;
  for (int i = 0; i < ctx.num_inputs(); ++i) {
    if (!ctx.has_input(i)) return OpError("operand ", i, " is missing");
    if (ctx.type(i) != ctx.type(0)) return OpError("operand ", i, " is ", NameOf(ctx.type(i)));
    if (ctx.has_shape(i)) shapes.push_back(ctx.shape(i));
  }
  std::optional<Shape> output;
  if (static_cast<int>(shapes.size()) == ctx.num_inputs()) {
    TANDEM_ASSIGN_OR_RETURN(const EinsumEquation equation,
                            ParseEinsum(ctx.attributes().String("equation", ""), shapes));
    output = equation.OutputShape();
    TANDEM_RETURN_IF_ERROR(CheckElementCount(*output));
  }
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  return absl::OkStatus();
}

// One dimension of an operand: distinct labels, dimensions that broadcast left out.
struct Axis {
  EinsumLabel label;
  int64_t size;
  int64_t stride;
};
using Axes = std::vector<Axis>;

// A strided view of an operand, or an intermediate result that it owns.
template <typename T>
struct Operand {
  const T* data = nullptr;
  Axes axes;
  std::vector<T> storage;
};

bool Contains(const EinsumLabels& labels, EinsumLabel label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

bool Contains(const Axes& axes, EinsumLabel label) {
  return std::any_of(axes.begin(), axes.end(), [&](const Axis& axis) { return axis.label == label; });
}

int64_t Volume(const Axes& axes) {
  int64_t volume = 1;
  for (const Axis& axis : axes) volume *= axis.size;
  return volume;
}

// Repeated labels become one axis along the diagonal.
Axes AxesOf(const EinsumLabels& labels, const Shape& shape) {
  Axes axes;
  int64_t stride = NumElements(shape) == 0 ? 0 : 1;
  for (size_t i = labels.size(); i-- > 0;) {
    if (shape[i] != 1) {
      const auto same =
          std::find_if(axes.begin(), axes.end(), [&](const Axis& axis) { return axis.label == labels[i]; });
      if (same != axes.end()) {
        same->stride += stride;
      } else {
        axes.insert(axes.begin(), {labels[i], shape[i], stride});
      }
    }
    stride *= shape[i];
  }
  return axes;
}

// The axes of `axes` whose labels `keep` accepts, in order.
template <typename F>
Axes Select(const Axes& axes, F&& keep) {
  Axes selected;
  std::copy_if(axes.begin(), axes.end(), std::back_inserter(selected), keep);
  return selected;
}

// Calls `f(offset)` for every position of `axes`, the last fastest.
template <typename F>
void ForEachPosition(const Axes& axes, F&& f) {
  if (Volume(axes) == 0) return;
  std::vector<int64_t> index(axes.size());
  int64_t offset = 0;
  while (true) {
    f(offset);
    size_t i = axes.size();
    while (i > 0) {
      const Axis& axis = axes[i - 1];
      offset += axis.stride;
      if (++index[i - 1] < axis.size) break;
      offset -= axis.size * axis.stride;
      index[--i] = 0;
    }
    if (i == 0) return;
  }
}

// A dense copy with the axes `kept`, summed over `summed`.
template <typename T>
std::vector<T> Arrange(const T* data, const Axes& kept, const Axes& summed) {
  std::vector<T> result;
  result.reserve(Volume(kept));
  ForEachPosition(kept, [&](int64_t outer) {
    T sum = 0;
    ForEachPosition(summed, [&](int64_t inner) { sum += data[outer + inner]; });
    result.push_back(sum);
  });
  return result;
}

Axes Join(std::initializer_list<const Axes*> parts) {
  Axes all;
  for (const Axes* part : parts) all.insert(all.end(), part->begin(), part->end());
  return all;
}

// `axes` as those of a dense array.
Axes Densified(Axes axes) {
  int64_t stride = 1;
  for (size_t i = axes.size(); i-- > 0;) {
    axes[i].stride = stride;
    stride *= axes[i].size;
  }
  return axes;
}

// What the axes of a pair of operands are in their product. `batch` and `inner` are a's; b has the same labels.
struct Roles {
  Axes batch;  // in both, and needed
  Axes inner;  // in both, summed over
  Axes a_free, b_free;
  Axes a_summed, b_summed;  // in one, summed over beforehand
};

Roles RolesOf(const Axes& a, const Axes& b, const EinsumLabels& needed) {
  // The axes of `own` that are, or are not, among those of `other` and among the needed ones.
  const auto select = [&](const Axes& own, const Axes& other, bool shared, bool kept) {
    return Select(own, [&](const Axis& axis) {
      return Contains(other, axis.label) == shared && Contains(needed, axis.label) == kept;
    });
  };
  return {.batch = select(a, b, true, true),
          .inner = select(a, b, true, false),
          .a_free = select(a, b, false, true),
          .b_free = select(b, a, false, true),
          .a_summed = select(a, b, false, false),
          .b_summed = select(b, a, false, false)};
}

// The axes of `own` with the labels of `axes`, in their order.
Axes Matching(const Axes& own, Axes axes) {
  for (Axis& axis : axes) {
    axis = *std::find_if(own.begin(), own.end(), [&](const Axis& other) { return other.label == axis.label; });
  }
  return axes;
}

// The product of `a` and `b`, summed over every label that is not in `needed`.
template <typename T>
absl::StatusOr<Operand<T>> Contract(const Operand<T>& a, const Operand<T>& b, const EinsumLabels& needed) {
  const Roles roles = RolesOf(a.axes, b.axes, needed);
  Operand<T> result;
  result.axes = Densified(Join({&roles.batch, &roles.a_free, &roles.b_free}));
  Shape shape;
  for (const Axis& axis : result.axes) shape.push_back(axis.size);
  TANDEM_RETURN_IF_ERROR(CheckElementCount(shape));
  const Axes b_batch = Matching(b.axes, roles.batch);
  const Axes b_inner = Matching(b.axes, roles.inner);
  const std::vector<T> left = Arrange(a.data, Join({&roles.batch, &roles.a_free, &roles.inner}), roles.a_summed);
  const std::vector<T> right = Arrange(b.data, Join({&b_batch, &b_inner, &roles.b_free}), roles.b_summed);
  const int64_t m = Volume(roles.a_free);
  const int64_t k = Volume(roles.inner);
  const int64_t n = Volume(roles.b_free);
  result.storage.assign(Volume(result.axes), T{0});
  for (int64_t i = 0; i < Volume(roles.batch); ++i) {
    MultiplyAdd<T>(m, n, k, {left.data() + i * m * k, k}, {right.data() + i * k * n, n},
                   result.storage.data() + i * m * n, n);
  }
  result.data = result.storage.data();
  return result;
}

// The labels that the result or any operand after `done` still needs.
EinsumLabels NeededAfter(const EinsumEquation& equation, size_t done) {
  EinsumLabels needed = equation.output;
  for (size_t i = done + 1; i < equation.terms.size(); ++i) {
    needed.insert(needed.end(), equation.terms[i].begin(), equation.terms[i].end());
  }
  return needed;
}

template <typename T>
absl::Status Compute(const EinsumEquation& equation, const KernelContext& ctx, T* target) {
  const auto operand = [&](int i) {
    return Operand<T>{static_cast<const T*>(ctx.input(i).data()), AxesOf(equation.terms[i], ctx.input(i).shape()), {}};
  };
  Operand<T> result = operand(0);
  for (int i = 1; i < ctx.num_inputs(); ++i) {
    TANDEM_ASSIGN_OR_RETURN(result, Contract(result, operand(i), NeededAfter(equation, i)));
  }
  Axes kept;
  for (EinsumLabel label : equation.output) {
    for (const Axis& axis : result.axes) {
      if (axis.label == label) kept.push_back(axis);
    }
  }
  const Axes summed = Select(result.axes, [&](const Axis& axis) { return !Contains(equation.output, axis.label); });
  const std::vector<T> arranged = Arrange(result.data, kept, summed);
  std::copy(arranged.begin(), arranged.end(), target);
  return absl::OkStatus();
}

absl::Status Einsum(KernelContext& ctx) {
  std::vector<Shape> shapes;
  for (int i = 0; i < ctx.num_inputs(); ++i) shapes.push_back(ctx.input(i).shape());
  TANDEM_ASSIGN_OR_RETURN(const EinsumEquation equation, ParseEinsum(ctx.attributes().String("equation", ""), shapes));
  return DispatchEinsum(ctx.input(0).type(), [&](auto t) {
    using T = decltype(t);
    if constexpr (std::is_integral_v<T>) {  // wraps, as unsigned arithmetic does
      using U = std::make_unsigned_t<T>;
      return Compute<U>(equation, ctx, static_cast<U*>(ctx.output(0).data()));
    } else {
      return Compute<T>(equation, ctx, static_cast<T*>(ctx.output(0).data()));
    }
  });
}

constexpr OpDef kOps[] = {
    {"Einsum", 1, kVariadic, InferEinsum, Einsum},
};

}  // namespace

absl::Span<const OpDef> EinsumOps() { return kOps; }

}  // namespace tandem::engine
