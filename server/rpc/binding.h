// Binding: an InferRequest checked against the model it asks for.
//
// What a worker needs of it is here: where the bytes of each input of the model lie, the shapes, and which outputs go
// where. Errors are INVALID_ARGUMENT and name the input or output, what was expected and what was given.
#ifndef TANDEM_SERVER_RPC_BINDING_H_
#define TANDEM_SERVER_RPC_BINDING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "engine/model.h"
#include "server/rpc/infer_request.h"
#include "server/rpc/wire_reader.h"
#include "server/shared_memory/regions.h"

namespace tandem::rpc {

// The values of one input: in shared memory, a range of the request, or decoded here.
struct InputBytes {
  shared_memory::RegionHandle region;  // if set, they are there,
  uint64_t region_offset = 0;          // from there
  Range raw;
  std::string decoded;
  bool is_raw = true;
};

// An output to send, or to write into shared memory.
struct BoundOutput {
  int index = 0;                       // in the model
  shared_memory::RegionHandle region;  // if set, it is written there,
  uint64_t region_offset = 0;          // from there,
  uint64_t region_bytes = 0;           // this many bytes at most
};

struct Binding {
  absl::InlinedVector<InputBytes, 2> inputs;    // in the model's order
  absl::InlinedVector<BoundOutput, 2> outputs;  // in the order asked for
  int64_t rows = 1;                             // the batch dimension; 1 unless `shares_batch`
};

// Copies `size` bytes of an input that is not in shared memory from `offset` on, both within it.
void CopyInput(Blocks blocks, const InputBytes& input, size_t offset, size_t size, char* to);

// `shares_batch`: requests for this model may be joined along dimension 0, which must then be equal in all inputs and
// at least 1. `regions`: the shared memory that tensors may be in; null: none may. Fills `shapes` (one an input of the
// model) and `binding`, both empty before.
absl::Status Bind(Blocks blocks, const InferRequest& request, const engine::Model& model, bool shares_batch,
                  const shared_memory::Regions* regions, std::vector<engine::Shape>& shapes, Binding& binding);

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_BINDING_H_
