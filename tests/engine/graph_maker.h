// Engine graphs for tests of passes and of the compiler, and two ways to compute them: by reference kernels, one node
// after the other, and as a plan.
//
//   GraphMaker maker;
//   const ValueId x = maker.Input({1, 3, 8, 8});
//   maker.Output(maker.Op("Relu", {x}));
//   ExpectPlanAgrees(maker.graph);
#ifndef TANDEM_TESTS_ENGINE_GRAPH_MAKER_H_
#define TANDEM_TESTS_ENGINE_GRAPH_MAKER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph.h"
#include "engine/passes/pass.h"

namespace tandem::engine {

// Values between -2 and 2, always the same for the same seed.
Tensor RandomFloats(const Shape& shape, uint32_t seed);

class GraphMaker {
 public:
  ValueId Input(const Shape& shape, DataType type = DataType::kFloat32);
  // An input of which not even the rank is known.
  ValueId OpenInput();
  ValueId Constant(Tensor tensor) { return graph.AddConstant("", std::move(tensor)); }
  ValueId Weights(const Shape& shape) { return Constant(RandomFloats(shape, ++seed_)); }
  ValueId Scalar(float value) { return Constant(Tensor::Scalar<float>(value)); }
  ValueId Ints(std::vector<int64_t> values);
  // A node with one output; its shape is inferred where those of the inputs are known. Fails the test when it cannot
  // be.
  ValueId Op(const std::string& op, std::vector<ValueId> inputs, const Attributes& attributes = {});
  // The same with `count` outputs.
  std::vector<ValueId> Ops(const std::string& op, std::vector<ValueId> inputs, int count,
                           const Attributes& attributes = {});
  void Output(ValueId id) { graph.AddOutput(id); }

  Graph graph;

 private:
  uint32_t seed_ = 100;
};

// Attributes in one expression: With("axis", int64_t{1}).And("keepdims", int64_t{0}).
class With : public Attributes {
 public:
  With(absl::string_view name, Attribute value) { Set(name, std::move(value)); }
  With& And(absl::string_view name, Attribute value) {
    Set(name, std::move(value));
    return *this;
  }
};
using IntList = std::vector<int64_t>;

// The outputs of `graph` by reference kernels (post-ops and roundings to quantizations included; no control flow).
absl::StatusOr<std::vector<Tensor>> Evaluate(const Graph& graph, const std::vector<Tensor>& inputs);
// The same by a plan compiled for the inputs' shapes.
absl::StatusOr<std::vector<Tensor>> RunPlan(const Graph& graph, const std::vector<Tensor>& inputs, int threads = 1);
// What the plan's steps say of themselves.
std::vector<std::string> StepsOf(const Graph& graph);

// Random inputs for a graph whose input shapes are known.
std::vector<Tensor> InputsOf(const Graph& graph);
// Shapes equal, floats within `tolerance` of the largest magnitude.
void ExpectClose(const Tensor& actual, const Tensor& expected, double tolerance);
// 2e-5 of the largest magnitude: the same products summed in another order in float32.
inline constexpr double kReordered = 2e-5;
void ExpectPlanAgrees(const Graph& graph, double tolerance = kReordered);

// The operators of `graph`, in topological order, with post-ops: "Conv+Relu".
std::vector<std::string> OpsOf(const Graph& graph);
// `graph` after `rewrite` alone. Fails the test when the graph is broken then or computes anything else.
Graph Rewritten(const Graph& graph, Rewrite rewrite, double tolerance = kReordered);

}  // namespace tandem::engine

#endif  // TANDEM_TESTS_ENGINE_GRAPH_MAKER_H_
