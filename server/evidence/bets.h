// Bets: testing by betting. Whoever claims that a mean is at least `budget` must accept bets against it that are fair
// if the claim is true; from a stake of 1 they then hardly ever make much: more than 1 / alpha, at any time, with a
// probability of alpha at most (Ville's inequality). So much wealth disproves the claim.
//
// No one size of bet is right for all truths; the stake is spread over a grid of sizes (a mixture), which costs little
// wealth: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", 2024.
#ifndef TANDEM_SERVER_EVIDENCE_BETS_H_
#define TANDEM_SERVER_EVIDENCE_BETS_H_

#include <array>
#include <cstddef>

namespace tandem::evidence {

inline constexpr size_t kBets = 24;

// One number for each size of bet.
using PerBet = std::array<double, kBets>;

// What is claimed of losses: that they are below `budget` on average. Each lies in [low, high].
struct Claim {
  double budget = 0.05;
  double low = 0;
  double high = 1;

  friend bool operator==(const Claim&, const Claim&) = default;
};

// `loss` as far as it is within the bounds; what is no number is the worst.
double Bounded(double loss, const Claim& claim);

// A geometric grid from 0.001 to 0.95 of the largest bet that cannot go broke when a sample may be `most` on the wrong
// side of what was bet on.
PerBet BetSizes(double most);

// log(mean(exp(logs))), without overflow.
double LogMean(const PerBet& logs);

}  // namespace tandem::evidence

#endif  // TANDEM_SERVER_EVIDENCE_BETS_H_
