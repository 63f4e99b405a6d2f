// What a server tells of itself and its models. Plain data.
#ifndef TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_METADATA_H_
#define TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_METADATA_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace tandem::client {

struct ServerMetadata {
  std::string name;
  std::string version;
  std::vector<std::string> extensions;  // of the protocol, those that are spoken
};

struct TensorMetadata {
  std::string name;
  std::string datatype;        // as "FP32"
  std::vector<int64_t> shape;  // the batch included; -1 is a free dimension
};

struct ModelMetadata {
  std::string name;
  std::vector<int64_t> versions;
  std::string platform;
  std::vector<TensorMetadata> inputs;
  std::vector<TensorMetadata> outputs;
};

// One version in the server's repository.
struct IndexEntry {
  std::string model;
  int64_t version = 0;  // 0: none was found
  std::string state;    // READY, LOADING, UNLOADING or UNAVAILABLE
  std::string reason;   // why; of a version that is READY, the state of its int8
};

// A number of requests, and the time they took together.
struct Duration {
  uint64_t count = 0;
  std::chrono::nanoseconds total{0};
};

// Of one version, since it was loaded, its variants together.
struct ModelStatistics {
  std::string model;
  int64_t version = 0;
  uint64_t rows = 0;     // inferred
  uint64_t batches = 0;  // run for them
  Duration success;
  Duration fail;
  Duration queue;
  Duration compute;
};

}  // namespace tandem::client

#endif  // TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_METADATA_H_
