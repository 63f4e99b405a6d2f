// Compare: what two variants answered to the same request, side by side.
//
// Numbers that are not finite are equal to their like and differ from everything else. Pure functions; nothing here
// depends on earlier comparisons.
#ifndef TANDEM_SERVER_EVIDENCE_COMPARISON_H_
#define TANDEM_SERVER_EVIDENCE_COMPARISON_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/tensor.h"
#include "server/sync/time.h"

namespace tandem::evidence {

// How a comparison becomes one loss in [0, 1].
enum class Metric : uint8_t {
  kAgreement,  // the share of answers that changed: the largest of a row of scores, or a whole number
  kNoise,      // the difference's share of the power of the output
};

inline absl::string_view NameOf(Metric metric) { return metric == Metric::kAgreement ? "agreement" : "noise"; }

struct OutputDifference {
  bool real = false;  // floating-point: `noise` and `cosine` mean something
  int64_t rows = 0;   // answers: rows of scores, whole numbers, or the output as one
  int64_t changed = 0;
  double noise = 0;   // |candidate - baseline|^2 / |baseline|^2, at most 1; of whole numbers, the share that changed
  double cosine = 1;  // of the angle between both
};

// An output of another shape has changed altogether.
OutputDifference Compare(const engine::Tensor& baseline, const engine::Tensor& candidate);

// The column of the largest number in each row of a tensor of two dimensions or more, numbers only; -1 for a row
// without any.
std::vector<int64_t> TopColumns(const engine::Tensor& tensor);

// The one class that a request was answered with: the top column of its only row of scores, or its only whole number;
// of the first output that has either.
std::optional<int64_t> AnswerOf(absl::Span<const engine::Tensor> outputs);

// kAgreement where every output is scores of classes (rows of at least two numbers, and no embedding: vectors of unit
// length) or whole numbers, else kNoise.
Metric MetricFor(absl::Span<const engine::Tensor> outputs);

// All outputs of one request.
struct Comparison {
  std::vector<OutputDifference> outputs;
  Metric metric = Metric::kAgreement;  // that suits these outputs
  // What the request cost each side: its share of a batch.
  Duration baseline_time{0}, candidate_time{0};
};
// Both sides have the same number of outputs.
Comparison CompareOutputs(absl::Span<const engine::Tensor> baseline, absl::Span<const engine::Tensor> candidate);

// The loss by `metric`: the largest share of changed answers of an output, or the mean noise.
double LossOf(const Comparison& comparison, Metric metric);

}  // namespace tandem::evidence

#endif  // TANDEM_SERVER_EVIDENCE_COMPARISON_H_
