// The equation of Einsum: its text parsed into labels, one per dimension of each operand and of the result.
#ifndef TANDEM_ENGINE_OPS_EINSUM_EQUATION_H_
#define TANDEM_ENGINE_OPS_EINSUM_EQUATION_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/tensor.h"

namespace tandem::engine {

// A letter, or kEllipsisLabel + i for the i-th dimension from the right of what an ellipsis stands for.
using EinsumLabel = int64_t;
using EinsumLabels = std::vector<EinsumLabel>;
inline constexpr EinsumLabel kEllipsisLabel = 256;

struct EinsumEquation {
  std::vector<EinsumLabels> terms;  // one an operand
  EinsumLabels output;
  absl::flat_hash_map<EinsumLabel, int64_t> sizes;  // broadcast over the operands
  Shape OutputShape() const;
};

// Errors name the part of `equation` that does not fit `shapes` (one an operand).
absl::StatusOr<EinsumEquation> ParseEinsum(absl::string_view equation, absl::Span<const Shape> shapes);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_EINSUM_EQUATION_H_
