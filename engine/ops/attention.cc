// Attention (opsets 23 to 25): scaled dot products of queries and keys, masked, through a softmax, times the values.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/ops/attention_mask.h"
#include "engine/ops/conv_geometry.h"
#include "engine/ops/families.h"
#include "engine/ops/gemm.h"
#include "engine/ops/vector_math.h"

namespace tandem::engine {

absl::Status InferRotaryEmbedding(InferContext& ctx);
absl::Status RotaryEmbedding(KernelContext& ctx);

namespace {

enum Input { kQ, kK, kV, kMask, kPastKey, kPastValue, kNonpad };
enum Output { kY, kPresentKey, kPresentValue, kScores };

// What qk_matmul_output shows.
enum ScoresMode : int64_t { kRaw, kCapped, kBiased, kProbabilities };

// [batch, heads, length, size] of queries, keys or values, as three-dimensional inputs pack it or not.
struct Layout {
  int64_t batch = 0;
  int64_t heads = 0;
  int64_t length = 0;
  int64_t size = 0;
  bool packed = false;  // [batch, length, heads * size]

  int64_t RowStride() const { return packed ? heads * size : size; }
  int64_t Offset(int64_t b, int64_t h) const {
    return packed ? (b * length * heads + h) * size : (b * heads + h) * length * size;
  }
  Shape ToShape() const { return packed ? Shape{batch, length, heads * size} : Shape{batch, heads, length, size}; }
};

struct AttentionShape {
  Layout q, k, v, y;
  int64_t past = 0;
  int64_t total = 0;  // keys, past ones included
};

absl::StatusOr<Layout> LayoutOf(const Shape& shape, int64_t heads, absl::string_view name) {
  if (shape.size() == 4) return Layout{shape[0], shape[1], shape[2], shape[3], false};
  if (shape.size() != 3) return OpError(name, " is ", ToString(shape), ", expected three or four dimensions");
  if (heads < 1 || shape[2] % heads != 0) {
    return OpError(name, " ", ToString(shape), " does not divide into ", heads, " heads");
  }
  return Layout{shape[0], heads, shape[1], shape[2] / heads, true};
}

absl::StatusOr<AttentionShape> ShapeOf(const Attributes& attributes, const Shape& q, const Shape& k, const Shape& v,
                                       const Shape* past_key) {
  AttentionShape shape;
  const int64_t kv_heads = attributes.Int("kv_num_heads", 0);
  TANDEM_ASSIGN_OR_RETURN(shape.q, LayoutOf(q, attributes.Int("q_num_heads", 0), "Q"));
  TANDEM_ASSIGN_OR_RETURN(shape.k, LayoutOf(k, kv_heads, "K"));
  TANDEM_ASSIGN_OR_RETURN(shape.v, LayoutOf(v, kv_heads, "V"));
  const bool fits = shape.q.batch == shape.k.batch && shape.q.batch == shape.v.batch && shape.q.size == shape.k.size &&
                    shape.k.heads == shape.v.heads && shape.k.length == shape.v.length && q.size() == k.size() &&
                    q.size() == v.size() &&
                    (shape.k.heads > 0 ? shape.q.heads % shape.k.heads == 0 : shape.q.heads == 0);
  if (!fits) return OpError("Q ", ToString(q), ", K ", ToString(k), " and V ", ToString(v), " do not fit together");
  if (past_key != nullptr) {
    if (past_key->size() != 4) return OpError("past_key is ", ToString(*past_key), ", expected four dimensions");
    shape.past = (*past_key)[2];
  }
  shape.total = shape.past + shape.k.length;
  shape.y = {shape.q.batch, shape.q.heads, shape.q.length, shape.v.size, shape.q.packed};
  TANDEM_RETURN_IF_ERROR(CheckElementCount(shape.y.ToShape()));
  TANDEM_RETURN_IF_ERROR(CheckElementCount({shape.q.batch, shape.q.heads, shape.q.length, shape.total}));
  return shape;
}

absl::Status CheckShape(const InferContext& ctx, Input input, absl::string_view name, const Shape& expected) {
  if (!ctx.has_input(input) || !ctx.has_shape(input) || ctx.shape(input) == expected) return absl::OkStatus();
  return OpError(name, " is ", ToString(ctx.shape(input)), ", expected ", ToString(expected));
}

absl::Status CheckTypes(const InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR((Dispatch<float, double>(ctx.type(kQ), [](auto) { return absl::OkStatus(); })));
  for (const Input input : {kK, kV, kMask, kPastKey, kPastValue}) {
    if (!ctx.has_input(input) || ctx.type(input) == ctx.type(kQ)) continue;
    if (input == kMask && ctx.type(input) == DataType::kBool) continue;
    return OpError("input ", static_cast<int>(input), " is ", NameOf(ctx.type(input)), ", Q ", NameOf(ctx.type(kQ)));
  }
  if (ctx.has_input(kPastKey) != ctx.has_input(kPastValue)) return OpError("past_key and past_value come together");
  if (ctx.has_input(kNonpad) && ctx.has_input(kPastKey)) return OpError("nonpad_kv_seqlen excludes past_key");
  if (ctx.has_input(kNonpad) && ctx.type(kNonpad) != DataType::kInt64) {
    return OpError("nonpad_kv_seqlen is ", NameOf(ctx.type(kNonpad)), ", expected int64");
  }
  return absl::OkStatus();
}

absl::Status InferAttention(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckTypes(ctx));
  std::optional<Shape> y, present_key, present_value, scores;
  const bool known = ctx.has_shape(kQ) && ctx.has_shape(kK) && ctx.has_shape(kV) &&
                     (!ctx.has_input(kPastKey) || ctx.has_shape(kPastKey));
  if (known) {
    const Shape* past = ctx.has_input(kPastKey) ? &ctx.shape(kPastKey) : nullptr;
    TANDEM_ASSIGN_OR_RETURN(const AttentionShape shape,
                            ShapeOf(ctx.attributes(), ctx.shape(kQ), ctx.shape(kK), ctx.shape(kV), past));
    const Layout& k = shape.k;
    TANDEM_RETURN_IF_ERROR(CheckShape(ctx, kPastKey, "past_key", {k.batch, k.heads, shape.past, k.size}));
    TANDEM_RETURN_IF_ERROR(CheckShape(ctx, kPastValue, "past_value", {k.batch, k.heads, shape.past, shape.v.size}));
    TANDEM_RETURN_IF_ERROR(CheckShape(ctx, kNonpad, "nonpad_kv_seqlen", {k.batch}));
    scores = Shape{k.batch, shape.q.heads, shape.q.length, shape.total};
    if (ctx.has_input(kMask) && ctx.has_shape(kMask)) {
      TANDEM_RETURN_IF_ERROR(CheckAttentionMask(ctx.shape(kMask), *scores));
    }
    y = shape.y.ToShape();
    present_key = Shape{k.batch, k.heads, shape.total, k.size};
    present_value = Shape{k.batch, k.heads, shape.total, shape.v.size};
  }
  ctx.SetOutput(kY, ctx.type(kQ), std::move(y));
  ctx.SetOutput(kPresentKey, ctx.type(kQ), std::move(present_key));
  ctx.SetOutput(kPresentValue, ctx.type(kQ), std::move(present_value));
  ctx.SetOutput(kScores, ctx.type(kQ), std::move(scores));
  return absl::OkStatus();
}

// [batch, heads, past + length, size]: what was before, then the new rows.
template <typename T>
std::vector<T> Present(const T* past, int64_t past_length, const T* current, const Layout& layout) {
  const int64_t total = past_length + layout.length;
  std::vector<T> present(layout.batch * layout.heads * total * layout.size);
  T* target = present.data();
  for (int64_t b = 0; b < layout.batch; ++b) {
    for (int64_t h = 0; h < layout.heads; ++h) {
      const int64_t before = past_length * layout.size;
      if (before > 0) target = std::copy_n(past + (b * layout.heads + h) * before, before, target);
      const T* row = current + layout.Offset(b, h);
      for (int64_t i = 0; i < layout.length; ++i, row += layout.RowStride()) {
        target = std::copy_n(row, layout.size, target);
      }
    }
  }
  return present;
}

template <typename T>
void SoftCap(T cap, std::vector<T>& scores) {
  if (!(cap > 0)) return;
  for (T& score : scores) score = cap * VectorTanh(score / cap);
}

// Turns a row of biased scores into probabilities; a row without any admitted key into zeros.
template <typename T>
void SoftmaxRow(const std::vector<T>& bias, int64_t count, T* row) {
  constexpr T kMasked = -std::numeric_limits<T>::infinity();
  T highest = kMasked;
  bool admitted = false;
  for (int64_t i = 0; i < count; ++i) {
    highest = row[i] > highest || row[i] != row[i] ? row[i] : highest;
    admitted = admitted || bias[i] != kMasked;
  }
  if (!admitted || highest == kMasked) {
    std::fill_n(row, count, T{0});
    return;
  }
  T sum = 0;
  for (int64_t i = 0; i < count; ++i) row[i] = VectorExp(row[i] - highest);
  for (int64_t i = 0; i < count; ++i) sum += row[i];
  for (int64_t i = 0; i < count; ++i) row[i] /= sum;
}

template <typename T>
class AttentionKernel {
 public:
  AttentionKernel(KernelContext& ctx, const AttentionShape& shape, const AttentionMask& mask)
      : ctx_(ctx), shape_(shape), mask_(mask) {
    const double size = static_cast<double>(shape.q.size);
    const Attributes& attributes = ctx.attributes();
    scale_ =
        attributes.Has("scale") ? static_cast<T>(attributes.Float("scale", 1)) : static_cast<T>(1 / std::sqrt(size));
    cap_ = static_cast<T>(attributes.Float("softcap", 0));
    mode_ = attributes.Int("qk_matmul_output_mode", kRaw);
  }

