// What of the machine this process may use, and uses.
#ifndef TANDEM_SERVER_RESOURCES_RESOURCES_H_
#define TANDEM_SERVER_RESOURCES_RESOURCES_H_

#include <cstdint>
#include <optional>

namespace tandem::resources {

// Cores that the scheduler lets this process run on; at least 1.
int CoresByAffinity();

// Threads that are to compute at a time: one for each core, as far as `quota` (cores' worth of time) goes. A part of a
// core gets a whole thread: with less, time that was paid for would be left.
int CoreBudget(int cores, std::optional<double> quota);

// Bytes of this process in memory.
int64_t ResidentBytes();

}  // namespace tandem::resources

#endif  // TANDEM_SERVER_RESOURCES_RESOURCES_H_
