// Losses over class scores: NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss.
#include <optional>
#include <vector>

#include "engine/ops/dims.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"
#include "engine/ops/softmax.h"

namespace tandem::engine {

namespace {

absl::Status CheckShapes(const InferContext& ctx) {
  const Shape& scores = ctx.shape(0);
  const Shape& labels = ctx.shape(1);
  if (scores.size() < 2) return OpError("scores need at least 2 dimensions, have shape ", ToString(scores));
  Shape expected = scores;
  expected.erase(expected.begin() + 1);
  if (labels != expected) {
    return OpError("labels have shape ", ToString(labels), ", expected ", ToString(expected), " for scores of ",
                   ToString(scores));
  }
  if (ctx.has_input(2) && ctx.has_shape(2) && ctx.shape(2) != Shape{scores[1]}) {
    return OpError("weights have shape ", ToString(ctx.shape(2)), " for ", scores[1], " classes");
  }
  return absl::OkStatus();
}

absl::Status InferLoss(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(Floats::Check(ctx.type(0)));
  if (ctx.type(1) != DataType::kInt32 && ctx.type(1) != DataType::kInt64) {
    return OpError("labels are ", NameOf(ctx.type(1)), ", not int32 or int64");
  }
  if (ctx.has_input(2) && ctx.type(2) != ctx.type(0)) {
    return OpError("weights are ", NameOf(ctx.type(2)), ", scores ", NameOf(ctx.type(0)));
  }
  if (ctx.has_shape(0) && ctx.has_shape(1)) TANDEM_RETURN_IF_ERROR(CheckShapes(ctx));
  const std::string reduction = ctx.attributes().String("reduction", "mean");
  if (reduction == "none")
    ctx.SetOutput(0, ctx.type(0), ShapeOf(ctx, 1));
  else if (reduction == "mean" || reduction == "sum")
    ctx.SetOutput(0, ctx.type(0), Shape{});
  else
    return OpError("reduction is '", reduction, "', not none, mean or sum");
  ctx.SetOutput(1, ctx.type(0), ShapeOf(ctx, 0));  // SoftmaxCrossEntropyLoss: the logarithms of the probabilities
  return absl::OkStatus();
}

// Output 0 from the logarithms of the probabilities, input 1's labels and input 2's weights.
template <typename T>
absl::Status LossOf(KernelContext& ctx, const T* log_probs) {
  const AxisView view = ViewAround(ctx.input(0).shape(), 1);
  const int64_t* ignored = ctx.attributes().Find<int64_t>("ignore_index");
  const std::string reduction = ctx.attributes().String("reduction", "mean");
  const T* weights = ctx.has_input(2) ? ctx.input(2).values<T>().data() : nullptr;
  T* y = ctx.output(0).mutable_values<T>().data();
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> labels, IntegersOf(ctx.input(1)));
  double total = 0;
  double total_weight = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(labels.size()); ++i) {
    const int64_t label = labels[i];
    const bool counts = ignored == nullptr || label != *ignored;
    if (counts && (label < 0 || label >= view.length)) {
      return OpError("label ", label, " is outside [0,", view.length, ")");
    }
    const int64_t sample = i / view.inner;
    const T weight = !counts ? T{0} : (weights != nullptr ? weights[label] : T{1});
    const T loss = counts ? -log_probs[(sample * view.length + label) * view.inner + i % view.inner] * weight : T{0};
    if (reduction == "none") y[i] = loss;
    total += loss;
    total_weight += weight;
  }
  if (reduction == "sum") y[0] = static_cast<T>(total);
  if (reduction == "mean") y[0] = static_cast<T>(total / total_weight);
  return absl::OkStatus();
}

absl::Status NegativeLogLikelihoodLoss(KernelContext& ctx) {
  return Floats::Dispatch(ctx.input(0).type(),
                          [&](auto t) { return LossOf(ctx, ctx.input(0).values<decltype(t)>().data()); });
}

absl::Status SoftmaxCrossEntropyLoss(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  return Floats::Dispatch(x.type(), [&](auto t) {
    using T = decltype(t);
    Tensor log_probs = ctx.num_outputs() > 1 ? ctx.output(1) : Tensor(x.type(), x.shape());
    T* y = log_probs.mutable_values<T>().data();
    if (x.num_elements() > 0) LogSoftmaxOf(x.values<T>().data(), y, ViewAround(x.shape(), 1));
    return LossOf<T>(ctx, y);
  });
}

constexpr OpDef kOps[] = {
    {"NegativeLogLikelihoodLoss", 2, 3, InferLoss, NegativeLogLikelihoodLoss},
    {"SoftmaxCrossEntropyLoss", 2, 3, InferLoss, SoftmaxCrossEntropyLoss},
};

}  // namespace

absl::Span<const OpDef> LossOps() { return kOps; }

}  // namespace tandem::engine