  void Run() {
    key_ = Present(Data(kPastKey), shape_.past, Data(kK), shape_.k);
    value_ = Present(Data(kPastValue), shape_.past, Data(kV), shape_.v);
    if (ctx_.num_outputs() > kPresentKey) Store(key_, 0, ctx_.output(kPresentKey));
    if (ctx_.num_outputs() > kPresentValue) Store(value_, 0, ctx_.output(kPresentValue));
    scores_.resize(shape_.q.length * shape_.total);
    bias_.resize(shape_.total);
    for (int64_t b = 0; b < shape_.q.batch; ++b) {
      for (int64_t h = 0; h < shape_.q.heads; ++h) RunHead(b, h);
    }
  }

 private:
  const T* Data(int input) const {
    return ctx_.has_input(input) ? ctx_.input(input).template values<T>().data() : nullptr;
  }
  static void Store(const std::vector<T>& values, int64_t offset, Tensor& tensor) {
    std::copy(values.begin(), values.end(), tensor.mutable_values<T>().data() + offset);
  }
  void Show(ScoresMode mode, int64_t b, int64_t h) {
    if (mode_ != mode || ctx_.num_outputs() <= kScores) return;
    Store(scores_, (b * shape_.q.heads + h) * shape_.q.length * shape_.total, ctx_.output(kScores));
  }

