// Operators that pick elements by indices. Elements are moved by their size, whatever their type.
#include <cstring>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"
#include "engine/ops/indices.h"

namespace tandem::engine {

namespace {

absl::Status InferGather(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckIndexType(ctx.type(1)));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const Shape& data = ctx.shape(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis,
                          NormalizeAxis(ctx.attributes().Int("axis", 0), static_cast<int64_t>(data.size())));
  if (!ctx.has_shape(1)) return absl::OkStatus();
  Shape shape(data.begin(), data.begin() + axis);
  shape.insert(shape.end(), ctx.shape(1).begin(), ctx.shape(1).end());
  shape.insert(shape.end(), data.begin() + axis + 1, data.end());
  return SetCheckedOutput(ctx, 0, ctx.type(0), std::move(shape));
}

absl::Status Gather(KernelContext& ctx) {
  const Tensor& data = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", 0), data.rank()));
  const AxisView view = ViewAround(data.shape(), axis);
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> indices, IndicesWithin(ctx.input(1), view.length));
  if (ctx.output(0).num_elements() == 0) return absl::OkStatus();
  const size_t size = SizeOf(data.type());
  const char* source = static_cast<const char*>(data.data());
  char* target = static_cast<char*>(ctx.output(0).data());
  if (view.inner == 1) {
    return DispatchSize(size, [&](auto t) {
      using T = decltype(t);
      const T* row = RawData<T>(data);
      T* out = MutableRawData<T>(ctx.output(0));
      for (int64_t outer = 0; outer < view.outer; ++outer, row += view.length) {
        for (int64_t index : indices) *out++ = row[index];
      }
      return absl::OkStatus();
    });
  }
  const size_t run = view.inner * size;
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    for (int64_t index : indices) {
      std::memcpy(target, source + (outer * view.length + index) * run, run);
      target += run;
    }
  }
  return absl::OkStatus();
}

absl::Status InferGatherElements(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckIndexType(ctx.type(1)));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0) || !ctx.has_shape(1)) return absl::OkStatus();
  TANDEM_RETURN_IF_ERROR(CheckElementwiseIndices(ctx.shape(0), ctx.shape(1), ctx.attributes().Int("axis", 0)));
  return SetCheckedOutput(ctx, 0, ctx.type(0), ctx.shape(1));
}

absl::Status GatherElements(KernelContext& ctx) {
  const Tensor& data = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const int64_t axis, NormalizeAxis(ctx.attributes().Int("axis", 0), data.rank()));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> indices, IndicesWithin(ctx.input(1), data.dim(axis)));
  return DispatchSize(SizeOf(data.type()), [&](auto t) {
    using T = decltype(t);
    const T* source = RawData<T>(data);
    T* target = MutableRawData<T>(ctx.output(0));
    ForEachElement(data.shape(), ctx.input(1).shape(), axis, indices,
                   [&](int64_t at, int64_t offset) { target[at] = source[offset]; });
    return absl::OkStatus();
  });
}

absl::Status InferGatherNd(InferContext& ctx) {
  if (ctx.type(1) != DataType::kInt64) return OpError("indices must be int64, got ", NameOf(ctx.type(1)));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0) || !ctx.has_shape(1)) return absl::OkStatus();
  const Shape& data = ctx.shape(0);
  const Shape& indices = ctx.shape(1);
  const int64_t batch = ctx.attributes().Int("batch_dims", 0);
  if (batch < 0 || batch >= static_cast<int64_t>(std::min(data.size(), indices.size()))) {
    return OpError("batch_dims ", batch, " does not fit shapes ", ToString(data), " and ", ToString(indices));
  }
  for (int64_t i = 0; i < batch; ++i) {
    if (data[i] != indices[i]) return OpError(ToString(data), " and ", ToString(indices), " differ in batch axis ", i);
  }
  const int64_t depth = indices.back();
  if (depth < 1 || depth > static_cast<int64_t>(data.size()) - batch) {
    return OpError("index tuples of length ", depth, " do not fit data of shape ", ToString(data));
  }
  Shape shape(indices.begin(), indices.end() - 1);
  shape.insert(shape.end(), data.begin() + batch + depth, data.end());
  return SetCheckedOutput(ctx, 0, ctx.type(0), std::move(shape));
}

absl::Status GatherNd(KernelContext& ctx) {
  const Tensor& data = ctx.input(0);
  const Tensor& indices = ctx.input(1);
  const int64_t batch_dims = ctx.attributes().Int("batch_dims", 0);
  const absl::Span<const int64_t> shape = data.shape();
  const int64_t depth = indices.dim(-1);
  const absl::Span<const int64_t> indexed = shape.subspan(batch_dims, depth);
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> offsets, TupleOffsets(indices, indexed));
  if (ctx.output(0).num_elements() == 0) return absl::OkStatus();
  const int64_t batches = NumElements(shape.subspan(0, batch_dims));
  const int64_t per_batch = static_cast<int64_t>(offsets.size()) / batches;
  const size_t run = NumElements(shape.subspan(batch_dims + depth)) * SizeOf(data.type());
  const size_t batch_bytes = NumElements(indexed) * run;
  const char* source = static_cast<const char*>(data.data());
  char* target = static_cast<char*>(ctx.output(0).data());
  for (int64_t batch = 0; batch < batches; ++batch, source += batch_bytes) {
    for (int64_t i = 0; i < per_batch; ++i, target += run) {
      std::memcpy(target, source + offsets[batch * per_batch + i] * run, run);
    }
  }
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"Gather", 2, 2, InferGather, Gather},
    {"GatherElements", 2, 2, InferGatherElements, GatherElements},
    {"GatherND", 2, 2, InferGatherNd, GatherNd},
};

}  // namespace

absl::Span<const OpDef> GatherOps() { return kOps; }

}  // namespace tandem::engine
