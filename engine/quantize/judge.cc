#include "engine/quantize/judge.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/quantize/confidence.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

constexpr double kDefaultTop1Budget = 0.01;
constexpr double kDefaultAgreementBudget = 0.05;

// The column of the largest element of each row; rows are all but the last dimension.
std::vector<int64_t> TopColumns(const Tensor& tensor) {
  std::vector<int64_t> columns;
  if (tensor.num_elements() == 0) return columns;
  const int64_t width = tensor.dim(-1);
  const auto values = tensor.values<float>();
  for (int64_t at = 0; at < tensor.num_elements(); at += width) {
    const auto row = values.subspan(at, width);
    columns.push_back(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return columns;
}

// Whether the rows are vectors of unit length with negative elements: an embedding, whose largest element says nothing.
bool LooksLikeEmbedding(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  if (std::none_of(values.begin(), values.end(), [](float value) { return value < 0; })) return false;
  const int64_t width = tensor.dim(-1);
  for (int64_t at = 0; at < tensor.num_elements(); at += width) {
    const auto row = values.subspan(at, width);
    const double norm = std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
    if (std::abs(norm - 1) > 1e-3) return false;
  }
  return true;
}

// Why the outputs are not those of a classifier; empty when they are.
std::string WhyNoClassifier(const std::vector<Tensor>& outputs) {
  if (outputs.size() != 1) return absl::StrCat("the model has ", outputs.size(), " outputs");
  const Tensor& output = outputs[0];
  if (output.type() != DataType::kFloat32) return absl::StrCat("the output is ", NameOf(output.type()));
  if (output.rank() < 2 || output.rank() > 3 || output.dim(-1) < 2) {
    return absl::StrCat("an output of shape ", ToString(output.shape()), " holds no scores of classes");
  }
  if (output.dim(-1) > 0 && LooksLikeEmbedding(output)) return "the outputs are vectors of unit length, an embedding";
  return "";
}

struct Look {
  std::vector<Tensor> first;     // the first sample's outputs
  std::vector<int64_t> answers;  // by sample; -1: not one row
};

absl::StatusOr<Look> LookAtOutputs(GraphRunner& exact, Samples& samples, const std::vector<int64_t>& indices) {
  Look look;
  for (int64_t index : Spread(indices, 200)) {
    TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, samples.Read(index));
    TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, exact.Run(inputs));
    if (look.first.empty()) {
      for (const Tensor& output : outputs) look.first.push_back(output.Clone());
      if (!WhyNoClassifier(look.first).empty()) return look;
    }
    const std::vector<int64_t> columns = TopColumns(outputs[0]);
    look.answers.push_back(columns.size() == 1 ? columns[0] : -1);
  }
  return look;
}

// Labels may leave out a first class that the model has ("background"): the offset that makes more answers right.
absl::StatusOr<int64_t> LabelOffset(const Look& look, const std::vector<int64_t>& indices,
                                    const std::vector<int64_t>& labels) {
  const int64_t classes = look.first[0].dim(-1);
  const auto [least, most] = std::minmax_element(labels.begin(), labels.end());
  if (*least < 0 || *most >= classes) {
    return absl::InvalidArgumentError(
        absl::StrCat("labels go from ", *least, " to ", *most, "; the model has ", classes, " classes"));
  }
  if (*most + 1 >= classes) return 0;
  const std::vector<int64_t> looked = Spread(indices, 200);
  int64_t right[2] = {0, 0};
  for (size_t i = 0; i < look.answers.size(); ++i) {
    for (int64_t offset : {0, 1}) right[offset] += look.answers[i] == labels[looked[i]] + offset ? 1 : 0;
  }
  return right[1] > 2 * right[0] ? 1 : 0;
}

absl::string_view NameOfMetric(Metric metric) {
  return metric == Metric::kTop1 ? "top1" : metric == Metric::kAgreement ? "agreement" : "sqnr";
}

}  // namespace

absl::StatusOr<Yardstick> ChooseYardstick(const Graph& graph, GraphRunner& exact, Samples& samples,
                                          const std::vector<int64_t>& indices, const QuantizeOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(const Look look, LookAtOutputs(exact, samples, indices));
  const std::string other = WhyNoClassifier(look.first);
  const bool one_row = std::none_of(look.answers.begin(), look.answers.end(), [](int64_t a) { return a < 0; });
  Yardstick yardstick;
  yardstick.metric = options.metric;
  if (options.metric == Metric::kTop1 && options.labels.empty()) {
    return absl::InvalidArgumentError("the metric top1 needs labels");
  }
  if (options.metric != Metric::kAutomatic) {
    if (options.metric != Metric::kSqnr && (!other.empty() || (options.metric == Metric::kTop1 && !one_row))) {
      return absl::InvalidArgumentError(absl::StrCat("the metric ", NameOfMetric(options.metric), " does not fit: ",
                                                     other.empty() ? "a sample has several answers" : other));
    }
    yardstick.reason = "The metric was asked for.";
  } else if (!other.empty()) {
    yardstick.metric = Metric::kSqnr;
    yardstick.reason = absl::StrCat("Measured as noise, because ", other, ".");
  } else if (!options.labels.empty() && one_row) {
    yardstick.metric = Metric::kTop1;
    yardstick.reason = "Measured by right answers: the output scores classes and the samples have labels.";
  } else {
    yardstick.metric = Metric::kAgreement;
    yardstick.reason = "Measured by changed answers: the output scores classes and the samples have no labels.";
  }
  if (yardstick.metric == Metric::kTop1) {
    TANDEM_ASSIGN_OR_RETURN(yardstick.label_offset, LabelOffset(look, indices, options.labels));
    if (yardstick.label_offset == 1) yardstick.reason += " Label 0 is the model's second class.";
  }
  yardstick.budget = yardstick.metric == Metric::kSqnr        ? std::pow(10, -options.min_db / 10)
                     : yardstick.metric == Metric::kAgreement ? options.max_loss.value_or(kDefaultAgreementBudget)
                                                              : options.max_loss.value_or(kDefaultTop1Budget);
  if (graph.outputs().empty()) return absl::InvalidArgumentError("the model has no outputs");
  return yardstick;
}

