// BoundsOf: an interval for the mean of the losses that a test has seen, valid however often one looks, like its
// verdicts.
#ifndef TANDEM_SERVER_EVIDENCE_BOUNDS_H_
#define TANDEM_SERVER_EVIDENCE_BOUNDS_H_

#include "server/evidence/sequential_test.h"

namespace tandem::evidence {

struct Bounds {
  double lower = 0, upper = 0;
};

// The means that bets against them have not disproved, at `alpha` for both sides together. Only the sums of the losses
// are known here; of losses that are not -1, 0 or 1 the interval is wider than it could be.
Bounds BoundsOf(const SequentialTest& test, double alpha);

}  // namespace tandem::evidence

#endif  // TANDEM_SERVER_EVIDENCE_BOUNDS_H_
