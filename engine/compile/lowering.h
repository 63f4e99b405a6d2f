// Lowering: nodes -> oneDNN steps. One file a family; lowering.cc has the list of which operator goes where.
#ifndef TANDEM_ENGINE_COMPILE_LOWERING_H_
#define TANDEM_ENGINE_COMPILE_LOWERING_H_

#include "engine/compile/plan_builder.h"
#include "engine/graph.h"

namespace tandem::engine {

// Appends steps for `node` and defines its outputs, or returns false and has defined nothing: then the reference kernel
// takes it. May throw dnnl::error where oneDNN refuses, which means false too.
using LowerFunction = bool (*)(PlanBuilder& builder, const Node& node);

// The family functions. Shapes of all inputs and outputs are known.
bool LowerBatchNormalization(PlanBuilder& builder, const Node& node);
bool LowerBinary(PlanBuilder& builder, const Node& node);
bool LowerChannelShuffle(PlanBuilder& builder, const Node& node);
bool LowerConcat(PlanBuilder& builder, const Node& node);
bool LowerConv(PlanBuilder& builder, const Node& node);
bool LowerConvInteger(PlanBuilder& builder, const Node& node);
bool LowerConvTranspose(PlanBuilder& builder, const Node& node);
bool LowerDynamicQuantizeLinear(PlanBuilder& builder, const Node& node);
bool LowerEltwise(PlanBuilder& builder, const Node& node);
bool LowerGemm(PlanBuilder& builder, const Node& node);
bool LowerGlobalPool(PlanBuilder& builder, const Node& node);
bool LowerLayerNormalization(PlanBuilder& builder, const Node& node);
bool LowerLrn(PlanBuilder& builder, const Node& node);
bool LowerMatMul(PlanBuilder& builder, const Node& node);
bool LowerMatMulInteger(PlanBuilder& builder, const Node& node);
bool LowerPool(PlanBuilder& builder, const Node& node);
bool LowerReduce(PlanBuilder& builder, const Node& node);
bool LowerResize(PlanBuilder& builder, const Node& node);
bool LowerSlice(PlanBuilder& builder, const Node& node);
bool LowerSoftmax(PlanBuilder& builder, const Node& node);
bool LowerStore(PlanBuilder& builder, const Node& node);
bool LowerSplit(PlanBuilder& builder, const Node& node);
bool LowerTranspose(PlanBuilder& builder, const Node& node);
bool LowerView(PlanBuilder& builder, const Node& node);  // Reshape and its kin

// Lowers `node` to a kernel of our own where it reads and makes values that are stored as integers.
bool LowerStored(PlanBuilder& builder, const Node& node);

// Lowers `node` by its family when there is one; false when the reference kernel must take it.
bool Lower(PlanBuilder& builder, const Node& node);

// Whether value `id` is a float32 that oneDNN can hold.
bool IsDnnlFloat(const PlanBuilder& builder, ValueId id);

// The constant of type float32 that `id` is, or null.
const Tensor* RealConstant(const PlanBuilder& builder, ValueId id);

// Whether oneDNN's choice of kernel is its plain reference, slower than ours.
bool IsReferenceKernel(const char* impl_info);

// "convolution jit:avx512_core Conv 'name'".
std::string StepName(const char* kind, const char* impl_info, const Node& node);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_LOWERING_H_
