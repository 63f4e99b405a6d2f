#include "engine/quantize/search.h"

#include <algorithm>
#include <utility>

#include "engine/status.h"

namespace tandem::engine {

namespace {

// Taking layers back one by one costs an evaluation each.
constexpr size_t kMostRetries = 24;

// A layer that makes less of the noise is not worth its time.
constexpr double kLeastNoiseShare = 0.03;

struct Ranked {
  size_t layer;
  double saved_us;  // what int8 saves there
  double noise;     // what it costs
  double worth() const { return noise / saved_us; }
};

std::vector<Ranked> Rank(const SearchProblem& problem) {
  std::vector<Ranked> ranking;
  for (size_t i = 0; i < problem.int8.size(); ++i) {
    if (problem.int8[i]) ranking.push_back({i, std::max(problem.saved_us[i], 1.0), problem.noise[i]});
  }
  std::stable_sort(ranking.begin(), ranking.end(),
                   [](const Ranked& a, const Ranked& b) { return a.worth() > b.worth(); });
  return ranking;
}

double NoiseOf(const SearchProblem& problem, const std::vector<bool>& int8) {
  double noise = 0;
  for (size_t i = 0; i < int8.size(); ++i) noise += int8[i] ? problem.noise[i] : 0;
  return noise;
}

double GainOf(const std::vector<Ranked>& ranking) {
  double gain = 0;
  for (const Ranked& ranked : ranking) gain += ranked.saved_us;
  return gain;
}

// The layers of the ranking that make much of the noise, as many as `budget_us` pays for, in fp32.
std::vector<bool> LeaveNoisiest(const SearchProblem& problem, const std::vector<Ranked>& ranking, double budget_us) {
  const double least = kLeastNoiseShare * NoiseOf(problem, problem.int8);
  std::vector<bool> int8 = problem.int8;
  for (const Ranked& ranked : ranking) {
    if (ranked.noise < least || ranked.saved_us > budget_us) continue;
    int8[ranked.layer] = false;
    budget_us -= ranked.saved_us;
  }
  return int8;
}

// The first layers in fp32, as many as `budget_us` pays for, if they make much of the noise. Values are converted once,
// where they end.
std::vector<bool> LeaveFirst(const SearchProblem& problem, double budget_us) {
  std::vector<bool> int8 = problem.int8;
  for (size_t i = 0; i < int8.size(); ++i) {
    if (!int8[i]) continue;
    budget_us -= std::max(problem.saved_us[i], 1.0);
    if (budget_us < 0) break;
    int8[i] = false;
  }
  const double all = NoiseOf(problem, problem.int8);
  return all - NoiseOf(problem, int8) < kLeastNoiseShare * all ? problem.int8 : int8;
}

// The choice that lowers the noise most of those that really cost no more than they may.
absl::StatusOr<std::vector<bool>> SpendTime(const SearchProblem& problem, const std::vector<Ranked>& ranking) {
  const double gain = GainOf(ranking);
  for (double share = problem.spendable_share; share > problem.spendable_share / 10; share /= 2) {
    std::vector<bool> choices[] = {LeaveNoisiest(problem, ranking, share * gain), LeaveFirst(problem, share * gain)};
    if (NoiseOf(problem, choices[1]) < NoiseOf(problem, choices[0])) std::swap(choices[0], choices[1]);
    for (const std::vector<bool>& choice : choices) {
      if (choice == problem.int8) continue;
      TANDEM_ASSIGN_OR_RETURN(const bool affordable, problem.is_affordable(choice));
      if (affordable) return choice;
    }
  }
  return problem.int8;
}

std::vector<double> Shares(const std::vector<Ranked>& ranking, size_t layers) {
  double sum = 0;
  for (const Ranked& ranked : ranking) sum += ranked.noise;
  std::vector<double> shares(layers, 0);
  for (const Ranked& ranked : ranking) shares[ranked.layer] = sum > 0 ? ranked.noise / sum : 0;
  return shares;
}

// The shortest prefix of the ranking that suffices when it is in fp32, less what it holds in vain.
absl::StatusOr<std::vector<bool>> LeaveLayers(const SearchProblem& problem, const std::vector<Ranked>& ranking,
                                              const Evaluate& evaluate) {
  const auto without_first = [&](size_t count) {
    std::vector<bool> int8 = problem.int8;
    for (size_t i = 0; i < count; ++i) int8[ranking[i].layer] = false;
    return int8;
  };
  size_t too_few = 0, enough = ranking.size();  // all in fp32 lose nothing
  while (enough - too_few > 1) {
    const size_t middle = (too_few + enough) / 2;
    TANDEM_ASSIGN_OR_RETURN(const double loss, evaluate(without_first(middle)));
    (loss <= problem.target_loss ? enough : too_few) = middle;
    problem.progress(0.3 * static_cast<double>(too_few) / static_cast<double>(std::max<size_t>(enough, 1)));
  }
  std::vector<bool> best = without_first(enough);
  const size_t retries = std::min(enough, kMostRetries);
  // The last of the prefix is what made it suffice; those before may be in vain.
  for (size_t i = 0; i + 1 < retries; ++i) {
    problem.progress(0.3 + 0.7 * static_cast<double>(i) / static_cast<double>(retries));
    std::vector<bool> tried = best;
    tried[ranking[enough - 2 - i].layer] = true;
    TANDEM_ASSIGN_OR_RETURN(const double loss, evaluate(tried));
    if (loss <= problem.target_loss) best = tried;
  }
  return best;
}

}  // namespace

absl::StatusOr<SearchResult> SearchPrecision(const SearchProblem& problem, const Evaluate& evaluate) {
  const std::vector<Ranked> ranking = Rank(problem);
  SearchResult result{problem.int8, Shares(ranking, problem.int8.size())};
  TANDEM_ASSIGN_OR_RETURN(result.int8, SpendTime(problem, ranking));
  TANDEM_ASSIGN_OR_RETURN(const double loss, evaluate(result.int8));
  if (loss > problem.target_loss) {
    TANDEM_ASSIGN_OR_RETURN(result.int8, LeaveLayers(problem, ranking, evaluate));
  }
  problem.progress(1);
  return result;
}

}  // namespace tandem::engine
