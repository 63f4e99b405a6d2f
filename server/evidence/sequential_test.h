// SequentialTest: decides from one loss after the other whether their mean is below a budget; valid however often one
// looks.
//
//   SequentialTest test({.budget = 0.05}, AlphaOfAttempt(0.05, 1));
//   test.Add(changed ? 1 : 0);
//   if (test.verdict() == Verdict::kProven) ...
//
// Proven is wrong with a probability of at most alpha over all looks together, and so is rejected. A verdict stays;
// more losses only refine the mean. Losses of one test are taken as independent of each other: count an input once. Not
// thread-safe.
#ifndef TANDEM_SERVER_EVIDENCE_SEQUENTIAL_TEST_H_
#define TANDEM_SERVER_EVIDENCE_SEQUENTIAL_TEST_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/evidence/bets.h"

namespace tandem::evidence {

enum class Verdict : uint8_t {
  kUndecided,  // not enough losses yet
  kProven,     // the mean is below the budget
  kRejected,   // it is above
};

inline absl::string_view NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kUndecided:
      return "undecided";
    case Verdict::kProven:
      return "proven";
    case Verdict::kRejected:
      return "rejected";
  }
  return "";
}

// The part of `alpha` that attempt 1, 2, ... may spend, so that all together spend no more than it: a half, a
// quarter...
double AlphaOfAttempt(double alpha, int attempt);

class SequentialTest {
 public:
  // All that changes, for keeping.
  struct State {
    int64_t samples = 0;
    double positive = 0, negative = 0;  // sums of the losses above 0, and of those below as a positive number
    Verdict verdict = Verdict::kUndecided;
    PerBet below{}, above{};  // log-wealth of bets that the mean is below, or above, the budget
  };

  SequentialTest(const Claim& claim, double alpha);
  // INVALID_ARGUMENT for a state that no test of this claim comes to.
  static absl::StatusOr<SequentialTest> Restore(const Claim& claim, double alpha, const State& state);

  void Add(double loss);

  Verdict verdict() const { return state_.verdict; }
  int64_t samples() const { return state_.samples; }
  double mean() const;
  const Claim& claim() const { return claim_; }
  const State& state() const { return state_; }

 private:
  Claim claim_;
  double log_threshold_;
  PerBet bets_below_, bets_above_;
  State state_;
};

}  // namespace tandem::evidence

#endif  // TANDEM_SERVER_EVIDENCE_SEQUENTIAL_TEST_H_
