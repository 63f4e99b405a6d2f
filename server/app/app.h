// App: the daemon, put together from its parts.
//
//   App app(config);
//   status = app.Start();      // listens, loads in the background
//   app.RunUntilStopped();     // writes the ready file, returns after RequestStop has drained everything
#ifndef TANDEM_SERVER_APP_APP_H_
#define TANDEM_SERVER_APP_APP_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "config/server_config.h"
#include "engine/mutex.h"
#include "server/admin/admin_server.h"
#include "server/evidence/ledgers.h"
#include "server/http/http_server.h"
#include "server/metrics/exposition.h"
#include "server/models/loader.h"
#include "server/models/registry.h"
#include "server/quantization/evaluator.h"
#include "server/resources/cgroups.h"
#include "server/resources/memory_budget.h"
#include "server/routing/routes.h"
#include "server/rpc/grpc_server.h"
#include "server/scheduling/dispatcher.h"
#include "server/scheduling/inline_runner.h"
#include "server/scheduling/worker_pool.h"
#include "server/settings/log_settings.h"
#include "server/shadow/candidacies.h"
#include "server/shadow/outcomes.h"
#include "server/shadow/promoter.h"
#include "server/shadow/runner.h"
#include "server/state/store.h"
#include "server/state/writer.h"
#include "server/sync/cond_var.h"

namespace tandem::app {

class App {
 public:
  explicit App(const config::ServerConfig& config);
  ~App();

  // Opens the state, binds the addresses and starts to load. UNAVAILABLE when an address cannot be bound;
  // FAILED_PRECONDITION when another server uses the state, or a newer one wrote it.
  absl::Status Start();
  // From any thread: the server stops being ready and drains.
  void RequestStop();
  // Returns when RequestStop was called, the drain delay has passed and everything in flight has ended.
  absl::Status RunUntilStopped();

 private:
  bool Ready() const;
  rpc::ModelControl PublicControl();
  // A state folder that cannot be written is a warning: then what is learned is forgotten with the process.
  absl::Status OpenState();
  absl::Status StartAdmin();
  // Evidence goes into the state, once that is open.
  evidence::Keeping EvidenceKeeping();
  void Record(const std::optional<state::Event>& event);
  metrics::ServerSample Sample();
  absl::Status WriteReadyFile() const;
  // Takes in a change of the cores that may be used.
  void FollowLimits();
  void Drain();

  const config::ServerConfig config_;
  const resources::Cgroups cgroups_;
  const resources::MemoryBudget memory_;
  int cores_ = 0;  // as last told; of the thread that runs the app
  settings::LogSettings log_settings_;
  metrics::LifeMetrics life_;
  // Members end in reverse order: ports first, versions last.
  models::Registry registry_;
  std::unique_ptr<state::StateStore> state_;
  std::unique_ptr<state::Writer> writer_;
  std::unique_ptr<routing::Routes> routes_;
  quantization::Evaluator evaluator_;
  scheduling::Dispatcher dispatcher_;
  scheduling::InlineRunner inline_runner_{dispatcher_};
  evidence::Ledgers ledgers_;
  shadow::Promoter promoter_;
  shadow::Candidacies candidacies_{registry_, ledgers_};
  shadow::Outcomes outcomes_{registry_, ledgers_, promoter_};
  shadow::Runner shadow_runner_;
  models::Loader loader_;
  std::unique_ptr<scheduling::WorkerPool> workers_;
  std::unique_ptr<http::HttpServer> http_;
  std::unique_ptr<rpc::GrpcServer> grpc_;
  std::unique_ptr<admin::AdminServer> admin_;

  std::atomic<bool> draining_{false};
  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tandem::app

#endif  // TANDEM_SERVER_APP_APP_H_
