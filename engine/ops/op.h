// What every operator provides: shape inference and a reference kernel.
//
// Operators are seen in their newest ONNX form: the importer has rewritten older ones (axes given as attributes become
// inputs, and so on) and has turned float16 and bfloat16 into float32. Kernels are plain C++ that is right first; they
// serve constant folding, tests, and whatever oneDNN lacks. Post-ops are none of their business: the caller applies
// them.
//
// Both functions are pure: they keep no state and may run on many threads at once.
#ifndef TANDEM_ENGINE_OPS_OP_H_
#define TANDEM_ENGINE_OPS_OP_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/graph.h"
#include "engine/status.h"
#include "engine/tensor.h"

namespace tandem::engine {

// What is known of a value before it is computed.
struct ValueInfo {
  DataType type = DataType::kUndefined;
  std::optional<Shape> shape;  // fully known dimensions, or absent
  Tensor value;                // defined when the contents are known (constants, shape arithmetic)
};

class InferContext {
 public:
  InferContext(const Node& node, absl::Span<const ValueInfo* const> inputs, int num_outputs)
      : node_(node), inputs_(inputs.begin(), inputs.end()), outputs_(num_outputs) {}

  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }

  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  // Whether input `i` exists and is given. The getters below require it.
  bool has_input(int i) const { return i < num_inputs() && inputs_[i] != nullptr; }
  DataType type(int i) const { return inputs_[i]->type; }
  bool has_shape(int i) const { return inputs_[i]->shape.has_value(); }
  const Shape& shape(int i) const { return *inputs_[i]->shape; }
  // Null when the contents are not known yet.
  const Tensor* value(int i) const { return inputs_[i]->value.defined() ? &inputs_[i]->value : nullptr; }

  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  // Types must always be set; a shape is left out only while it depends on contents not known yet, or for outputs whose
  // shape only the kernel can know (NonZero).
  void SetOutput(int i, DataType type, std::optional<Shape> shape) {
    if (i < num_outputs()) outputs_[i] = {type, std::move(shape), {}};
  }
  // For outputs that follow from shapes alone (Shape, Size).
  void SetOutputValue(int i, Tensor value) { outputs_[i] = {value.type(), value.shape(), value}; }
  std::vector<ValueInfo>& outputs() { return outputs_; }

 private:
  const Node& node_;
  std::vector<const ValueInfo*> inputs_;
  std::vector<ValueInfo> outputs_;
};

class KernelContext {
 public:
  // `inputs` holds null for absent ones. `outputs` are allocated where inference gave a shape and undefined elsewhere.
  KernelContext(const Node& node, std::vector<const Tensor*> inputs, std::vector<Tensor> outputs)
      : node_(node), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }
  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  bool has_input(int i) const { return i < num_inputs() && inputs_[i] != nullptr; }
  const Tensor& input(int i) const { return *inputs_[i]; }
  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  // Output `i`, to be written whole: its bytes are not zeroed. Outputs never overlap inputs.
  Tensor& output(int i) { return outputs_[i]; }
  // For outputs whose shape only the kernel knows: makes output `i` and returns it.
  Tensor& AllocateOutput(int i, DataType type, Shape shape) { return outputs_[i] = Tensor(type, std::move(shape)); }
  std::vector<Tensor>& outputs() { return outputs_; }

 private:
  const Node& node_;
  std::vector<const Tensor*> inputs_;
  std::vector<Tensor> outputs_;
};

using InferFunction = absl::Status (*)(InferContext&);
using KernelFunction = absl::Status (*)(KernelContext&);

struct OpDef {
  absl::string_view name;  // as in Node::op
  int min_inputs = 1;
  int max_inputs = 1;  // kVariadic: any number
  InferFunction infer = nullptr;
  KernelFunction kernel = nullptr;
};
inline constexpr int kVariadic = 1 << 30;

// The operator named `name` (Node::op), or null. The list of all families is in registry.cc.
const OpDef* FindOp(absl::string_view name);
// Every operator, in the registry's order.
std::vector<const OpDef*> AllOps();

// --- helpers for inference ---

// INVALID_ARGUMENT built from the pieces. The caller adds which node and op.
template <typename... Parts>
absl::Status OpError(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

// `axis` in [-rank, rank) made non-negative, or an error naming it.
absl::StatusOr<int64_t> NormalizeAxis(int64_t axis, int64_t rank);

// The shape of elementwise operations (NumPy broadcasting), or an error showing both shapes.
absl::StatusOr<Shape> BroadcastShapes(absl::Span<const int64_t> a, absl::Span<const int64_t> b);

// The elements of an int32 or int64 tensor as int64.
absl::StatusOr<std::vector<int64_t>> IntegersOf(const Tensor& tensor);

// Elements a single tensor may have: what hostile shapes are refused at.
inline constexpr int64_t kMaxElements = int64_t{1} << 33;

// Calls `f(T{})` with T the C++ type of `type`, among the types listed. Returns f's status, or UNIMPLEMENTED naming the
// type when it is not listed.
//   return Dispatch<float, double, int64_t>(x.type(), [&](auto t) { using T = decltype(t); ...; return
//   absl::OkStatus(); });
template <typename... Ts, typename F>
absl::Status Dispatch(DataType type, F&& f) {
  absl::Status status = absl::UnimplementedError(absl::StrCat("type ", NameOf(type), " is not supported"));
  (void)((type == DataTypeOf<Ts>() ? (status = f(Ts{}), true) : false) || ...);
  return status;
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_OP_H_
