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

// The same moment by the wall clock, for libraries that wait by that.
inline std::chrono::system_clock::time_point WallTime(Time time) {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(time - Now());
}

}  // namespace tandem

#endif  // TANDEM_SERVER_SYNC_TIME_H_
