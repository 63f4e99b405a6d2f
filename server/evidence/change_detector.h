// ChangeDetector: raises an alarm when losses that were below a budget have come to be above it.
//
// After a verdict the question is no longer "is it good" but "has it become bad": a test begun once would have to lose
// all it has won first. This one begins anew with every sample: S = (S + 1) (1 + bet (loss - budget)), the sum over all
// starts (an e-detector: Shin, Ramdas and Rinaldo, 2023), again over a grid of bets. With losses at the budget the
// alarm comes after `run_length` samples on average at the earliest; well below, hardly ever. Not thread-safe.
#ifndef TANDEM_SERVER_EVIDENCE_CHANGE_DETECTOR_H_
#define TANDEM_SERVER_EVIDENCE_CHANGE_DETECTOR_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "server/evidence/bets.h"

namespace tandem::evidence {

class ChangeDetector {
 public:
  struct State {
    int64_t samples = 0;
    bool alarm = false;
    PerBet log_next{};  // log(S + 1)
  };

  ChangeDetector(const Claim& claim, double run_length);
  // INVALID_ARGUMENT for a state that no detector comes to.
  static absl::StatusOr<ChangeDetector> Restore(const Claim& claim, double run_length, const State& state);

  void Add(double loss);
  // Begins again, without an alarm.
  void Reset() { state_ = State{}; }

  // Stays once it is raised.
  bool alarm() const { return state_.alarm; }
  int64_t samples() const { return state_.samples; }
  const Claim& claim() const { return claim_; }
  const State& state() const { return state_; }

 private:
  Claim claim_;
  double log_threshold_;
  PerBet bets_;
  State state_;
};

}  // namespace tandem::evidence

#endif  // TANDEM_SERVER_EVIDENCE_CHANGE_DETECTOR_H_
