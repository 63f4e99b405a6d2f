#include <vector>

#include "engine/passes/expansion.h"
#include "engine/passes/rewrites.h"

namespace tandem::engine {

namespace {

// An operator whose quantized operands and parameters of the result follow each other: value, scale, zero point.
struct Form {
  absl::string_view name;
  absl::string_view real;  // the operator on real numbers
  int plain;               // leading inputs that are not quantized
  int operands;            // quantized ones behind them; then the scale and the zero point of the result
};
constexpr Form kForms[] = {
    {"com.microsoft.QLinearAdd", "Add", 0, 2},
    {"com.microsoft.QLinearMul", "Mul", 0, 2},
    {"com.microsoft.QLinearSigmoid", "Sigmoid", 0, 1},
    {"com.microsoft.QLinearLeakyRelu", "LeakyRelu", 0, 1},
    {"com.microsoft.QLinearAveragePool", "AveragePool", 0, 1},
    {"com.microsoft.QLinearGlobalAveragePool", "GlobalAveragePool", 0, 1},
    {"com.microsoft.QLinearSoftmax", "Softmax", 0, 1},
    {"com.microsoft.QLinearWhere", "Where", 1, 2},
};

const Form* FormOf(absl::string_view op) {
  for (const Form& form : kForms) {
    if (form.name == op) return &form;
  }
  return nullptr;
}

// What the operator on real numbers is told.
Attributes AttributesFor(const Form& form, const Node& node) {
  Attributes attributes = node.attributes;
  if (form.real != "Softmax") return attributes;
  // As the importer treats the Softmax of that operator set.
  if (attributes.Int("opset", 13) < 13) attributes.Set("coerce_2d", int64_t{1});
  attributes.Erase("opset");
  return attributes;
}

}  // namespace

std::optional<Patch> ExpandQLinear(const Matcher& matcher, const Node& node) {
  const Form* form = FormOf(node.op);
  if (form == nullptr || !HasOneOutput(node)) return std::nullopt;
  const size_t result = form->plain + 3 * form->operands;
  if (node.inputs.size() != result + 2) return std::nullopt;
  std::vector<QuantizedValue> operands;
  for (size_t at = form->plain; at < result; at += 3) {
    const std::optional<QuantizedValue> operand = QuantizedInput(node, at);
    if (!operand.has_value()) return std::nullopt;
    operands.push_back(*operand);
  }
  Expansion expansion(matcher, node);
  std::vector<ValueId> inputs(node.inputs.begin(), node.inputs.begin() + form->plain);
  for (const QuantizedValue& operand : operands) inputs.push_back(expansion.Dequantize(operand));
  const ValueId real = expansion.Compute(form->real, std::move(inputs), AttributesFor(*form, node));
  return std::move(expansion).Quantized(real, node.inputs[result], node.inputs[result + 1]);
}

std::optional<Patch> ExpandQLinearConcat(const Matcher& matcher, const Node& node) {
  if (node.op != "com.microsoft.QLinearConcat" || node.inputs.size() < 5 || !HasOneOutput(node)) return std::nullopt;
  if (node.inputs[1] == kNoValue) return std::nullopt;
  // The parameters of the result come first.
  std::vector<QuantizedValue> operands;
  for (size_t at = 2; at < node.inputs.size(); at += 3) {
    const std::optional<QuantizedValue> operand = QuantizedInput(node, at);
    if (!operand.has_value()) return std::nullopt;
    operands.push_back(*operand);
  }
  Expansion expansion(matcher, node);
  std::vector<ValueId> inputs;
  for (const QuantizedValue& operand : operands) inputs.push_back(expansion.Dequantize(operand));
  const ValueId real = expansion.Compute("Concat", std::move(inputs), node.attributes);
  return std::move(expansion).Quantized(real, node.inputs[0], node.inputs[1]);
}

}  // namespace tandem::engine
