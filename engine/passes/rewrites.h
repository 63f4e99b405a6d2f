// The rewrites, one a file. Each says what it turns into what.
#ifndef TANDEM_ENGINE_PASSES_REWRITES_H_
#define TANDEM_ENGINE_PASSES_REWRITES_H_

#include <optional>

#include "engine/passes/pass.h"

namespace tandem::engine {

// QLinearConv, ONNX's or ONNX Runtime's, whose scales and zero points are constants -> Conv between DequantizeLinear
// and QuantizeLinear. Like the next four, works before types and shapes are known.
std::optional<Patch> ExpandQLinearConv(const Matcher& matcher, const Node& node);

// QLinearMatMul with constant scales, one in all or one a column -> MatMul between DequantizeLinear and QuantizeLinear.
std::optional<Patch> ExpandQLinearMatMul(const Matcher& matcher, const Node& node);

// ONNX Runtime's QGemm -> Gemm between DequantizeLinear and QuantizeLinear.
std::optional<Patch> ExpandQGemm(const Matcher& matcher, const Node& node);

// ONNX Runtime's QLinearAdd, QLinearMul, QLinearSigmoid, QLinearLeakyRelu, QLinearAveragePool,
// QLinearGlobalAveragePool, QLinearSoftmax and QLinearWhere -> the operator between DequantizeLinear and
// QuantizeLinear.
std::optional<Patch> ExpandQLinear(const Matcher& matcher, const Node& node);

// ONNX Runtime's QLinearConcat -> Concat between DequantizeLinear and QuantizeLinear.
std::optional<Patch> ExpandQLinearConcat(const Matcher& matcher, const Node& node);

// Identity and inference-mode Dropout -> nothing.
std::optional<Patch> RemoveIdentity(const Matcher& matcher, const Node& node);

// Conv or ConvTranspose with constant weights, then BatchNormalization or a multiplication, division, addition or
// subtraction by a constant per channel -> the convolution with other weights and bias.
std::optional<Patch> FoldScaleIntoConv(const Matcher& matcher, const Node& node);

// BatchNormalization, then arithmetic with a constant per channel -> BatchNormalization with other scale and shift.
// Needs the rank.
std::optional<Patch> FoldScaleIntoBatchNormalization(const Matcher& matcher, const Node& node);

// MatMul of a matrix by a constant one, then the addition of a constant row -> Gemm with a bias.
std::optional<Patch> FoldBiasIntoGemm(const Matcher& matcher, const Node& node);

// x * Sigmoid(x) -> Swish; x * HardSigmoid(x) or x * Clip(x + 3, 0, 6) / 6 -> HardSwish;
// Clip(x + 3, 0, 6) / 6 -> HardSigmoid.
std::optional<Patch> RecognizeSwish(const Matcher& matcher, const Node& node);

// x * (1 + Erf(x / sqrt 2)) / 2, in the orders exporters write it -> Gelu.
std::optional<Patch> RecognizeGelu(const Matcher& matcher, const Node& node);

// (x - mean) / sqrt(variance + epsilon) * scale + shift, spelled out over the last dimension -> LayerNormalization.
// Needs the shape.
std::optional<Patch> RecognizeLayerNormalization(const Matcher& matcher, const Node& node);

// Reshape to [N, g, C/g, ...], Transpose of the two, Reshape back -> tandem.ChannelShuffle. Needs shapes.
std::optional<Patch> RecognizeChannelShuffle(const Matcher& matcher, const Node& node);

// MatMulInteger or ConvInteger with unsigned constant weights -> the same with signed ones, zero points 128 lower.
std::optional<Patch> SignIntegerWeights(const Matcher& matcher, const Node& node);

// MatMulInteger or ConvInteger, then a cast to float32 -> tandem.MatMulIntegerToFloat or tandem.ConvIntegerToFloat.
std::optional<Patch> RecognizeIntegerProduct(const Matcher& matcher, const Node& node);

// DequantizeLinear of constants -> a constant that is stored as they are; unsigned ones become signed.
std::optional<Patch> StoreWeights(const Matcher& matcher, const Node& node);

// QuantizeLinear, DequantizeLinear with the same constant parameters -> their input, stored so, signed numbers as
// unsigned ones; where others read that too, or it is an input of the graph, a tandem.Store of it. Needs shapes.
std::optional<Patch> StoreQuantized(const Matcher& matcher, const Node& node);

// An operator that only moves elements, with its input or its result stored -> both stored alike. Needs shapes.
std::optional<Patch> SpreadQuantization(const Matcher& matcher, const Node& node);

// An elementwise node behind an operator that can apply it to its result -> a post-op. Needs shapes.
std::optional<Patch> FusePostOp(const Matcher& matcher, const Node& node);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_PASSES_REWRITES_H_
