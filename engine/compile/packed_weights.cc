#include "engine/compile/packed_weights.h"

#include <algorithm>
#include <iterator>

#include "engine/compile/dnnl_types.h"

namespace tandem::engine {

std::shared_ptr<const void> PackedWeights::Get(const Tensor& tensor, const dnnl::memory::desc& from,
                                               const dnnl::memory::desc& to) {
  if (SameLayout(from, to)) {
    auto kept = std::make_shared<Tensor>(tensor);
    return {kept, kept->data()};
  }
  MutexLock lock(mutex_);
  for (const Entry& entry : entries_[tensor.data()]) {
    if (entry.from != from || entry.to != to) continue;
    if (auto packed = entry.packed.lock()) return packed;
  }
  Prune();
  Tensor packed(DataType::kUInt8, {static_cast<int64_t>(to.get_size())});
  auto owner = std::make_shared<Tensor>(packed);
  dnnl::memory source(from, DnnlEngine(), const_cast<void*>(tensor.data()));
  dnnl::memory target(to, DnnlEngine(), owner->data());
  dnnl::stream stream(DnnlEngine());
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
  std::shared_ptr<const void> bytes(owner, owner->data());
  entries_[tensor.data()].push_back({from, to, tensor, bytes});
  return bytes;
}

void PackedWeights::Prune() {
  for (auto it = entries_.begin(); it != entries_.end();) {
    std::vector<Entry>& entries = it->second;
    entries.erase(std::remove_if(entries.begin(), entries.end(), [](const Entry& e) { return e.packed.expired(); }),
                  entries.end());
    it = entries.empty() ? entries_.erase(it) : std::next(it);
  }
}

size_t PackedWeights::bytes() const {
  MutexLock lock(mutex_);
  size_t bytes = 0;
  for (const auto& [address, entries] : entries_) {
    for (const Entry& entry : entries) bytes += entry.packed.expired() ? 0 : entry.to.get_size();
  }
  return bytes;
}

}  // namespace tandem::engine
