// Binding: an InferRequest checked against the model it asks for.
//
// What a worker needs of it is here: where the bytes of each input of the model lie, the shapes, and which outputs to
// send. Errors are INVALID_ARGUMENT and name the input or output, what was expected and what was given.
#ifndef TANDEM_SERVER_RPC_BINDING_H_
#define TANDEM_SERVER_RPC_BINDING_H_

#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "engine/model.h"
#include "server/rpc/infer_request.h"
#include "server/rpc/wire_reader.h"

namespace tandem::rpc {

// The values of one input: a range of the request, or decoded here.
struct InputBytes {
  Range raw;
  std::string decoded;
  bool is_raw = true;
};

struct Binding {
  absl::InlinedVector<InputBytes, 2> inputs;  // in the model's order
  absl::InlinedVector<int, 2> outputs;        // indexes of the model's outputs, in the order asked for
  int64_t rows = 1;                           // the batch dimension; 1 unless `shares_batch`
};

// Copies `size` bytes of an input from `offset` on, both within it.
void CopyInput(Blocks blocks, const InputBytes& input, size_t offset, size_t size, char* to);

// `shares_batch`: requests for this model may be joined along dimension 0, which must then be equal in all inputs and
// at least 1. Fills `shapes` (one an input of the model) and `binding`, both empty before.
absl::Status Bind(Blocks blocks, const InferRequest& request, const engine::Model& model, bool shares_batch,
                  std::vector<engine::Shape>& shapes, Binding& binding);

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_BINDING_H_
