// Judging: what a quantized graph loses beside the float one, by the metric that fits the model.
#ifndef TANDEM_ENGINE_QUANTIZE_JUDGE_H_
#define TANDEM_ENGINE_QUANTIZE_JUDGE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph.h"
#include "engine/quantize/answer_noise.h"
#include "engine/quantize/graph_runner.h"
#include "engine/quantize/quantizer.h"
#include "engine/quantize/report.h"
#include "engine/quantize/samples.h"

namespace tandem::engine {

// The metric, and what it needs to know.
struct Yardstick {
  Metric metric = Metric::kSqnr;  // never kAutomatic
  std::string reason;
  double budget = 0;         // for sqnr: the noise's share of the power
  int64_t label_offset = 0;  // output column = label + offset
};

// What comparing outputs adds up to.
class Comparison {
 public:
  explicit Comparison(const Yardstick& yardstick) : yardstick_(&yardstick) {}

  // The outputs of one sample; `label`: its class, -1 when it has none.
  void Add(const std::vector<Tensor>& exact, const std::vector<Tensor>& quantized, int64_t label);

  int64_t samples() const { return static_cast<int64_t>(noise_.size()); }
  // Right answers of each side; by top1 only.
  int64_t exact_right() const { return exact_right_; }
  int64_t quantized_right() const { return quantized_right_; }
  // What each sample has lost: by top1 1 where only the first side was right and -1 where only the second was; by
  // agreement the share of its answers that changed; nothing by sqnr.
  const std::vector<double>& losses() const { return losses_; }
  // The loss by the yardstick's metric.
  double Loss() const;
  // For searching on few labelled samples: a loss of accuracy less what one standard deviation of chance explains.
  double CautiousLoss() const;
  // The noise's share of the outputs' power: finer than answers that change or do not.
  double Noise() const;
  // The noise, so that those of several layers add up.
  double Power() const;
  // What tells one way of quantizing from another on samples at hand: answers expected to change, or for sqnr the
  // noise.
  double Harm() const;
  LossReport Report(double confidence, uint64_t seed) const;

 private:
  const Yardstick* yardstick_;
  std::vector<double> losses_;    // by sample, for top1 and agreement
  bool losses_are_whole_ = true;  // 0 or 1 each
  int64_t exact_right_ = 0, quantized_right_ = 0;
  std::vector<double> noise_, signal_;  // by sample
  AnswerNoise answers_;                 // for top1 and agreement
};

// Reads up to a few of `indices` through `exact` to see what the outputs look like. Fails for a metric that the model
// or the labels do not allow, and for labels that are no class of the model.
absl::StatusOr<Yardstick> ChooseYardstick(const Graph& graph, GraphRunner& exact, Samples& samples,
                                          const std::vector<int64_t>& indices, const QuantizeOptions& options);

// Adds one sample to `comparison`.
absl::Status CompareOn(GraphRunner& exact, GraphRunner& quantized, Samples& samples, int64_t index,
                       const QuantizeOptions& options, Comparison& comparison);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_JUDGE_H_
