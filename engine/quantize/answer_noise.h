// How easily noise changes a classifier's answers.
//
// An answer changes when the scores of the best class and of another one move towards each other by more than the
// margin between them. On a few hundred samples, answers that did change are too few to tell one way of quantizing from
// another, and the noise's share of the scores' power is decided by a few outlying samples. What is used of each sample
// is its margin and the noise of the differences between its best scores; each noise is held against each margin.
#ifndef TANDEM_ENGINE_QUANTIZE_ANSWER_NOISE_H_
#define TANDEM_ENGINE_QUANTIZE_ANSWER_NOISE_H_

#include <vector>

#include "engine/tensor.h"

namespace tandem::engine {

class AnswerNoise {
 public:
  // Scores of classes, one row for each answer (all dimensions but the last), without noise and with it. The shapes are
  // the same.
  void Add(const Tensor& exact, const Tensor& noisy);

  // The share of answers that change if noise were normal and independent of margins; 0 when nothing was added.
  double ExpectedChanges() const;

  // The square of the mean deviation: noises that come together add up to the sum of theirs, near enough.
  double Power() const;

 private:
  std::vector<double> margins_;     // by row: between the best score and the next
  std::vector<double> deviations_;  // by row: of the error of one of the best scores, beside what they share
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_ANSWER_NOISE_H_
