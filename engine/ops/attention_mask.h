// Which keys a query of Attention may see, and with what bias: the mask input, causality, windows and padding together.
#ifndef TANDEM_ENGINE_OPS_ATTENTION_MASK_H_
#define TANDEM_ENGINE_OPS_ATTENTION_MASK_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/attributes.h"
#include "engine/tensor.h"

namespace tandem::engine {

// OK when a mask of shape `mask` broadcasts to `scores`, [batch, heads, queries, keys]. Its last dimension may be
// shorter: the keys beyond it are masked.
absl::Status CheckAttentionMask(const Shape& mask, const Shape& scores);

class AttentionMask {
 public:
  // `mask` and `nonpad` (the keys of each sample that are no padding) may be null and must outlive this. `past` keys
  // precede the first query's own.
  static absl::StatusOr<AttentionMask> Create(const Attributes& attributes, const Tensor* mask, const Tensor* nonpad,
                                              int64_t past, const Shape& scores);

  // What is added to the scores of query `i` of head `h` of sample `b`: -infinity for keys that it must not see.
  template <typename T>
  void Bias(int64_t b, int64_t h, int64_t i, std::vector<T>& bias) const;

 private:
  AttentionMask() = default;

  const Tensor* mask_ = nullptr;
  int64_t mask_keys_ = 0;                // the mask's last dimension
  int64_t mask_strides_[3] = {0, 0, 0};  // of batch, heads, queries
  std::vector<int64_t> nonpad_;          // empty when not given
  int64_t past_ = 0;
  int64_t queries_ = 0;
  bool causal_ = false;
  int64_t left_ = -1;   // keys before the query's own that it sees; -1: all
  int64_t right_ = -1;  // after it
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_ATTENTION_MASK_H_
