#include "engine/compile/packed_weights.h"

#include "engine/compile/dnnl_types.h"

namespace tandem::engine {

std::shared_ptr<const void> PackedWeights::Get(const Tensor& tensor, const dnnl::memory::desc& from,
                                               const dnnl::memory::desc& to) {
  if (SameLayout(from, to)) {
    auto kept = std::make_shared<Tensor>(tensor);
    return {kept, kept->data()};
  }
  MutexLock lock(mutex_);
  std::vector<Entry>& entries = entries_[tensor.data()];
  for (const Entry& entry : entries) {
    if (entry.from == from && entry.to == to) return entry.packed;
  }
  Tensor packed(DataType::kUInt8, {static_cast<int64_t>(to.get_size())});
  auto owner = std::make_shared<Tensor>(packed);
  dnnl::memory source(from, DnnlEngine(), const_cast<void*>(tensor.data()));
  dnnl::memory target(to, DnnlEngine(), owner->data());
  dnnl::stream stream(DnnlEngine());
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
  bytes_ += to.get_size();
  entries.push_back({from, to, tensor, std::shared_ptr<const void>(owner, owner->data())});
  return entries.back().packed;
}

size_t PackedWeights::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace tandem::engine
