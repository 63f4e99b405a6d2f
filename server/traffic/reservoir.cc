#include "server/traffic/reservoir.h"

#include <algorithm>
#include <utility>

namespace tandem::traffic {

void Reservoir::Offer(size_t bytes, Time now, absl::FunctionRef<Inputs()> copy) {
  DropOld(now);
  ++seen_;
  size_t place = samples_.size();
  if (place >= limits_.samples) {
    place = static_cast<size_t>(random_() % seen_);
    if (place >= samples_.size()) return;
  }
  const size_t freed = place < samples_.size() ? samples_[place].bytes : 0;
  if (bytes_ - freed + bytes > limits_.bytes) return;
  if (place == samples_.size()) samples_.emplace_back();
  samples_[place] = {.inputs = copy(), .bytes = bytes, .taken = now};
  bytes_ = bytes_ - freed + bytes;
  oldest_ = std::min(oldest_, now);
}

std::vector<Inputs> Reservoir::TakeAll(Time now) {
  DropOld(now);
  std::vector<Inputs> all;
  for (Sample& sample : samples_) all.push_back(std::move(sample.inputs));
  samples_.clear();
  bytes_ = 0;
  oldest_ = Time::max();
  return all;
}

void Reservoir::DropOld(Time now) {
  if (samples_.empty() || now - oldest_ <= limits_.age) return;
  std::erase_if(samples_, [&](const Sample& sample) { return now - sample.taken > limits_.age; });
  bytes_ = 0;
  oldest_ = Time::max();
  for (const Sample& sample : samples_) {
    bytes_ += sample.bytes;
    oldest_ = std::min(oldest_, sample.taken);
  }
}

}  // namespace tandem::traffic
