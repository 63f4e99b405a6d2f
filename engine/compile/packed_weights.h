// PackedWeights: constants in the layouts that primitives asked for, made once and shared by all plans of a model.
// They live as long as a plan uses them.
#ifndef TANDEM_ENGINE_COMPILE_PACKED_WEIGHTS_H_
#define TANDEM_ENGINE_COMPILE_PACKED_WEIGHTS_H_

#include <map>
#include <memory>
#include <vector>

#include "dnnl.hpp"
#include "engine/mutex.h"
#include "engine/tensor.h"

namespace tandem::engine {

// Safe to use from many threads.
class PackedWeights {
 public:
  // The bytes of `tensor`, seen as `from`, in layout `to`: the tensor's own when the layouts agree, else packed, once.
  std::shared_ptr<const void> Get(const Tensor& tensor, const dnnl::memory::desc& from, const dnnl::memory::desc& to)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Of what is packed now.
  size_t bytes() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    dnnl::memory::desc from, to;
    Tensor original;  // keeps the key's address from being used again
    std::weak_ptr<const void> packed;
  };
  // Forgets what no plan uses any more: plans fold constants of their own, and come and go.
  void Prune() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  std::map<const void*, std::vector<Entry>> entries_ ABSL_GUARDED_BY(mutex_);  // by the original's address
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_PACKED_WEIGHTS_H_
