// MemoryBudget: whether there is room for more, by what this process holds now and may hold. Thread-safe.
#ifndef TANDEM_SERVER_RESOURCES_MEMORY_BUDGET_H_
#define TANDEM_SERVER_RESOURCES_MEMORY_BUDGET_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/status.h"

namespace tandem::resources {

class MemoryBudget {
 public:
  // `limit` is asked each time; unset means none. `resident`: what is held now.
  MemoryBudget(std::function<std::optional<int64_t>()> limit, std::function<int64_t()> resident)
      : limit_(std::move(limit)), resident_(std::move(resident)) {}

  // RESOURCE_EXHAUSTED, with the numbers, when `bytes` more would pass the limit.
  absl::Status Check(int64_t bytes) const;

 private:
  const std::function<std::optional<int64_t>()> limit_;
  const std::function<int64_t()> resident_;
};

}  // namespace tandem::resources

#endif  // TANDEM_SERVER_RESOURCES_MEMORY_BUDGET_H_
