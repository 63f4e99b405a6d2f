// Load: requests of one kind to the public port, from several clients at once, and how long each took.
#ifndef TANDEM_CLIENTS_CLI_LOAD_H_
#define TANDEM_CLIENTS_CLI_LOAD_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/inference.grpc.pb.h"

namespace tandem::cli {

// Shapes that were given for inputs, by name.
using Shapes = std::map<std::string, std::vector<int64_t>>;

// "pixels:1,3,224,224". INVALID_ARGUMENT when it is no name with dimensions of at least 1.
absl::Status AddShape(absl::string_view text, Shapes& shapes);

// A request with random inputs: numbers in [0, 1), whole numbers 0 or 1. Where a dimension is free and no shape was
// given the first is 1 row, the others 1. INVALID_ARGUMENT for shapes of inputs that there are not, and for BYTES.
absl::StatusOr<inference::ModelInferRequest> RandomRequest(const inference::ModelMetadataResponse& model,
                                                           const Shapes& shapes);

struct LoadResult {
  std::vector<double> seconds;  // of each request that was answered
  int64_t failed = 0;
  std::string error;         // of the first that failed
  double total_seconds = 0;  // that requests were sent

  // The time that `share` of the requests took at most, by nearest rank; 0 without any. `seconds` must be sorted.
  double Quantile(double share) const;
};

// Each client sends its next request when it has its answer, until `duration` is over. Adds to `result`.
void SendLoad(inference::GRPCInferenceService::Stub& stub, const inference::ModelInferRequest& request, int clients,
              std::chrono::nanoseconds duration, LoadResult& result);

}  // namespace tandem::cli

#endif  // TANDEM_CLIENTS_CLI_LOAD_H_
