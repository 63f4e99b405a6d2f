#include "tandem/client/tensor.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tandem::client {
namespace {

struct Width {
  absl::string_view datatype;
  size_t bytes;
};

constexpr Width kWidths[] = {{"BOOL", 1},   {"INT8", 1},  {"UINT8", 1}, {"INT16", 2}, {"UINT16", 2},
                             {"FP16", 2},   {"BF16", 2},  {"INT32", 4}, {"FP32", 4},  {"UINT32", 4},
                             {"UINT64", 8}, {"INT64", 8}, {"FP64", 8}};

// 0 for what is none of fixed width.
size_t WidthOf(absl::string_view datatype) {
  for (const Width& width : kWidths) {
    if (width.datatype == datatype) return width.bytes;
  }
  return 0;
}

}  // namespace

absl::Status Tensor::Check() const {
  size_t expected = WidthOf(datatype_);
  if (expected == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("tensor \"", name_, "\": datatype \"", datatype_, "\" is none of numbers of a fixed width"));
  }
  const std::string shape = absl::StrCat("[", absl::StrJoin(shape_, ","), "]");
  for (const int64_t dim : shape_) {
    if (dim < 0 || __builtin_mul_overflow(expected, static_cast<size_t>(dim), &expected)) {
      return absl::InvalidArgumentError(absl::StrCat("tensor \"", name_, "\": no tensor has the shape ", shape));
    }
  }
  if (expected == bytes_.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("tensor \"", name_, "\": ", datatype_, " of shape ", shape, " takes ",
                                                 expected, " bytes, got ", bytes_.size()));
}

absl::Status Tensor::OfAnotherType(absl::string_view wanted) const {
  return absl::InvalidArgumentError(
      absl::StrCat("tensor \"", name_, "\" is ", datatype_, " and was asked for as ", wanted));
}

}  // namespace tandem::client
