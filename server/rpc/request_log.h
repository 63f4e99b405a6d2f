// RequestLog: lines about single requests: those that took long, with where their time went, or all of them.
//
// Bounded in lines a second, so that a flood of slow requests is not slowed further by its log; what was left out is
// counted and told with the next line. Ids and names come from clients and are quoted. Thread-safe; takes a lock only
// for what is to be written.
#ifndef TANDEM_SERVER_RPC_REQUEST_LOG_H_
#define TANDEM_SERVER_RPC_REQUEST_LOG_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/mutex.h"
#include "server/sync/time.h"

namespace tandem::rpc {

struct RequestEntry {
  std::string model, version, variant;  // empty: never known
  std::string id;
  std::string trace_id;  // 32 hexadecimal digits, or empty
  absl::Status status;
  int64_t rows = 0;
  int64_t bytes = 0;    // of the request's message
  Duration receive{0};  // from the arrival of its last byte until it was checked
  Duration queue{0};    // until a worker took it
  Duration gather{0};   // its batch's inputs
  Duration compute{0};  // its batch
  Duration reply{0};    // writing its answer
  Duration total{0};    // from the arrival until the answer was given to gRPC
};

struct RequestLogOptions {
  bool access = false;  // every request
  Duration slow{0};     // requests that took as long; 0: none
  bool json = false;    // fields of a JSON object in place of name=value
  // Lines a second, at most.
  int64_t most_slow = 10;
  int64_t most_access = 1000;
};

class RequestLog {
 public:
  // What to do with a line.
  using Sink = std::function<void(bool slow, const std::string& line)>;

  RequestLog(const RequestLogOptions& options, Sink sink) : options_(options), sink_(std::move(sink)) {}

  // Whether a request that took `total` until its results is to be written.
  bool Wants(Duration total) const { return options_.access || IsSlow(total); }
  bool WantsAll() const { return options_.access; }
  void Write(const RequestEntry& entry, Time now);

 private:
  struct Window {
    Time begin{};
    int64_t lines = 0;
    int64_t left_out = 0;
  };

  bool IsSlow(Duration total) const { return options_.slow.count() > 0 && total >= options_.slow; }
  // How many lines were left out since the last one; -1: this one is left out too.
  static int64_t Admit(Window& window, int64_t most, Time now);

  const RequestLogOptions options_;
  const Sink sink_;
  Mutex mutex_;
  Window slow_ ABSL_GUARDED_BY(mutex_);
  Window access_ ABSL_GUARDED_BY(mutex_);
};

// The trace id in a traceparent header (W3C Trace Context, level 1); empty when it is malformed or all zeros.
absl::string_view TraceIdOf(absl::string_view traceparent);

// Lines to the process's log, where SetUpLogging has made one for them.
RequestLog::Sink LogSink();

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_REQUEST_LOG_H_
