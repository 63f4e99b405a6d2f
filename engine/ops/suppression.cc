// NonMaxSuppression: the best boxes of each class, without those that overlap a better one too much.
#include <algorithm>
#include <array>
#include <vector>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

absl::Status InferNonMaxSuppression(InferContext& ctx) {
  for (int i : {0, 1, 3, 4}) {
    if (ctx.has_input(i) && ctx.type(i) != DataType::kFloat32) {
      return OpError("input ", i, " must be float32, got ", NameOf(ctx.type(i)));
    }
  }
  ctx.SetOutput(0, DataType::kInt64, std::nullopt);
  const int64_t format = ctx.attributes().Int("center_point_box", 0);
  if (format != 0 && format != 1) return OpError("center_point_box ", format, " is neither 0 nor 1");
  for (int i = 2; i < 5; ++i) {
    if (ctx.has_input(i) && ctx.has_shape(i) && NumElements(ctx.shape(i)) != 1) {
      return OpError("input ", i, " must be one number, got shape ", ToString(ctx.shape(i)));
    }
  }
  if (ctx.has_input(2)) TANDEM_RETURN_IF_ERROR(KnownIntegers(ctx, 2).status());
  if (!ctx.has_shape(0) || !ctx.has_shape(1)) return absl::OkStatus();
  const Shape& boxes = ctx.shape(0);
  const Shape& scores = ctx.shape(1);
  if (boxes.size() != 3 || scores.size() != 3 || boxes[2] != 4 || boxes[0] != scores[0] || boxes[1] != scores[2]) {
    return OpError("boxes ", ToString(boxes), " and scores ", ToString(scores), " are not [N,B,4] and [N,C,B]");
  }
  return absl::OkStatus();
}

struct Box {
  float y1, x1, y2, x2;
  float Area() const { return (y2 - y1) * (x2 - x1); }
};

// A box from its four numbers: corners in any order, or a center and a size.
Box MakeBox(const float* numbers, bool center_point) {
  if (center_point) {
    const float half_width = numbers[2] / 2;
    const float half_height = numbers[3] / 2;
    return {numbers[1] - half_height, numbers[0] - half_width, numbers[1] + half_height, numbers[0] + half_width};
  }
  return {std::min(numbers[0], numbers[2]), std::min(numbers[1], numbers[3]), std::max(numbers[0], numbers[2]),
          std::max(numbers[1], numbers[3])};
}

// Whether the intersection of the boxes is more than `threshold` of their union.
bool Overlap(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (height <= 0 || width <= 0) return false;
  const float intersection = height * width;
  const float area_a = a.Area();
  const float area_b = b.Area();
  if (area_a <= 0 || area_b <= 0) return false;
  return intersection / (area_a + area_b - intersection) > threshold;
}

struct Limits {
  int64_t max_boxes = 0;
  float overlap = 0;
  bool has_min_score = false;
  float min_score = 0;
};

absl::StatusOr<Limits> LimitsOf(const KernelContext& ctx) {
  Limits limits;
  if (ctx.has_input(2)) {
    TANDEM_ASSIGN_OR_RETURN(limits.max_boxes, ScalarInteger(ctx.input(2), "max_output_boxes_per_class"));
    limits.max_boxes = std::max<int64_t>(limits.max_boxes, 0);
  }
  if (ctx.has_input(3)) limits.overlap = ctx.input(3).values<float>()[0];
  if (!(limits.overlap >= 0 && limits.overlap <= 1))
    return OpError("iou_threshold ", limits.overlap, " is not in [0,1]");
  limits.has_min_score = ctx.has_input(4);
  if (limits.has_min_score) limits.min_score = ctx.input(4).values<float>()[0];
  return limits;
}

// The boxes kept of one class, best first.
std::vector<int64_t> SelectBoxes(absl::Span<const Box> boxes, const float* scores, const Limits& limits) {
  std::vector<int64_t> candidates;
  for (int64_t i = 0; i < static_cast<int64_t>(boxes.size()); ++i) {
    // NaN is no score: it would also break the sort.
    if (limits.has_min_score ? scores[i] > limits.min_score : scores[i] == scores[i]) candidates.push_back(i);
  }
  std::stable_sort(candidates.begin(), candidates.end(), [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  std::vector<int64_t> kept;
  for (int64_t candidate : candidates) {
    if (static_cast<int64_t>(kept.size()) >= limits.max_boxes) break;
    const bool suppressed = std::any_of(kept.begin(), kept.end(), [&](int64_t better) {
      return Overlap(boxes[candidate], boxes[better], limits.overlap);
    });
    if (!suppressed) kept.push_back(candidate);
  }
  return kept;
}

absl::Status NonMaxSuppression(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const Limits limits, LimitsOf(ctx));
  const int64_t batches = ctx.input(1).dim(0);
  const int64_t classes = ctx.input(1).dim(1);
  const int64_t count = ctx.input(1).dim(2);
  const bool center_point = ctx.attributes().Int("center_point_box", 0) == 1;
  const float* numbers = ctx.input(0).values<float>().data();
  const float* scores = ctx.input(1).values<float>().data();
  std::vector<std::array<int64_t, 3>> selected;
  std::vector<Box> boxes(batches > 0 ? count : 0);
  for (int64_t batch = 0; batch < batches; ++batch) {
    for (int64_t i = 0; i < count; ++i) boxes[i] = MakeBox(numbers + (batch * count + i) * 4, center_point);
    for (int64_t c = 0; c < classes; ++c) {
      for (int64_t box : SelectBoxes(boxes, scores + (batch * classes + c) * count, limits)) {
        selected.push_back({batch, c, box});
      }
    }
  }
  Tensor& output = ctx.AllocateOutput(0, DataType::kInt64, {static_cast<int64_t>(selected.size()), 3});
  int64_t* target = output.mutable_values<int64_t>().data();
  for (const auto& row : selected) target = std::copy(row.begin(), row.end(), target);
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"NonMaxSuppression", 2, 5, InferNonMaxSuppression, NonMaxSuppression},
};

}  // namespace

absl::Span<const OpDef> SuppressionOps() { return kOps; }

}  // namespace tandem::engine
