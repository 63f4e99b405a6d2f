// Which elementwise operators oneDNN has, alone and as post-ops.
#ifndef TANDEM_ENGINE_COMPILE_ELTWISE_H_
#define TANDEM_ENGINE_COMPILE_ELTWISE_H_

#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "dnnl.hpp"
#include "engine/compile/dnnl_step.h"
#include "engine/graph.h"

namespace tandem::engine {

struct Eltwise {
  dnnl::algorithm algorithm;
  float alpha = 0;
  float beta = 0;
};

// Names of the operators of one operand that EltwiseOf may know.
std::vector<absl::string_view> EltwiseOperators();

// The oneDNN form of a unary node, its constants (Clip's bounds) looked up in `graph`; nothing when there is none.
std::optional<Eltwise> EltwiseOf(const Graph& graph, const Node& node);

// The same for a post-op.
std::optional<Eltwise> EltwiseOf(const PostOp& post_op);

// oneDNN's algorithm for Add, Sub, Mul, Div, Max, Min.
std::optional<dnnl::algorithm> BinaryAlgorithm(absl::string_view op);

// Appends one post-op on real numbers, for a result that lies as `result` (of float32) says, and its operand, if it has
// one, to `arguments`. False when it cannot be a post-op there.
bool AppendPostOp(PlanBuilder& builder, const Node& node, const PostOp& post_op, const dnnl::memory::desc& result,
                  dnnl::post_ops& post_ops, std::vector<DnnlArgument>& arguments);

// Fills `attributes` with node's post-ops, for a result that lies as `result` says, and `arguments` with their
// operands, converted to that layout where they are as large. False when one of them cannot be a post-op there.
bool SetPostOps(PlanBuilder& builder, const Node& node, const dnnl::memory::desc& result,
                dnnl::primitive_attr& attributes, std::vector<DnnlArgument>& arguments);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_ELTWISE_H_
