// Running one batch on several cores: whether that pays, and when the server is quiet enough to try. Pure functions of
// what they are given.
//
// A team of threads meets after every step of a plan and is as fast as its slowest member: on cores that are wanted by
// anything else it is slower than a single thread, by far. So a batch goes wide only when nothing else waits or runs,
// and nothing did for a while.
#ifndef TANDEM_SERVER_BATCHING_WIDE_H_
#define TANDEM_SERVER_BATCHING_WIDE_H_

#include <cstdint>

#include "server/batching/decision.h"
#include "server/sync/time.h"

namespace tandem::batching {

// The measured time of a batch of `rows` on one core and on all of a team's.
struct WideCost {
  int64_t rows = 1;
  Duration narrow{0};
  Duration wide{0};
};

// Whether the time saved is worth the cores it takes.
bool PaysWide(const WideCost& cost);

// Whether the batch that `queue` would lead may take a core from a team that runs: what is short does not wait for the
// team, and holds it up for no longer than it takes itself. Everything else waits until the team's cores are free.
bool MayRunBesideWide(const QueueView& queue);

// Remembers for how long the server has been quiet. One lock guards it.
class WideGate {
 public:
  // A request arrived at `now` while another waited or ran: the next may do so too.
  void Crowded(Time now) { since_ = now; }

  // A batch of `cost` has taken `took` in the team. Twice in a row slower than on one core (once may have been the
  // first run of a model) means that others use the cores: it is tried again after a pause that doubles each time.
  void Ran(Time now, Duration took, const WideCost& cost);

  // Whether a batch of `cost` may go wide at `now`: the server has been quiet for much longer than that would take.
  // So of the requests that come unforeseen, few meet a team.
  bool Open(Time now, const WideCost& cost) const;

 private:
  static constexpr Duration kQuiet = std::chrono::seconds(1);
  static constexpr Duration kLongestPause = std::chrono::seconds(64);

  Time since_{};       // the last time the server was not quiet
  bool slow_ = false;  // the last batch was
  Duration pause_ = kQuiet;
};

}  // namespace tandem::batching

#endif  // TANDEM_SERVER_BATCHING_WIDE_H_