void Comparison::Add(const std::vector<Tensor>& exact, const std::vector<Tensor>& quantized, int64_t label) {
  double noise = 0, signal = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    if (exact[i].type() != DataType::kFloat32 || exact[i].shape() != quantized[i].shape()) continue;
    const auto a = exact[i].values<float>(), b = quantized[i].values<float>();
    double output_noise = 0, output_signal = 0;
    for (size_t k = 0; k < a.size(); ++k) {
      const double difference = static_cast<double>(a[k]) - b[k];
      output_noise += difference * difference;
      output_signal += static_cast<double>(a[k]) * a[k];
    }
    // Each output counts alike, however large its numbers are.
    if (output_signal > 0) {
      noise += output_noise / output_signal;
      signal += 1;
    }
  }
  noise_.push_back(noise);
  signal_.push_back(signal);
  if (yardstick_->metric == Metric::kSqnr) return;
  if (exact[0].shape() == quantized[0].shape()) answers_.Add(exact[0], quantized[0]);
  const std::vector<int64_t> before = TopColumns(exact[0]), after = TopColumns(quantized[0]);
  if (yardstick_->metric == Metric::kTop1) {
    const int64_t right = label + yardstick_->label_offset;
    exact_right_ += before[0] == right ? 1 : 0;
    quantized_right_ += after[0] == right ? 1 : 0;
    losses_.push_back((before[0] == right ? 1 : 0) - (after[0] == right ? 1 : 0));
    return;
  }
  double changed = 0;
  for (size_t i = 0; i < before.size(); ++i) changed += i < after.size() && before[i] == after[i] ? 0 : 1;
  losses_.push_back(before.empty() ? 0 : changed / static_cast<double>(before.size()));
  losses_are_whole_ = losses_are_whole_ && before.size() <= 1;
}

double Comparison::Noise() const {
  const double signal = std::accumulate(signal_.begin(), signal_.end(), 0.0);
  return signal > 0 ? std::accumulate(noise_.begin(), noise_.end(), 0.0) / signal : 0;
}

double Comparison::Power() const { return yardstick_->metric == Metric::kSqnr ? Noise() : answers_.Power(); }

double Comparison::Harm() const { return yardstick_->metric == Metric::kSqnr ? Noise() : answers_.ExpectedChanges(); }

double Comparison::Loss() const {
  if (yardstick_->metric == Metric::kSqnr) return Noise();
  if (losses_.empty()) return 0;
  return std::accumulate(losses_.begin(), losses_.end(), 0.0) / static_cast<double>(losses_.size());
}

double Comparison::CautiousLoss() const {
  if (yardstick_->metric != Metric::kTop1) return Loss();
  double squares = 0;
  for (double loss : losses_) squares += loss * loss;
  return Loss() - std::sqrt(squares) / static_cast<double>(std::max<size_t>(losses_.size(), 1));
}

LossReport Comparison::Report(double confidence, uint64_t seed) const {
  LossReport report;
  report.metric = std::string(NameOfMetric(yardstick_->metric));
  report.reason = yardstick_->reason;
  report.value = Loss();
  report.budget = yardstick_->budget;
  report.confidence = confidence;
  report.samples = static_cast<int64_t>(noise_.size());
  Bounds bounds;
  if (yardstick_->metric == Metric::kSqnr) {
    bounds = BootstrapRatio(noise_, signal_, confidence, seed);
  } else if (yardstick_->metric == Metric::kTop1) {
    const auto count = [&](double value) { return std::count(losses_.begin(), losses_.end(), value); };
    bounds = DifferenceBounds(count(1), count(-1), report.samples, confidence);
  } else if (losses_are_whole_) {
    const auto changed = static_cast<int64_t>(std::count(losses_.begin(), losses_.end(), 1.0));
    bounds = ClopperPearson(changed, report.samples, confidence);
  } else {
    bounds = BettingBounds(losses_, 0, 1, confidence);
  }
  report.lower = bounds.lower;
  report.upper = bounds.upper;
  return report;
}

absl::Status CompareOn(GraphRunner& exact, GraphRunner& quantized, Samples& samples, int64_t index,
                       const QuantizeOptions& options, Comparison& comparison) {
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, samples.Read(index));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> expected, exact.Run(inputs));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, quantized.Run(inputs));
  comparison.Add(expected, outputs, options.labels.empty() ? -1 : options.labels[index]);
  return absl::OkStatus();
}

}  // namespace tandem::engine
