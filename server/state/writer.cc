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

std::shared_ptr<Writer::Batch> Writer::PostLocked(const Changes& changes) {
  if (waiting_ == nullptr) waiting_ = std::make_shared<Batch>();
  Append(changes, waiting_->changes);
  wake_.NotifyAll();
  return waiting_;
}

void Writer::Post(const Changes& changes) {
  MutexLock lock(mutex_);
  PostLocked(changes);
}

absl::Status Writer::Write(const Changes& changes) {
  MutexLock lock(mutex_);
  const std::shared_ptr<Batch> batch = PostLocked(changes);
  while (!batch->done) written_.Wait(mutex_);
  return batch->status;
}

uint64_t Writer::losses() const {
  MutexLock lock(mutex_);
  return losses_;
}

void Writer::Loop() {
  pthread_setname_np(pthread_self(), "state");
  while (true) {
    std::shared_ptr<Batch> batch;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && waiting_ == nullptr) wake_.Wait(mutex_);
      batch = std::exchange(waiting_, nullptr);
    }
    if (batch == nullptr) return;
    const absl::Status status = store_.Write(batch->changes);
    if (!status.ok() && on_error_) on_error_(status);
    MutexLock lock(mutex_);
    batch->done = true;
    batch->status = status;
    if (!status.ok()) ++losses_;
    written_.NotifyAll();
  }
}

}  // namespace tandem::state
