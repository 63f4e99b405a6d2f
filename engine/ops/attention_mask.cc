#include "engine/ops/attention_mask.h"

#include <algorithm>
#include <limits>

#include "engine/ops/op.h"

namespace tandem::engine {

absl::Status CheckAttentionMask(const Shape& mask, const Shape& scores) {
  bool fits = !mask.empty() && mask.size() <= scores.size() && mask.back() <= scores.back();
  for (size_t i = 1; fits && i < mask.size(); ++i) {
    const int64_t dim = mask[mask.size() - 1 - i];
    fits = dim == 1 || dim == scores[scores.size() - 1 - i];
  }
  if (fits) return absl::OkStatus();
  return OpError("mask ", ToString(mask), " does not broadcast to ", ToString(scores));
}

absl::StatusOr<AttentionMask> AttentionMask::Create(const Attributes& attributes, const Tensor* mask,
                                                    const Tensor* nonpad, int64_t past, const Shape& scores) {
  AttentionMask result;
  result.past_ = past;
  result.queries_ = scores[2];
  result.causal_ = attributes.Int("is_causal", 0) != 0;
  result.left_ = attributes.Int("left_window_size", -1);
  result.right_ = attributes.Int("right_window_size", -1);
  if (result.left_ < -1 || result.right_ < -1) {
    return OpError("windows of ", result.left_, " and ", result.right_, " keys: expected -1 or more");
  }
  if (mask != nullptr) {
    TANDEM_RETURN_IF_ERROR(CheckAttentionMask(mask->shape(), scores));
    result.mask_ = mask;
    result.mask_keys_ = mask->dim(-1);
    int64_t stride = result.mask_keys_;
    for (int64_t axis = mask->rank() - 2; axis >= 0; --axis) {
      if (mask->dim(axis) != 1) result.mask_strides_[axis + 4 - mask->rank()] = stride;
      stride *= mask->dim(axis);
    }
  }
  if (nonpad != nullptr) {
    TANDEM_ASSIGN_OR_RETURN(result.nonpad_, IntegersOf(*nonpad));
    for (int64_t keys : result.nonpad_) {
      if (keys < 0 || keys > scores[3]) return OpError("nonpad_kv_seqlen ", keys, " is outside [0,", scores[3], "]");
    }
  }
  return result;
}

template <typename T>
void AttentionMask::Bias(int64_t b, int64_t h, int64_t i, std::vector<T>& bias) const {
  constexpr T kMasked = -std::numeric_limits<T>::infinity();
  const int64_t keys = static_cast<int64_t>(bias.size());
  std::fill(bias.begin(), bias.end(), T{0});
  if (mask_ != nullptr) {
    const int64_t offset = b * mask_strides_[0] + h * mask_strides_[1] + i * mask_strides_[2];
    if (mask_->type() == DataType::kBool) {
      const bool* row = mask_->values<bool>().data() + offset;
      for (int64_t j = 0; j < mask_keys_; ++j) bias[j] = row[j] ? T{0} : kMasked;
    } else {
      std::copy_n(mask_->values<T>().data() + offset, mask_keys_, bias.begin());
    }
    std::fill(bias.begin() + mask_keys_, bias.end(), kMasked);
  }
  // The query's own position among the keys. Without a past, the queries are the last of the keys that are no padding.
  const int64_t own = i + (nonpad_.empty() ? past_ : nonpad_[b] - queries_);
  int64_t begin = 0;
  int64_t end = nonpad_.empty() ? keys : nonpad_[b];
  if (causal_) end = std::min(end, own + 1);
  if (right_ >= 0) end = std::min(end, own + std::min(right_, keys) + 1);
  if (left_ >= 0) begin = std::max(begin, own - std::min(left_, own + keys));
  for (int64_t j = 0; j < std::min(begin, keys); ++j) bias[j] = kMasked;
  for (int64_t j = std::max<int64_t>(0, end); j < keys; ++j) bias[j] = kMasked;
}

template void AttentionMask::Bias<float>(int64_t, int64_t, int64_t, std::vector<float>&) const;
template void AttentionMask::Bias<double>(int64_t, int64_t, int64_t, std::vector<double>&) const;

}  // namespace tandem::engine