  void RunHead(int64_t b, int64_t h) {
    const int64_t rows = shape_.q.length;
    const int64_t total = shape_.total;
    const int64_t kv_head = b * shape_.k.heads + h / (shape_.q.heads / shape_.k.heads);
    std::fill(scores_.begin(), scores_.end(), T{0});
    MultiplyAdd<T>(rows, total, shape_.q.size, {Data(kQ) + shape_.q.Offset(b, h), shape_.q.RowStride()},
                   {key_.data() + kv_head * total * shape_.k.size, 1, shape_.k.size}, scores_.data(), total);
    for (T& score : scores_) score *= scale_;
    Show(kRaw, b, h);
    SoftCap(cap_, scores_);
    Show(kCapped, b, h);
    Weigh(b, h);
    T* y = ctx_.output(kY).template mutable_values<T>().data() + shape_.y.Offset(b, h);
    for (int64_t i = 0; i < rows; ++i) std::fill_n(y + i * shape_.y.RowStride(), shape_.y.size, T{0});
    MultiplyAdd<T>(rows, shape_.y.size, total, {scores_.data(), total},
                   {value_.data() + kv_head * total * shape_.y.size, shape_.y.size}, y, shape_.y.RowStride());
  }

  // Biased scores, then probabilities.
  void Weigh(int64_t b, int64_t h) {
    const int64_t total = shape_.total;
    for (const bool softmax : {false, true}) {
      for (int64_t i = 0; i < shape_.q.length; ++i) {
        T* row = scores_.data() + i * total;
        mask_.Bias(b, h, i, bias_);
        if (softmax) {
          SoftmaxRow(bias_, total, row);
        } else {
          for (int64_t j = 0; j < total; ++j) row[j] += bias_[j];
        }
      }
      Show(softmax ? kProbabilities : kBiased, b, h);
    }
  }

  KernelContext& ctx_;
  const AttentionShape& shape_;
  const AttentionMask& mask_;
  T scale_ = 1;
  T cap_ = 0;
  int64_t mode_ = kRaw;
  std::vector<T> key_;
  std::vector<T> value_;
  std::vector<T> scores_;  // of one head: [queries, keys]
  std::vector<T> bias_;    // of one query
};

absl::Status Attention(KernelContext& ctx) {
  const auto optional = [&](int input) { return ctx.has_input(input) ? &ctx.input(input) : nullptr; };
  const Tensor* past = optional(kPastKey);
  TANDEM_ASSIGN_OR_RETURN(const AttentionShape shape,
                          ShapeOf(ctx.attributes(), ctx.input(kQ).shape(), ctx.input(kK).shape(), ctx.input(kV).shape(),
                                  past != nullptr ? &past->shape() : nullptr));
  TANDEM_ASSIGN_OR_RETURN(const AttentionMask mask,
                          AttentionMask::Create(ctx.attributes(), optional(kMask), optional(kNonpad), shape.past,
                                                {shape.q.batch, shape.q.heads, shape.q.length, shape.total}));
  return Dispatch<float, double>(ctx.input(kQ).type(), [&](auto t) {
    AttentionKernel<decltype(t)>(ctx, shape, mask).Run();
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"Attention", 3, 7, InferAttention, Attention},
    {"RotaryEmbedding", 3, 4, InferRotaryEmbedding, RotaryEmbedding},
};

}  // namespace

absl::Span<const OpDef> AttentionOps() { return kOps; }

}  // namespace tandem::engine
