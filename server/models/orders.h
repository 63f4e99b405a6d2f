// Orders: what other threads want done by the thread that owns something, one order after the other. Thread-safe.
//
//   status = orders.Place([&] { return UnloadNow(model); });   // any other thread: returns when it has been done
//   orders.CarryOut();                                         // the owner, when told that one has come, and ever so
//   often
#ifndef TANDEM_SERVER_MODELS_ORDERS_H_
#define TANDEM_SERVER_MODELS_ORDERS_H_

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/mutex.h"
#include "server/sync/cond_var.h"

namespace tandem::models {

class Orders {
 public:
  // `on_arrival` is called from the thread that places an order.
  explicit Orders(std::function<void()> on_arrival) : on_arrival_(std::move(on_arrival)) {}

  // Blocks until the owner has carried out `order` and returns what that returned; UNAVAILABLE after Close. Never
  // called by the owner.
  absl::Status Place(std::function<absl::Status()> order);
  // The owner only: carries out what has been placed so far; whether there was anything.
  bool CarryOut();
  // Refuses what waits and whatever still comes: the owner ends.
  void Close();

 private:
  struct Order {
    std::function<absl::Status()> what;
    std::optional<absl::Status> result;  // guarded by mutex_; set when it is done with
  };

  const std::function<void()> on_arrival_;
  Mutex mutex_;
  CondVar done_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Order*> waiting_ ABSL_GUARDED_BY(mutex_);  // of the threads that wait in Place
};

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_ORDERS_H_
