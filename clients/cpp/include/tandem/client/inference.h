// A request for inference and its answer. Plain data, for one thread at a time.
//
//   InferRequest request;
//   request.model = "fashion_mnist";
//   request.inputs = {Tensor::Of<float>("pixels", {1, 1, 28, 28}, pixels)};
//   const absl::StatusOr<InferResult> result = client->Infer(request);
//   if (!result.ok()) return result.status();
//   const absl::StatusOr<absl::Span<const float>> probabilities = result->Values<float>("probabilities");
#ifndef TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_INFERENCE_H_
#define TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_INFERENCE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tandem/client/tensor.h"

namespace tandem::client {

struct InferRequest {
  std::string model;
  std::vector<Tensor> inputs;                  // of the model's own types and shapes, batch included, in any order
  std::vector<std::string> outputs;            // the names wanted; none: all
  int64_t version = 0;                         // 0: the one that serves
  std::string variant;                         // "fp32" or "int8"; empty: whichever the model's route picks
  std::string routing_key;                     // by the route `split`, requests with the same key get the same variant
  int priority = 0;                            // 1, the most urgent, to 10; 0 is like 10
  std::chrono::microseconds queue_timeout{0};  // how long it may wait for a worker; 0: as its deadline allows
  std::string id;                              // comes back with the answer; an outcome is reported by it
};

struct InferResult {
  std::string model;
  int64_t version = 0;  // which computed it, and in which precision
  std::string variant;
  std::string id;               // the request's, or one that the server made up
  std::vector<Tensor> outputs;  // as they were asked for, or in the model's order: views of `storage`
  std::shared_ptr<const void> storage;

  // The output of that name, or null.
  const Tensor* Find(absl::string_view output) const;

  // Its values, which live as long as this result or a copy of it. NOT_FOUND without such an output, INVALID_ARGUMENT
  // when it is of another type.
  template <typename T>
  absl::StatusOr<absl::Span<const T>> Values(absl::string_view output) const {
    const Tensor* found = Find(output);
    if (found == nullptr) return NoSuchOutput(output);
    return found->Values<T>();
  }

 private:
  absl::Status NoSuchOutput(absl::string_view output) const;
};

}  // namespace tandem::client

#endif  // TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_INFERENCE_H_
