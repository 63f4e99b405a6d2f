#include "server/resources/memory_budget.h"

#include "absl/strings/str_format.h"

namespace tandem::resources {

absl::Status MemoryBudget::Check(int64_t bytes) const {
  const std::optional<int64_t> limit = limit_();
  if (!limit.has_value()) return absl::OkStatus();
  const int64_t resident = resident_();
  if (resident + bytes <= *limit) return absl::OkStatus();
  const auto megabytes = [](int64_t value) { return static_cast<double>(value) / (1 << 20); };
  return absl::ResourceExhaustedError(
      absl::StrFormat("it needs about %.0f MB, and %.0f of %.0f MB are in use (memory_limit)", megabytes(bytes),
                      megabytes(resident), megabytes(*limit)));
}

}  // namespace tandem::resources
