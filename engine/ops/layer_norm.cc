// Normalizations over the trailing dimensions: LayerNormalization and RMSNormalization.
#include <cmath>
#include <vector>

#include "engine/ops/broadcast.h"
#include "engine/ops/convert.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"
#include "engine/ops/moments.h"

namespace tandem::engine {

namespace {

// A scale or bias that broadcasts to x: the values for row r begin at data + r * stride.
template <typename T>
class RowParameter {
 public:
  // `x` seen as rows of the dimensions from `axis` on. An absent parameter is `fallback` everywhere.
  RowParameter(const Tensor* parameter, T fallback, const Shape& x, int64_t axis) {
    const Shape row(x.begin() + axis, x.end());
    const int64_t length = NumElements(row);
    if (parameter == nullptr) {
      values_.assign(length, fallback);
      data_ = values_.data();
      return;
    }
    const T* given = parameter->values<T>().data();
    const Shape& shape = parameter->shape();
    if (shape == row || shape == x) {
      data_ = given;
      stride_ = shape == row ? 0 : length;
      return;
    }
    const bool same_for_rows = shape.size() <= row.size();
    const Shape& target = same_for_rows ? row : x;
    stride_ = same_for_rows ? 0 : length;
    values_.resize(NumElements(target));
    data_ = values_.data();
    const Broadcast<1> loops(target, {&shape});
    loops.ForEachRow([&](int64_t out, const std::array<int64_t, 1>& in) {
      for (int64_t i = 0; i < loops.row; ++i) values_[out + i] = given[in[0] + i * loops.step[0]];
    });
  }
  const T* Row(int64_t row) const { return data_ + row * stride_; }

 private:
  std::vector<T> values_;  // what had to be stretched
  const T* data_ = nullptr;
  int64_t stride_ = 0;
};

// Input `i`, if given, has the type of input 0 and broadcasts to it.
absl::Status CheckParameter(const InferContext& ctx, int i) {
  if (!ctx.has_input(i)) return absl::OkStatus();
  if (ctx.type(i) != ctx.type(0)) {
    return OpError("input ", i, " is ", NameOf(ctx.type(i)), ", input 0 ", NameOf(ctx.type(0)));
  }
  if (!ctx.has_shape(0) || !ctx.has_shape(i)) return absl::OkStatus();
  const absl::StatusOr<Shape> shape = BroadcastShapes(ctx.shape(0), ctx.shape(i));
  if (!shape.ok() || *shape != ctx.shape(0)) {
    return OpError("input ", i, " of shape ", ToString(ctx.shape(i)), " does not broadcast to ",
                   ToString(ctx.shape(0)));
  }
  return absl::OkStatus();
}

absl::Status InferLayerNormalization(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferSame<Floats>(ctx));
  for (int i : {1, 2}) TANDEM_RETURN_IF_ERROR(CheckParameter(ctx, i));
  std::optional<Shape> moments = ShapeOf(ctx, 0);
  if (moments.has_value()) {
    TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", -1), moments->size()));
    std::fill(moments->begin() + axis, moments->end(), 1);
  }
  ctx.SetOutput(1, DataType::kFloat32, moments);
  ctx.SetOutput(2, DataType::kFloat32, moments);
  return absl::OkStatus();
}

template <typename T>
void LayerNormalizationOf(KernelContext& ctx, int64_t axis) {
  const Shape& shape = ctx.input(0).shape();
  const int64_t length = NumElements(absl::MakeConstSpan(shape).subspan(axis));
  const int64_t rows = ctx.input(0).num_elements() / length;
  const T epsilon = static_cast<T>(ctx.attributes().Float("epsilon", 1e-5f));
  const RowParameter<T> scale(&ctx.input(1), T{1}, shape, axis);
  const RowParameter<T> bias(ctx.has_input(2) ? &ctx.input(2) : nullptr, T{0}, shape, axis);
  const T* x = ctx.input(0).values<T>().data();
  T* y = ctx.output(0).mutable_values<T>().data();
  for (int64_t row = 0; row < rows; ++row, x += length, y += length) {
    const Moments<T> moments = MomentsOf(x, length);
    const T inverse = T{1} / std::sqrt(moments.variance + epsilon);
    const T* s = scale.Row(row);
    const T* b = bias.Row(row);
    for (int64_t i = 0; i < length; ++i) y[i] = (x[i] - moments.mean) * inverse * s[i] + b[i];
    if (ctx.num_outputs() > 1) ctx.output(1).mutable_values<float>()[row] = static_cast<float>(moments.mean);
    if (ctx.num_outputs() > 2) ctx.output(2).mutable_values<float>()[row] = static_cast<float>(inverse);
  }
}

absl::Status LayerNormalization(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", -1), ctx.input(0).rank()));
  if (ctx.input(0).num_elements() == 0) {  // statistics of empty rows, if there are rows, are 0
    for (int i = 1; i < ctx.num_outputs(); ++i) {
      for (float& value : ctx.output(i).mutable_values<float>()) value = 0;
    }
    return absl::OkStatus();
  }
  return Floats::Dispatch(ctx.input(0).type(), [&](auto t) {
    LayerNormalizationOf<decltype(t)>(ctx, axis);
    return absl::OkStatus();
  });
}

absl::Status InferRmsNormalization(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferSame<Floats>(ctx));
  TANDEM_RETURN_IF_ERROR(CheckParameter(ctx, 1));
  if (!ctx.has_shape(0)) return absl::OkStatus();
  return NormalizeAxis(ctx.attributes().Int("axis", -1), ctx.shape(0).size()).status();
}

template <typename T>
void RmsNormalizationOf(KernelContext& ctx, int64_t axis) {
  const Shape& shape = ctx.input(0).shape();
  const int64_t length = NumElements(absl::MakeConstSpan(shape).subspan(axis));
  const int64_t rows = ctx.input(0).num_elements() / length;
  const T epsilon = static_cast<T>(ctx.attributes().Float("epsilon", 1e-5f));
  const RowParameter<T> scale(&ctx.input(1), T{1}, shape, axis);
  const T* x = ctx.input(0).values<T>().data();
  T* y = ctx.output(0).mutable_values<T>().data();
  for (int64_t row = 0; row < rows; ++row, x += length, y += length) {
    const T squares = FoldRow(
        x, length, T{0}, [](T a) { return a * a; }, [](T a, T b) { return a + b; });
    const T inverse = T{1} / std::sqrt(squares / static_cast<T>(length) + epsilon);
    const T* s = scale.Row(row);
    for (int64_t i = 0; i < length; ++i) y[i] = x[i] * inverse * s[i];
  }
}

absl::Status RmsNormalization(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", -1), ctx.input(0).rank()));
  if (ctx.input(0).num_elements() == 0) return absl::OkStatus();
  return Floats::Dispatch(ctx.input(0).type(), [&](auto t) {
    RmsNormalizationOf<decltype(t)>(ctx, axis);
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"LayerNormalization", 2, 3, InferLayerNormalization, LayerNormalization},
    {"RMSNormalization", 2, 2, InferRmsNormalization, RmsNormalization},
};

}  // namespace

absl::Span<const OpDef> LayerNormOps() { return kOps; }

}  // namespace tandem::engine
