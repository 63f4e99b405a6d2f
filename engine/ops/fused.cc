// Operators of our own that passes make out of patterns; files never hold them.
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

// The input itself: what differs is how the result is stored (Value::quantization).
absl::Status InferStore(InferContext& ctx) {
  ctx.SetOutput(0, ctx.type(0), ctx.has_shape(0) ? std::optional<Shape>(ctx.shape(0)) : std::nullopt);
  return absl::OkStatus();
}

absl::Status Store(KernelContext& ctx) {
  if (ctx.input(0).num_bytes() > 0) std::memcpy(ctx.output(0).data(), ctx.input(0).data(), ctx.input(0).num_bytes());
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"tandem.ChannelShuffle", 1, 1, InferChannelShuffle, ChannelShuffle},
    {"tandem.Store", 1, 1, InferStore, Store},
};

}  // namespace

absl::Span<const OpDef> FusedOps() { return kOps; }

}  // namespace tandem::engine
