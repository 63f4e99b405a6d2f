// Linear resizing of stored images.
#include <utility>

#include "engine/compile/dnnl_types.h"
#include "engine/compile/kernel_step.h"
#include "engine/compile/lower_stored.h"
#include "engine/compile/lowering.h"
#include "engine/kernels/resize.h"
#include "engine/ops/resize.h"

namespace tandem::engine {

namespace {

using kernels::LinearTap;

// A constant operand that has elements, or null.
const Tensor* Given(const PlanBuilder& builder, const Node& node, int index) {
  if (index >= node.num_own_inputs()) return nullptr;
  const Tensor* const constant = builder.graph().ConstantOf(node.inputs[index]);
  return constant != nullptr && constant->num_elements() > 0 ? constant : nullptr;
}

// Pairs of neighbours for each position; nothing when a position is made of anything else.
std::optional<std::vector<LinearTap>> PairsOf(const ResampleAxis& axis, const ResampleOptions& options) {
  const Taps taps = MakeTaps(axis, options);
  if (taps.count != 2) return std::nullopt;
  std::vector<LinearTap> pairs;
  for (size_t i = 0; i < taps.outside.size(); ++i) {
    if (taps.outside[i] || taps.weight[2 * i] + taps.weight[2 * i + 1] != 1.0f) return std::nullopt;
    pairs.push_back(
        {static_cast<size_t>(taps.index[2 * i]), static_cast<size_t>(taps.index[2 * i + 1]), taps.weight[2 * i + 1]});
  }
  return pairs;
}

}  // namespace

bool LowerStoredResize(PlanBuilder& builder, const Node& node) {
  if (node.op != "Resize" || !node.post_ops.empty()) return false;
  const ValueId x = node.inputs[0], y = node.outputs[0];
  const Tensor* const scales = Given(builder, node, 2);
  const Tensor* const sizes = Given(builder, node, 3);
  const Shape& from = builder.shape(x);
  const Shape& to = builder.shape(y);
  if (!IsStoredValue(builder, x) || from.size() != 4 || (scales == nullptr) == (sizes == nullptr)) return false;
  const auto options = ResizeOptions(node.attributes);
  const auto axes = ResizeAxes(node.attributes, from, scales, sizes, nullptr);
  if (!options.ok() || !axes.ok() || options->interpolation != Interpolation::kLinear || options->antialias ||
      options->coordinates == CoordinateMode::kCropAndResize || from[0] != to[0] || from[1] != to[1]) {
    return false;
  }
  auto height = PairsOf((*axes)[2], *options), width = PairsOf((*axes)[3], *options);
  if (!height.has_value() || !width.has_value()) return false;
  const Quantization& before = *builder.value(x).quantization;
  const Quantization& after = *builder.value(y).quantization;
  const auto source = ChannelsLast(*DnnlType(before.type), DnnlDims(from));
  const auto result = ChannelsLast(*DnnlType(after.type), DnnlDims(to));
  const auto run = [isa = KernelIsa(), stored = ForKernels(before), wanted = ForKernels(after), from = from, to = to,
                    rows = *std::move(height), columns = *std::move(width)](void* const* at) {
    const auto axis = [&](int i, const std::vector<LinearTap>& taps) {
      return kernels::LinearAxis{static_cast<size_t>(from[i]), static_cast<size_t>(to[i]), taps.data()};
    };
    kernels::ResizeLinear(isa, stored, wanted, axis(2, rows), axis(3, columns), from[0], from[1], Bytes(at[0]),
                          Bytes(at[1]));
  };
  AddKernel(builder, {builder.In(x, source), builder.DefineIn(y, result)}, run, StepName("resize", "bytes", node));
  return true;
}

}  // namespace tandem::engine
