// TANDEM_CHECK: for our own bugs only, never for input. A failed check prints the condition and ends the process.
#ifndef TANDEM_ENGINE_CHECK_H_
#define TANDEM_ENGINE_CHECK_H_

#include "absl/strings/string_view.h"

namespace tandem::engine {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, absl::string_view detail);
}  // namespace tandem::engine

#define TANDEM_CHECK(condition, detail)                                      \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::tandem::engine::CheckFailed(__FILE__, __LINE__, #condition, detail); \
  } while (false)

#endif  // TANDEM_ENGINE_CHECK_H_
