// App: the daemon, put together from its parts.
//
//   App app(config);
//   status = app.Start();      // listens, loads in the background
//   app.RunUntilStopped();     // writes the ready file, returns after RequestStop has drained everything
#ifndef TANDEM_SERVER_APP_APP_H_
#define TANDEM_SERVER_APP_APP_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "config/server_config.h"
#include "engine/mutex.h"
#include "server/http/http_server.h"
#include "server/metrics/exposition.h"
#include "server/models/loader.h"
#include "server/models/registry.h"
#include "server/resources/cgroups.h"
#include "server/resources/memory_budget.h"
#include "server/rpc/grpc_server.h"
#include "server/scheduling/dispatcher.h"
#include "server/scheduling/inline_runner.h"
#include "server/scheduling/worker_pool.h"
#include "server/sync/cond_var.h"

namespace tandem::app {

class App {
 public:
  explicit App(const config::ServerConfig& config);
  ~App();

  // Binds the addresses and starts to load. UNAVAILABLE when an address cannot be bound.
  absl::Status Start();
  // From any thread: the server stops being ready and drains.
  void RequestStop();
  // Returns when RequestStop was called and everything in flight has ended.
  absl::Status RunUntilStopped();

 private:
  bool Ready() const;
  metrics::ServerSample Sample();
  absl::Status WriteReadyFile() const;
  // Takes in a change of the cores that may be used.
  void FollowLimits();
  void Drain();

  const config::ServerConfig config_;
  const resources::Cgroups cgroups_;
  const resources::MemoryBudget memory_;
  int cores_ = 0;  // as last told; of the thread that runs the app
  // Members end in reverse order: ports first, versions last.
  models::Registry registry_;
  scheduling::Dispatcher dispatcher_;
  scheduling::InlineRunner inline_runner_{dispatcher_};
  models::Loader loader_;
  std::unique_ptr<scheduling::WorkerPool> workers_;
  std::unique_ptr<http::HttpServer> http_;
  std::unique_ptr<rpc::GrpcServer> grpc_;

  std::atomic<bool> draining_{false};
  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tandem::app

#endif  // TANDEM_SERVER_APP_APP_H_
