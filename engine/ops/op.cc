#include "engine/ops/op.h"

namespace tandem::engine {

absl::StatusOr<int64_t> NormalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) return OpError("axis ", axis, " is outside [", -rank, ",", rank, ")");
  return axis < 0 ? axis + rank : axis;
}

absl::StatusOr<Shape> BroadcastShapes(absl::Span<const int64_t> a, absl::Span<const int64_t> b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape out(rank);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t x = i < rank - a.size() ? 1 : a[i - (rank - a.size())];
    const int64_t y = i < rank - b.size() ? 1 : b[i - (rank - b.size())];
    if (x != y && x != 1 && y != 1) return OpError("shapes ", ToString(a), " and ", ToString(b), " do not broadcast");
    out[i] = x == 1 ? y : x;
  }
  return out;
}

absl::StatusOr<std::vector<int64_t>> IntegersOf(const Tensor& tensor) {
  if (tensor.type() == DataType::kInt64) {
    const auto values = tensor.values<int64_t>();
    return std::vector<int64_t>(values.begin(), values.end());
  }
  if (tensor.type() == DataType::kInt32) {
    const auto values = tensor.values<int32_t>();
    return std::vector<int64_t>(values.begin(), values.end());
  }
  return OpError("expected integers (int32 or int64), got ", NameOf(tensor.type()));
}

}  // namespace tandem::engine
