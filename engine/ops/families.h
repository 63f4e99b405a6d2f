// The operator families, one file each: shape inference and reference kernels. registry.cc joins them.
#ifndef TANDEM_ENGINE_OPS_FAMILIES_H_
#define TANDEM_ENGINE_OPS_FAMILIES_H_

#include "absl/types/span.h"
#include "engine/ops/op.h"

namespace tandem::engine {

absl::Span<const OpDef> UnaryOps();
absl::Span<const OpDef> ActivationOps();
absl::Span<const OpDef> BinaryOps();
absl::Span<const OpDef> CompareOps();
absl::Span<const OpDef> VariadicOps();
absl::Span<const OpDef> CastOps();
absl::Span<const OpDef> ReduceOps();
absl::Span<const OpDef> ScanAxisOps();
absl::Span<const OpDef> SoftmaxOps();
absl::Span<const OpDef> LossOps();
absl::Span<const OpDef> NormalizationOps();
absl::Span<const OpDef> LayerNormOps();
absl::Span<const OpDef> PlainNormOps();
absl::Span<const OpDef> QuantizeOps();
absl::Span<const OpDef> IntegerMatmulOps();
absl::Span<const OpDef> IntegerConvOps();
absl::Span<const OpDef> ShapeOps();
absl::Span<const OpDef> GenerateOps();
absl::Span<const OpDef> LayoutOps();
absl::Span<const OpDef> SliceOps();
absl::Span<const OpDef> PadOps();
absl::Span<const OpDef> FoldOps();
absl::Span<const OpDef> GatherOps();
absl::Span<const OpDef> ScatterOps();
absl::Span<const OpDef> SelectOps();
absl::Span<const OpDef> SuppressionOps();
absl::Span<const OpDef> ResizeOps();
absl::Span<const OpDef> SamplingOps();
absl::Span<const OpDef> RoiOps();
absl::Span<const OpDef> ConvOps();
absl::Span<const OpDef> PoolOps();
absl::Span<const OpDef> MatmulOps();
absl::Span<const OpDef> EinsumOps();
absl::Span<const OpDef> RnnOps();
absl::Span<const OpDef> SignalOps();
absl::Span<const OpDef> AttentionOps();
absl::Span<const OpDef> LinearAttentionOps();
absl::Span<const OpDef> LinalgOps();
absl::Span<const OpDef> RandomOps();
absl::Span<const OpDef> FusedOps();
absl::Span<const OpDef> VectorizeOps();

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_FAMILIES_H_
