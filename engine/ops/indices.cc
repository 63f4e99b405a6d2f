#include "engine/ops/indices.h"

namespace tandem::engine {

absl::Status CheckIndexType(DataType type) {
  if (type == DataType::kInt32 || type == DataType::kInt64) return absl::OkStatus();
  return OpError("indices must be int32 or int64, got ", NameOf(type));
}

absl::StatusOr<std::vector<int64_t>> IndicesWithin(const Tensor& indices, int64_t length) {
  TANDEM_ASSIGN_OR_RETURN(std::vector<int64_t> values, IntegersOf(indices));
  for (int64_t& value : values) {
    if (value < -length || value >= length) {
      return OpError("index ", value, " is outside [", -length, ",", length, ")");
    }
    if (value < 0) value += length;
  }
  return values;
}

absl::StatusOr<std::vector<int64_t>> TupleOffsets(const Tensor& indices, absl::Span<const int64_t> shape) {
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> values, IntegersOf(indices));
  const Shape strides = RowMajorStrides(shape);
  std::vector<int64_t> offsets(values.size() / shape.size());
  const int64_t* value = values.data();
  for (int64_t& offset : offsets) {
    for (size_t i = 0; i < shape.size(); ++i, ++value) {
      if (*value < -shape[i] || *value >= shape[i]) {
        return OpError("index ", *value, " is outside [", -shape[i], ",", shape[i], ") of indexed axis ", i);
      }
      offset += (*value < 0 ? *value + shape[i] : *value) * strides[i];
    }
  }
  return offsets;
}

absl::Status CheckElementwiseIndices(absl::Span<const int64_t> data, absl::Span<const int64_t> indices, int64_t axis) {
  TANDEM_ASSIGN_OR_RETURN(const int64_t along, NormalizeAxis(axis, static_cast<int64_t>(data.size())));
  bool fits = data.size() == indices.size();
  for (size_t i = 0; fits && i < data.size(); ++i) {
    fits = static_cast<int64_t>(i) == along || indices[i] <= data[i];
  }
  if (fits) return absl::OkStatus();
  return OpError("indices of shape ", ToString(indices), " do not fit data of shape ", ToString(data), " on axis ",
                 along);
}

}  // namespace tandem::engine
