// The one list of operator families.

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "engine/ops/families.h"
#include "engine/ops/op.h"

namespace tandem::engine {

std::vector<const OpDef*> AllOps() {
  std::vector<const OpDef*> ops;
  for (absl::Span<const OpDef> family : {
           UnaryOps(),
           ActivationOps(),
           BinaryOps(),
           CompareOps(),
           VariadicOps(),
           CastOps(),
           ReduceOps(),
           ScanAxisOps(),
           SoftmaxOps(),
           LossOps(),
           NormalizationOps(),
           LayerNormOps(),
           PlainNormOps(),
           QuantizeOps(),
           IntegerMatmulOps(),
           IntegerConvOps(),
           ShapeOps(),
           GenerateOps(),
           LayoutOps(),
           SliceOps(),
           PadOps(),
           FoldOps(),
           GatherOps(),
           ScatterOps(),
           SelectOps(),
           SuppressionOps(),
           ResizeOps(),
           SamplingOps(),
           RoiOps(),
           ConvOps(),
           PoolOps(),
           MatmulOps(),
           EinsumOps(),
           RnnOps(),
           SignalOps(),
           AttentionOps(),
           LinearAttentionOps(),
           LinalgOps(),
           RandomOps(),
           FusedOps(),
           FusedOps(),
           VectorizeOps(),
       }) {
    for (const OpDef& op : family) ops.push_back(&op);
  }
  return ops;
}

const OpDef* FindOp(absl::string_view name) {
  static const auto* const index = [] {
    auto* map = new absl::flat_hash_map<absl::string_view, const OpDef*>();
    for (const OpDef* op : AllOps()) map->emplace(op->name, op);
    return map;
  }();
  auto it = index->find(name);
  return it == index->end() ? nullptr : it->second;
}

}  // namespace tandem::engine
