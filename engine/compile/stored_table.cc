#include "engine/compile/stored_table.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/compile/dequantized.h"
#include "engine/compile/post_ops.h"
#include "engine/ops/op.h"
#include "engine/ops/quantize.h"

namespace tandem::engine {

namespace {

constexpr absl::string_view kElementwise[] = {
    "Abs",     "Add",      "Ceil",        "Clip",      "Div", "Elu",   "Erf",       "Exp",
    "Floor",   "Gelu",     "HardSigmoid", "HardSwish", "Log", "Max",   "LeakyRelu", "Min",
    "Mish",    "Mul",      "Neg",         "PRelu",     "Pow", "Relu",  "Round",     "Selu",
    "Sigmoid", "Softplus", "Softsign",    "Sqrt",      "Sub", "Swish", "Tanh",      "ThresholdedRelu"};

bool IsElementwise(const Node& node) {
  return std::find(std::begin(kElementwise), std::end(kElementwise), node.op) != std::end(kElementwise) &&
         node.num_operands == 0 && node.outputs.size() == 1;
}

// Every integer of the type, by its byte.
Tensor AllIntegers(DataType type) {
  Tensor all(type, {256});
  for (int i = 0; i < 256; ++i) static_cast<uint8_t*>(all.data())[i] = static_cast<uint8_t>(i);
  return all;
}

uint8_t Rounded(float real, const Quantization& quantization) {
  const float scaled = real / quantization.scale();
  if (quantization.type == DataType::kUInt8) {
    return Quantizer<uint8_t>(static_cast<uint8_t>(quantization.zero_point()))(scaled);
  }
  return static_cast<uint8_t>(Quantizer<int8_t>(static_cast<int8_t>(quantization.zero_point()))(scaled));
}

}  // namespace

std::optional<kernels::Table> TableOf(const PlanBuilder& builder, const Node& node, ValueId& x) {
  const ValueId y = node.outputs[0];
  const std::optional<Quantization>& to = builder.value(y).quantization;
  if (!IsElementwise(node) || !to.has_value()) return std::nullopt;
  x = kNoValue;
  std::vector<Tensor> inputs;
  for (ValueId input : node.inputs) {
    const Tensor* const constant = builder.graph().ConstantOf(input);
    if (input == kNoValue) {
      inputs.emplace_back();
    } else if (constant != nullptr && constant->num_elements() == 1 && !builder.value(input).quantization.has_value()) {
      inputs.push_back(constant->Reshaped({}));
    } else if (constant == nullptr && x == kNoValue && builder.value(input).quantization.has_value()) {
      const Quantization& from = *builder.value(input).quantization;
      inputs.push_back(Dequantized(AllIntegers(from.type), from));
      x = input;
    } else {
      return std::nullopt;
    }
  }
  if (x == kNoValue || builder.shape(x) != builder.shape(y)) return std::nullopt;
  std::vector<const Tensor*> pointers;
  for (const Tensor& input : inputs) pointers.push_back(input.defined() ? &input : nullptr);
  KernelContext context(node, std::move(pointers), {Tensor(DataType::kFloat32, {256})});
  if (!FindOp(node.op)->kernel(context).ok()) return std::nullopt;
  if (!ApplyPostOps(node, inputs, context.output(0)).ok()) return std::nullopt;
  kernels::Table table;
  const auto values = context.output(0).values<float>();
  std::transform(values.begin(), values.end(), table.begin(), [&](float real) { return Rounded(real, *to); });
  return table;
}

}  // namespace tandem::engine
