// Points in time and durations of the server: the steady clock, so that a change of the wall clock ends no request.
//
// Decisions take the time as an argument; only the threads that carry them out read the clock.
#ifndef TANDEM_SERVER_SYNC_TIME_H_
#define TANDEM_SERVER_SYNC_TIME_H_

#include <chrono>
#include <cstdint>

namespace tandem {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline Time Now() { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

}  // namespace tandem

#endif  // TANDEM_SERVER_SYNC_TIME_H_
