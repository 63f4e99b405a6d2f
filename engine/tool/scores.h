// Score: how good and how fast a model is on samples, beside the first of several.
#ifndef TANDEM_ENGINE_TOOL_SCORES_H_
#define TANDEM_ENGINE_TOOL_SCORES_H_

#include <deque>
#include <string>
#include <vector>

#include "engine/quantize/judge.h"
#include "engine/tensor.h"

namespace tandem::engine {

struct Score {
  // `yardstick` outlives the score.
  Score(std::string model_file, const Yardstick& yardstick);
  Score(const Score&) = delete;
  Score& operator=(const Score&) = delete;

  // One sample's outputs by the first model and by this one. `label`: its class, -1 when it has none.
  void Add(const std::vector<Tensor>& expected, const std::vector<Tensor>& outputs, int64_t label);

  const std::string file;
  std::vector<double> seconds;  // of each run, in order
  Comparison by_metric;
  // By answers that change, for classifiers.
  const Yardstick agreement;
  Comparison by_agreement;
};

// Both take the first model's score first.

// One line: an Evaluation of tandem.admin.v1 in its JSON form, with the files' names besides.
std::string ScoresAsJson(const Yardstick& yardstick, const std::deque<Score>& scores);
std::string ScoresAsText(const Yardstick& yardstick, const std::deque<Score>& scores);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_TOOL_SCORES_H_
