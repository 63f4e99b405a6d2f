#include "engine/compile/eltwise.h"

#include "engine/compile/dnnl_types.h"
#include "engine/compile/lowering.h"
#include "engine/post_op.h"

namespace tandem::engine {

namespace {

using dnnl::algorithm;

struct Entry {
  absl::string_view op;
  algorithm kind;
};
// Operators whose parameters, if any, are those of the PostOp in oneDNN's order.
constexpr Entry kEntries[] = {
    {"Abs", algorithm::eltwise_abs},          {"Elu", algorithm::eltwise_elu},
    {"Exp", algorithm::eltwise_exp},          {"HardSigmoid", algorithm::eltwise_hardsigmoid},
    {"LeakyRelu", algorithm::eltwise_relu},   {"Log", algorithm::eltwise_log},
    {"Mish", algorithm::eltwise_mish},        {"Relu", algorithm::eltwise_relu},
    {"Sigmoid", algorithm::eltwise_logistic}, {"Sqrt", algorithm::eltwise_sqrt},
    {"Swish", algorithm::eltwise_swish},      {"Tanh", algorithm::eltwise_tanh},
};

const Entry* FindEntry(absl::string_view op) {
  for (const Entry& entry : kEntries) {
    if (entry.op == op) return &entry;
  }
  return nullptr;
}

}  // namespace

std::vector<absl::string_view> EltwiseOperators() {
  std::vector<absl::string_view> names = {"Clip", "Gelu", "HardSwish"};
  for (const Entry& entry : kEntries) names.push_back(entry.op);
  return names;
}

std::optional<Eltwise> EltwiseOf(const PostOp& post_op) {
  if (post_op.op == "Clip") return Eltwise{algorithm::eltwise_clip, post_op.alpha, post_op.beta};
  if (post_op.op == "HardSwish") return Eltwise{algorithm::eltwise_hardswish, 1.0f / 6, 0.5f};
  if (post_op.op == "Gelu") return Eltwise{algorithm::eltwise_gelu_erf, 0, 0};
  const Entry* entry = FindEntry(post_op.op);
  if (entry == nullptr) return std::nullopt;
  return Eltwise{entry->kind, post_op.alpha, post_op.beta};
}

std::optional<Eltwise> EltwiseOf(const Graph& graph, const Node& node) {
  if (node.op == "Gelu" && node.attributes.String("approximate", "none") == "tanh") {
    return Eltwise{algorithm::eltwise_gelu_tanh, 0, 0};
  }
  const std::optional<PostOp> post_op = AsPostOp(graph, node);
  return post_op.has_value() ? EltwiseOf(*post_op) : std::nullopt;
}

std::optional<algorithm> BinaryAlgorithm(absl::string_view op) {
  if (op == "Add" || op == "Sum") return algorithm::binary_add;
  if (op == "Sub") return algorithm::binary_sub;
  if (op == "Mul") return algorithm::binary_mul;
  if (op == "Div") return algorithm::binary_div;
  if (op == "Max") return algorithm::binary_max;
  if (op == "Min") return algorithm::binary_min;
  return std::nullopt;
}

namespace {

// The operand of a binary post-op, in the result's layout when it is as large, else row-major and stretched.
bool BindOperand(PlanBuilder& builder, ValueId operand, const dnnl::memory::desc& result, DnnlArgument& argument) {
  if (!IsDnnlFloat(builder, operand)) return false;
  const dnnl::memory::dims to = result.get_dims();
  absl::Span<const int64_t> shape = builder.shape(operand);
  if (DnnlDims(shape) == to) {
    argument.desc = result;
    argument.buffer = builder.In(operand, result);
    return true;
  }
  argument.buffer = builder.Dense(operand);
  const bool rows = SameLayout(result, RowMajor(dnnl::memory::data_type::f32, to));
  if (rows && NumElements(shape) == NumElements(to)) {  // a product of flattened rows
    argument.desc = result;
    return true;
  }
  while (shape.size() > to.size() && shape[0] == 1) shape.remove_prefix(1);
  if (shape.size() > to.size()) return false;
  dnnl::memory::dims dims(to.size() - shape.size(), 1);
  dims.insert(dims.end(), shape.begin(), shape.end());
  argument.desc = RowMajor(dnnl::memory::data_type::f32, dims);
  return true;
}

}  // namespace

bool AppendPostOp(PlanBuilder& builder, const Node& node, const PostOp& post_op, const dnnl::memory::desc& result,
                  dnnl::post_ops& post_ops, std::vector<DnnlArgument>& arguments) {
  if (post_op.op == "tandem.RoundTo") {
    post_ops.append_eltwise(algorithm::eltwise_linear, 1 / post_op.alpha, 0);
    post_ops.append_eltwise(algorithm::eltwise_round, 0, 0);
    post_ops.append_eltwise(algorithm::eltwise_linear, post_op.alpha, 0);
    return true;
  }
  if (post_op.operand < 0) {
    const std::optional<Eltwise> eltwise = EltwiseOf(post_op);
    if (!eltwise.has_value()) return false;
    post_ops.append_eltwise(eltwise->algorithm, eltwise->alpha, eltwise->beta);
    return true;
  }
  const std::optional<algorithm> kind = BinaryAlgorithm(post_op.op);
  DnnlArgument argument;
  argument.name = DNNL_ARG_ATTR_MULTIPLE_POST_OP(post_ops.len()) | DNNL_ARG_SRC_1;
  if (!kind.has_value() || post_op.swapped) return false;
  if (!BindOperand(builder, node.inputs[post_op.operand], result, argument)) return false;
  post_ops.append_binary(*kind, argument.desc);
  arguments.push_back(std::move(argument));
  return true;
}

bool SetPostOps(PlanBuilder& builder, const Node& node, const dnnl::memory::desc& result,
                dnnl::primitive_attr& attributes, std::vector<DnnlArgument>& arguments) {
  dnnl::post_ops post_ops;
  for (const PostOp& post_op : node.post_ops) {
    if (!AppendPostOp(builder, node, post_op, result, post_ops, arguments)) return false;
  }
  attributes.set_post_ops(post_ops);
  return true;
}

}  // namespace tandem::engine
