#include "tandem/client/inference.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace tandem::client {

const Tensor* InferResult::Find(absl::string_view output) const {
  const auto found =
      std::find_if(outputs.begin(), outputs.end(), [&](const Tensor& tensor) { return tensor.name() == output; });
  return found == outputs.end() ? nullptr : &*found;
}

absl::Status InferResult::NoSuchOutput(absl::string_view output) const {
  return absl::NotFoundError(absl::StrCat("the answer of \"", model, "\" has no output \"", output, "\""));
}

}  // namespace tandem::client
