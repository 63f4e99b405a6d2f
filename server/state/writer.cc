#include "server/state/writer.h"

#include <pthread.h>

#include <utility>

namespace tandem::state {
namespace {

// Events are the only part that grows; nobody reads that many of one moment.
constexpr size_t kMostEvents = 10'000;

template <typename Map>
void AppendMap(const Map& later, Map& map) {
  for (const auto& [key, value] : later) map.insert_or_assign(key, value);
}

}  // namespace

void Append(const Changes& later, Changes& changes) {
  AppendMap(later.routes, changes.routes);
  AppendMap(later.rejected, changes.rejected);
  AppendMap(later.unloaded, changes.unloaded);
  AppendMap(later.blobs, changes.blobs);
  changes.events.insert(changes.events.end(), later.events.begin(), later.events.end());
  if (changes.events.size() > kMostEvents)
    changes.events.erase(changes.events.begin(), changes.events.end() - kMostEvents);
}

Writer::Writer(StateStore& store, std::function<void(const absl::Status&)> on_error)
    : store_(store), on_error_(std::move(on_error)), thread_(&Writer::Loop, this) {}

Writer::~Writer() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  thread_.join();
}

void Writer::Post(const Changes& changes) {
  MutexLock lock(mutex_);
  Append(changes, pending_);
  ++posted_;
  wake_.NotifyAll();
}

absl::Status Writer::Flush() {
  MutexLock lock(mutex_);
  const uint64_t before = done_, mine = posted_;
  while (done_ < mine) written_.Wait(mutex_);
  return failed_ > before ? error_ : absl::OkStatus();
}

void Writer::Loop() {
  pthread_setname_np(pthread_self(), "state");
  while (true) {
    Changes changes;
    uint64_t until = 0;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && done_ == posted_) wake_.Wait(mutex_);
      if (done_ == posted_) return;
      changes = std::exchange(pending_, {});
      until = posted_;
    }
    const absl::Status status = store_.Write(changes);
    if (!status.ok() && on_error_) on_error_(status);
    MutexLock lock(mutex_);
    done_ = until;
    if (!status.ok()) {
      failed_ = until;
      error_ = status;
    }
    written_.NotifyAll();
  }
}

}  // namespace tandem::state
