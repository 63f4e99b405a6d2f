// What a client is told when it is made, and what a call is told beyond its request. Plain data: made, filled and
// passed.
#ifndef TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_OPTIONS_H_
#define TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_OPTIONS_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace tandem::client {

// Paths of PEM files, read once, when the client is made.
struct TlsFiles {
  std::string ca;    // who may have signed the server's certificate; empty: those that gRPC comes with
  std::string cert;  // what is shown to a server that asks for a certificate, and its key; both or neither
  std::string key;
  std::string server_name;  // what the server's certificate is for; empty: the target's host
};

// Which failures are tried again, and when. gRPC itself does it, so the server may say otherwise: an answer's metadata
// "grpc-retry-pushback-ms" is the wait before the next attempt, or forbids one when it is negative.
//
// Every call of this library may be tried again: inference changes nothing in the server, and the rest are questions.
struct RetryPolicy {
  int attempts = 4;  // from 1, which turns it off, to 5, the most that gRPC makes
  // The wait before the second attempt, give or take a fifth by chance, so that clients that were refused together do
  // not come back together. It grows by `factor` with each attempt, up to `longest_wait`. None starts after the
  // deadline.
  std::chrono::milliseconds first_wait{100};
  double factor = 2;
  std::chrono::milliseconds longest_wait{2000};
  // CANCELLED is what a request gets that arrives while gRPC's server ends. What this client cancels is not tried
  // again.
  std::vector<absl::StatusCode> codes = {absl::StatusCode::kUnavailable, absl::StatusCode::kResourceExhausted,
                                         absl::StatusCode::kCancelled};
};

struct ClientOptions {
  std::optional<TlsFiles> tls;  // nothing: plain text
  std::string token;            // goes with every call as "authorization: Bearer"; empty: none
  // The deadline of calls that have none of their own, all attempts included: there is no call without one.
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);
  RetryPolicy retry;
  // How often a connection is looked after, used or not, so that one that was cut off is noticed within this time and
  // 10 s. At least 10 s, as the server wants 5 s between two pings; 0: never.
  std::chrono::milliseconds keepalive = std::chrono::minutes(1);
};

struct CallOptions {
  // The deadline: how long all attempts may take together, from when the call is made. Nothing: the client's.
  std::optional<std::chrono::nanoseconds> timeout;
};

}  // namespace tandem::client

#endif  // TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_OPTIONS_H_
