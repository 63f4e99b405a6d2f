#include "server/http/http_server.h"

#include <httplib.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "config/values.h"
#include "server/sync/background.h"

namespace tandem::http {
namespace {

// Scrapes and probes are few; a slow client must not hold up the others. Writing what a scrape of many models gets
// takes milliseconds, in which requests must not wait.
constexpr size_t kThreads = 4;
constexpr time_t kTimeoutSeconds = 5;

}  // namespace

struct HttpServer::State {
  httplib::Server server;
  std::string address;
  std::thread thread;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  state_->server.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

const std::string& HttpServer::address() const { return state_->address; }

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address, Handlers handlers) {
  auto state = std::make_unique<State>();
  httplib::Server& server = state->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_read_timeout(kTimeoutSeconds);
  server.set_write_timeout(kTimeoutSeconds);
  server.set_keep_alive_timeout(kTimeoutSeconds);
  // Two daemons on one port would share its connections without a word.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server.Get("/metrics", [metrics = handlers.metrics](const httplib::Request&, httplib::Response& response) {
    response.set_content(metrics(), "text/plain; version=0.0.4; charset=utf-8");
  });
  server.Get("/livez", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("live\n", "text/plain");
  });
  server.Get("/readyz", [ready = handlers.ready](const httplib::Request&, httplib::Response& response) {
    const bool is_ready = ready();
    response.status = is_ready ? 200 : 503;
    response.set_content(is_ready ? "ready\n" : "not ready\n", "text/plain");
  });

  const config::HostPort where = config::SplitAddress(address);
  int port = where.port;
  if (port == 0) {
    port = server.bind_to_any_port(where.host);
  } else if (!server.bind_to_port(where.host, port)) {
    port = -1;
  }
  if (port < 0) return absl::UnavailableError(absl::StrCat("cannot listen on ", address, " (http_address)"));
  state->address = absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
  state->thread = std::thread([&server] {
    EnterBackground("http", /*niceness=*/19);
    server.listen_after_bind();
  });
  // stop() before the thread listens would be lost.
  while (!server.is_running()) std::this_thread::yield();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

}  // namespace tandem::http
