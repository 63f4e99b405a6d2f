// Two macros that pass an error on, and one that gives it context as it rises.
#ifndef TANDEM_ENGINE_STATUS_H_
#define TANDEM_ENGINE_STATUS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tandem::engine {

// `status` with "context: " before its message; OK stays OK.
inline absl::Status WithContext(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(context, ": ", status.message()));
}

}  // namespace tandem::engine

#define TANDEM_RETURN_IF_ERROR(expression)                    \
  do {                                                        \
    if (absl::Status status_ = (expression); !status_.ok()) { \
      return status_;                                         \
    }                                                         \
  } while (false)

#define TANDEM_CONCAT_INNER(a, b) a##b
#define TANDEM_CONCAT(a, b) TANDEM_CONCAT_INNER(a, b)
// TANDEM_ASSIGN_OR_RETURN(auto x, F()): x is F()'s value, or its error is returned.
#define TANDEM_ASSIGN_OR_RETURN(target, expression) \
  TANDEM_ASSIGN_OR_RETURN_IMPL(TANDEM_CONCAT(status_or_, __LINE__), target, expression)
#define TANDEM_ASSIGN_OR_RETURN_IMPL(temporary, target, expression) \
  auto temporary = (expression);                                    \
  if (!temporary.ok()) return temporary.status();                   \
  target = *std::move(temporary)

#endif  // TANDEM_ENGINE_STATUS_H_
