// Operators of our own that passes make out of patterns; files never hold them.
#include <cmath>
#include <cstring>

#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

// The channels of [N, C, ...] seen as [groups, C / groups] and transposed (ShuffleNet, Zhang et al. 2017).
absl::Status InferChannelShuffle(InferContext& ctx) {
  if (!ctx.has_shape(0)) {
    ctx.SetOutput(0, ctx.type(0), std::nullopt);
    return absl::OkStatus();
  }
  const int64_t groups = ctx.attributes().Int("groups", 1);
  if (ctx.shape(0).size() < 2 || groups < 1 || ctx.shape(0)[1] % groups != 0) {
    return OpError("cannot shuffle ", ToString(ctx.shape(0)), " in ", groups, " groups");
  }
  ctx.SetOutput(0, ctx.type(0), ctx.shape(0));
  return absl::OkStatus();
}

absl::Status ChannelShuffle(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  const int64_t groups = ctx.attributes().Int("groups", 1);
  const int64_t channels = x.dim(1), each = channels / groups;
  if (x.num_elements() == 0) return absl::OkStatus();
  const size_t plane = x.num_bytes() / (x.dim(0) * channels);
  const auto* from = static_cast<const char*>(x.data());
  auto* to = static_cast<char*>(ctx.output(0).data());
  for (int64_t n = 0; n < x.dim(0); ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      const int64_t source = c % groups * each + c / groups;
      std::memcpy(to + (n * channels + c) * plane, from + (n * channels + source) * plane, plane);
    }
  }
  return absl::OkStatus();
}

// Type and shape of the input.
absl::Status InferSame(InferContext& ctx) {
  ctx.SetOutput(0, ctx.type(0), ctx.has_shape(0) ? std::optional<Shape>(ctx.shape(0)) : std::nullopt);
  return absl::OkStatus();
}

// The input itself: what differs is how the result is stored (Value::quantization).
absl::Status Store(KernelContext& ctx) {
  if (ctx.input(0).num_bytes() > 0) std::memcpy(ctx.output(0).data(), ctx.input(0).data(), ctx.input(0).num_bytes());
  return absl::OkStatus();
}

// To the nearest multiple of alpha, halves to even ones.
absl::Status RoundTo(KernelContext& ctx) {
  const float step = ctx.attributes().Float("alpha", 1);
  const auto x = ctx.input(0).values<float>();
  const auto y = ctx.output(0).mutable_values<float>();
  for (size_t i = 0; i < x.size(); ++i) y[i] = std::nearbyint(x[i] / step) * step;
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"tandem.ChannelShuffle", 1, 1, InferChannelShuffle, ChannelShuffle},
    {"tandem.RoundTo", 1, 1, InferSame, RoundTo},
    {"tandem.Store", 1, 1, InferSame, Store},
};

}  // namespace

absl::Span<const OpDef> FusedOps() { return kOps; }

}  // namespace tandem::engine
