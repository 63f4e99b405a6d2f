#include "engine/passes/pipelines.h"

#include "engine/passes/pass.h"
#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

constexpr Pass kImportedPasses[] = {
    {"expand QLinearConv", ExpandQLinearConv},
    {"expand QLinearMatMul", ExpandQLinearMatMul},
    {"expand QGemm", ExpandQGemm},
    {"expand QLinear operators", ExpandQLinear},
    {"expand QLinearConcat", ExpandQLinearConcat},
};

constexpr Pass kModelPasses[] = {
    {"remove identity", RemoveIdentity},
    {"recognize swish", RecognizeSwish},
    {"recognize gelu", RecognizeGelu},
    {"recognize layer normalization", RecognizeLayerNormalization},
    {"fold scale into convolution", FoldScaleIntoConv},
    {"fold scale into batch normalization", FoldScaleIntoBatchNormalization},
    {"fold bias into gemm", FoldBiasIntoGemm},
    {"store weights", StoreWeights},
    {"sign integer weights", SignIntegerWeights},
};

constexpr Pass kPlanPasses[] = {
    {"remove identity", RemoveIdentity},
    {"store weights", StoreWeights},
    {"store quantized", StoreQuantized},
    {"spread quantization", SpreadQuantization},
    {"recognize layer normalization", RecognizeLayerNormalization},
    {"fold scale into batch normalization", FoldScaleIntoBatchNormalization},
    {"recognize channel shuffle", RecognizeChannelShuffle},
    {"sign integer weights", SignIntegerWeights},
    {"recognize integer product", RecognizeIntegerProduct},
    {"fuse post-op", FusePostOp},
};

}  // namespace

absl::Status ExpandOperators(Graph& graph) { return RunPasses(graph, kImportedPasses); }

absl::Status OptimizeModel(Graph& graph) { return RunPasses(graph, kModelPasses); }

absl::Status OptimizePlan(Graph& graph) { return RunPasses(graph, kPlanPasses); }

}  // namespace tandem::engine
