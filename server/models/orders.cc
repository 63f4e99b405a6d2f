#include "server/models/orders.h"

namespace tandem::models {
namespace {

absl::Status Closed() { return absl::UnavailableError("the server is shutting down"); }

}  // namespace

absl::Status Orders::Place(std::function<absl::Status()> order) {
  Order mine{.what = std::move(order)};
  {
    MutexLock lock(mutex_);
    if (closed_) return Closed();
    waiting_.push_back(&mine);
  }
  on_arrival_();
  MutexLock lock(mutex_);
  while (!mine.result.has_value()) done_.Wait(mutex_);
  return *mine.result;
}

bool Orders::CarryOut() {
  std::vector<Order*> taken;
  {
    MutexLock lock(mutex_);
    taken.swap(waiting_);
  }
  for (Order* order : taken) {
    absl::Status result = order->what();
    MutexLock lock(mutex_);
    order->result = std::move(result);
    done_.NotifyAll();
  }
  return !taken.empty();
}

void Orders::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  for (Order* order : std::exchange(waiting_, {})) order->result = Closed();
  done_.NotifyAll();
}

}  // namespace tandem::models
