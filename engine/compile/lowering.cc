#include "engine/compile/lowering.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/compile/eltwise.h"

namespace tandem::engine {

namespace {

using Table = absl::flat_hash_map<std::string, LowerFunction>;

const Table& Lowerings() {
  static const auto* const table = [] {
    auto* lowerings = new Table{
        {"Add", LowerBinary},
        {"AveragePool", LowerPool},
        {"BatchNormalization", LowerBatchNormalization},
        {"Concat", LowerConcat},
        {"Conv", LowerConv},
        {"ConvInteger", LowerConvInteger},
        {"ConvTranspose", LowerConvTranspose},
        {"Div", LowerBinary},
        {"Dropout", LowerView},
        {"DynamicQuantizeLinear", LowerDynamicQuantizeLinear},
        {"Flatten", LowerView},
        {"Gemm", LowerGemm},
        {"GlobalAveragePool", LowerGlobalPool},
        {"GlobalMaxPool", LowerGlobalPool},
        {"Identity", LowerView},
        {"LRN", LowerLrn},
        {"LayerNormalization", LowerLayerNormalization},
        {"LogSoftmax", LowerSoftmax},
        {"MatMul", LowerMatMul},
        {"MatMulInteger", LowerMatMulInteger},
        {"MaxPool", LowerPool},
        {"Mul", LowerBinary},
        {"ReduceMax", LowerReduce},
        {"ReduceMean", LowerReduce},
        {"ReduceSum", LowerReduce},
        {"Reshape", LowerView},
        {"Resize", LowerResize},
        {"Slice", LowerSlice},
        {"Softmax", LowerSoftmax},
        {"Split", LowerSplit},
        {"Squeeze", LowerView},
        {"Sub", LowerBinary},
        {"Sum", LowerBinary},
        {"Transpose", LowerTranspose},
        {"Unsqueeze", LowerView},
        {"tandem.ChannelShuffle", LowerChannelShuffle},
        {"tandem.ConvIntegerToFloat", LowerConvInteger},
        {"tandem.MatMulIntegerToFloat", LowerMatMulInteger},
        {"tandem.Store", LowerStore},
    };
    for (absl::string_view op : EltwiseOperators()) lowerings->emplace(op, LowerEltwise);
    return lowerings;
  }();
  return *table;
}

}  // namespace

bool Lower(PlanBuilder& builder, const Node& node) {
  const auto it = Lowerings().find(node.op);
  try {
    if (LowerStored(builder, node)) return true;
    return it != Lowerings().end() && it->second(builder, node);
  } catch (const dnnl::error&) {
    return false;
  }
}

const Tensor* RealConstant(const PlanBuilder& builder, ValueId id) {
  const Tensor* const constant = builder.graph().ConstantOf(id);
  return constant != nullptr && constant->type() == DataType::kFloat32 ? constant : nullptr;
}

bool IsDnnlFloat(const PlanBuilder& builder, ValueId id) {
  return builder.value(id).type == DataType::kFloat32 && builder.FitsDnnl(id);
}

bool IsReferenceKernel(const char* impl_info) { return absl::StartsWith(impl_info, "ref"); }

std::string StepName(const char* kind, const char* impl_info, const Node& node) {
  std::string name = absl::StrCat(kind, " ", impl_info, " ", Describe(node));
  for (const PostOp& post_op : node.post_ops) absl::StrAppend(&name, " +", post_op.op);
  return name;
}

}  // namespace tandem::engine
