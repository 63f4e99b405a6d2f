// HttpServer: /metrics, /livez and /readyz.
#ifndef TANDEM_SERVER_HTTP_HTTP_SERVER_H_
#define TANDEM_SERVER_HTTP_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tandem::http {

// Called from the server's own threads, several at once.
struct Handlers {
  std::function<std::string()> metrics;  // Prometheus text
  std::function<bool()> ready;
};

class HttpServer {
 public:
  // Listens on `address` (HOST:PORT, port 0: any free) at once. UNAVAILABLE when it cannot be bound.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& address, Handlers handlers);
  ~HttpServer();

  // HOST:PORT as bound.
  const std::string& address() const;

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tandem::http

#endif  // TANDEM_SERVER_HTTP_HTTP_SERVER_H_
