// Normalizations with a scale and a bias per channel: Batch-, Instance- and GroupNormalization.
#include <cmath>

#include "engine/ops/convert.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"
#include "engine/ops/moments.h"

namespace tandem::engine {

namespace {

// x seen as [batch, channels, spatial]; a single dimension is a batch of one channel.
struct ChannelView {
  explicit ChannelView(const Shape& shape)
      : batch(shape[0]),
        channels(shape.size() > 1 ? shape[1] : 1),
        spatial(shape.size() > 2 ? NumElements(absl::MakeConstSpan(shape).subspan(2)) : 1) {}
  int64_t batch;
  int64_t channels;
  int64_t spatial;
};

// Output 0 is like input 0; inputs [1, 1 + parameters) are vectors of one element a channel.
absl::Status InferPerChannel(InferContext& ctx, int parameters, size_t min_rank) {
  TANDEM_RETURN_IF_ERROR(InferSame<Floats>(ctx));
  for (int i = 1; i <= parameters; ++i) TANDEM_RETURN_IF_ERROR(Floats::Check(ctx.type(i)));
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const Shape& x = ctx.shape(0);
  if (x.size() < min_rank) return OpError("the input ", ToString(x), " needs at least ", min_rank, " dimensions");
  const Shape expected{ChannelView(x).channels};
  for (int i = 1; i <= parameters; ++i) {
    if (ctx.has_shape(i) && ctx.shape(i) != expected) {
      return OpError("input ", i, " has shape ", ToString(ctx.shape(i)),
                     ", expected one element a channel: ", ToString(expected));
    }
  }
  return absl::OkStatus();
}

absl::Status InferBatchNormalization(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferPerChannel(ctx, 4, 1));
  const bool training = ctx.attributes().Int("training_mode", 0) != 0;
  if (!training && ctx.num_outputs() > 1) return OpError("only training_mode has more than one output");
  for (int i : {1, 2}) ctx.SetOutput(i, ctx.type(2 + i), ShapeOf(ctx, 2 + i));
  return absl::OkStatus();
}

// y = x * a + b with a and b per channel.
template <typename T>
void ScaleChannels(const ChannelView& view, const T* x, const std::vector<T>& a, const std::vector<T>& b, T* y) {
  for (int64_t n = 0; n < view.batch; ++n) {
    for (int64_t c = 0; c < view.channels; ++c, x += view.spatial, y += view.spatial) {
      const T scale = a[c];
      const T shift = b[c];
      for (int64_t i = 0; i < view.spatial; ++i) y[i] = x[i] * scale + shift;
    }
  }
}

// The mean and the variance of every channel over the whole batch.
template <typename T>
void BatchMoments(const ChannelView& view, const T* x, std::vector<T>& mean, std::vector<T>& variance) {
  const T count = static_cast<T>(view.batch * view.spatial);
  const auto fold = [&](int64_t channel, auto map) {
    T sum{0};
    for (int64_t n = 0; n < view.batch; ++n) {
      const T* row = x + (n * view.channels + channel) * view.spatial;
      sum += FoldRow(row, view.spatial, T{0}, map, [](T a, T b) { return a + b; });
    }
    return sum / count;
  };
  for (int64_t c = 0; c < view.channels; ++c) {
    const T m = fold(c, [](T a) { return a; });
    mean[c] = m;
    variance[c] = fold(c, [m](T a) { return (a - m) * (a - m); });
  }
}

template <typename T>
std::vector<T> VectorOf(const Tensor& tensor) {
  const Tensor converted = Converted(tensor, DataTypeOf<T>());
  const auto values = converted.values<T>();
  return {values.begin(), values.end()};
}

// Running statistics take in the batch's: outputs 1 and 2 of training mode.
template <typename T>
void UpdateRunning(KernelContext& ctx, int output, const std::vector<T>& running, const std::vector<T>& batch) {
  if (output >= ctx.num_outputs()) return;
  const T momentum = static_cast<T>(ctx.attributes().Float("momentum", 0.9f));
  Tensor updated(DataTypeOf<T>(), ctx.output(output).shape());
  for (size_t c = 0; c < batch.size(); ++c) {
    updated.mutable_values<T>()[c] = running[c] * momentum + batch[c] * (T{1} - momentum);
  }
  ConvertElements(updated, ctx.output(output));
}

template <typename T>
void BatchNormalizationOf(KernelContext& ctx) {
  const ChannelView view(ctx.input(0).shape());
  const T* x = ctx.input(0).values<T>().data();
  std::vector<T> scale = VectorOf<T>(ctx.input(1));
  std::vector<T> shift = VectorOf<T>(ctx.input(2));
  std::vector<T> mean = VectorOf<T>(ctx.input(3));
  std::vector<T> variance = VectorOf<T>(ctx.input(4));
  if (ctx.attributes().Int("training_mode", 0) != 0) {
    const std::vector<T> running_mean = mean;
    const std::vector<T> running_variance = variance;
    BatchMoments(view, x, mean, variance);
    UpdateRunning(ctx, 1, running_mean, mean);
    UpdateRunning(ctx, 2, running_variance, variance);
  }
  const T epsilon = static_cast<T>(ctx.attributes().Float("epsilon", 1e-5f));
  for (size_t c = 0; c < scale.size(); ++c) {
    scale[c] /= std::sqrt(variance[c] + epsilon);
    shift[c] -= mean[c] * scale[c];
  }
  ScaleChannels(view, x, scale, shift, ctx.output(0).mutable_values<T>().data());
}

absl::Status BatchNormalization(KernelContext& ctx) {
  return Floats::Dispatch(ctx.input(0).type(), [&](auto t) {
    BatchNormalizationOf<decltype(t)>(ctx);
    return absl::OkStatus();
  });
}

// Every group of consecutive channels of every sample is normalized by itself, then scaled per channel.
template <typename T>
void NormalizeGroups(const ChannelView& view, int64_t groups, T epsilon, KernelContext& ctx) {
  const T* x = ctx.input(0).values<T>().data();
  const std::vector<T> scale = VectorOf<T>(ctx.input(1));
  const std::vector<T> bias = VectorOf<T>(ctx.input(2));
  T* y = ctx.output(0).mutable_values<T>().data();
  const int64_t channels = view.channels / groups;
  for (int64_t group = 0; group < view.batch * groups; ++group) {
    const Moments<T> moments = MomentsOf(x, channels * view.spatial);
    const T inverse = T{1} / std::sqrt(moments.variance + epsilon);
    const int64_t first = group % groups * channels;
    for (int64_t c = first; c < first + channels; ++c, x += view.spatial, y += view.spatial) {
      const T a = inverse * scale[c];
      const T b = bias[c];
      for (int64_t i = 0; i < view.spatial; ++i) y[i] = (x[i] - moments.mean) * a + b;
    }
  }
}

absl::Status NormalizeByGroups(KernelContext& ctx, int64_t groups) {
  if (ctx.input(0).num_elements() == 0) return absl::OkStatus();
  const ChannelView view(ctx.input(0).shape());
  return Floats::Dispatch(ctx.input(0).type(), [&](auto t) {
    using T = decltype(t);
    NormalizeGroups<T>(view, groups, static_cast<T>(ctx.attributes().Float("epsilon", 1e-5f)), ctx);
    return absl::OkStatus();
  });
}

absl::Status InferInstanceNormalization(InferContext& ctx) { return InferPerChannel(ctx, 2, 2); }

absl::Status InstanceNormalization(KernelContext& ctx) {
  return NormalizeByGroups(ctx, ChannelView(ctx.input(0).shape()).channels);
}

absl::Status InferGroupNormalization(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferPerChannel(ctx, 2, 2));
  const int64_t groups = ctx.attributes().Int("num_groups", 0);
  if (groups < 1) return OpError("num_groups is ", groups);
  if (ctx.has_shape(0) && ctx.shape(0)[1] % groups != 0) {
    return OpError("num_groups ", groups, " does not divide the ", ctx.shape(0)[1], " channels");
  }
  return absl::OkStatus();
}

absl::Status GroupNormalization(KernelContext& ctx) {
  return NormalizeByGroups(ctx, ctx.attributes().Int("num_groups", 1));
}

constexpr OpDef kOps[] = {
    {"BatchNormalization", 5, 5, InferBatchNormalization, BatchNormalization},
    {"InstanceNormalization", 3, 3, InferInstanceNormalization, InstanceNormalization},
    {"GroupNormalization", 3, 3, InferGroupNormalization, GroupNormalization},
};

}  // namespace

absl::Span<const OpDef> NormalizationOps() { return kOps; }

}  // namespace tandem::engine
