// Model: one trained model, imported and optimized, ready to be run by sessions.
//
// Immutable after Load and safe to share between threads; sessions keep it alive by shared_ptr. It owns the graph, the
// packed weights and the compiled plans, which all its sessions share.
#ifndef TANDEM_ENGINE_MODEL_H_
#define TANDEM_ENGINE_MODEL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/tensor.h"

namespace tandem::engine {

// One input or output as clients see it.
struct TensorSpec {
  std::string name;
  DataType type = DataType::kUndefined;
  Shape shape;                         // kUnknownDim for free dimensions
  bool has_rank = true;                // false: even the number of dimensions is free; shape is empty
  std::vector<std::string> dim_names;  // the symbol of each free dimension where the file gives one, else ""
};

struct ModelOptions {
  // Plans (one a signature of input shapes and thread count) kept compiled, least recently used out first.
  int max_plans = 32;
  // A model that fixes the first dimension of every input and output to 1 is made to take any. That this is its batch,
  // and that rows do not touch, is a guess: whoever asks for it proves it on data.
  bool free_batch = false;
};

class Model {
 public:
  // Reads an ONNX file (and the external data beside it). Errors name the file and the node or tensor at fault.
  static absl::StatusOr<std::shared_ptr<const Model>> Load(const std::string& path, const ModelOptions& options = {});

  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const std::vector<TensorSpec>& inputs() const;
  const std::vector<TensorSpec>& outputs() const;
  // Every input and output has a free first dimension, the same for all where they are named: requests may be
  // concatenated along it. (The server proves it on data before it relies on it.)
  bool batch_is_free() const;
  // It is because ModelOptions::free_batch asked for it: the file says otherwise.
  bool batch_was_freed() const;
  // Some of it computes with quantized values: the file says so by QuantizeLinear and its kin.
  bool quantized() const;
  // Bytes of weights held in memory.
  size_t weight_bytes() const;

 private:
  friend class Session;
  struct State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// INVALID_ARGUMENT naming the input, what was expected and what came, unless `shapes` (one an input, in order) fit the
// model's inputs.
absl::Status CheckInputShapes(const Model& model, absl::Span<const Shape> shapes);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_MODEL_H_
