// The client against real servers. test_requests.py starts them and says in the environment where they are; what models
// they serve is written there too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tandem/client/client.h"

namespace tandem::client {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set; run test_requests.py");
  return value;
}

std::string Target() { return Environment("TANDEM_SERVER"); }

std::unique_ptr<Client> Connect(ClientOptions options = {}) {
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Create(Target(), std::move(options));
  if (!client.ok()) throw std::runtime_error(client.status().ToString());
  return *std::move(client);
}

// A request to the model m, which adds 10 in fp32 and 20 in int8. Its input views `values`.
InferRequest Request(const std::vector<float>& values) {
  InferRequest request;
  request.model = "m";
  request.inputs = {Tensor::Of<float>("x", {static_cast<int64_t>(values.size()) / 2, 2}, values)};
  return request;
}

std::vector<float> Answer(const absl::StatusOr<InferResult>& result) {
  EXPECT_TRUE(result.ok()) << result.status();
  if (!result.ok()) return {};
  const absl::StatusOr<absl::Span<const float>> values = result->Values<float>("y");
  EXPECT_TRUE(values.ok()) << values.status();
  return values.ok() ? std::vector<float>(values->begin(), values->end()) : std::vector<float>();
}

TEST(Requests, AnswersSayWhatComputedThem) {
  const auto client = Connect();
  const std::vector<float> values = {1, 2, 3, 4};
  InferRequest request = Request(values);
  request.id = "order-17";
  const absl::StatusOr<InferResult> result = client->Infer(request);
  EXPECT_THAT(Answer(result), ElementsAre(11, 12, 13, 14));
  EXPECT_EQ(result->model, "m");
  EXPECT_EQ(result->version, 1);
  EXPECT_EQ(result->variant, "fp32");
  EXPECT_EQ(result->id, "order-17");
  EXPECT_THAT(result->Find("y")->shape(), ElementsAre(2, 2));
}

TEST(Requests, TheVariantIsTheRequests) {
  const auto client = Connect();
  const std::vector<float> values = {1, 2};
  InferRequest request = Request(values);
  request.variant = "int8";
  request.version = 1;
  request.priority = 1;
  request.routing_key = "customer-3";
  request.queue_timeout = std::chrono::seconds(20);
  request.outputs = {"y"};
  const absl::StatusOr<InferResult> result = client->Infer(request);
  EXPECT_THAT(Answer(result), ElementsAre(21, 22));
  EXPECT_EQ(result->variant, "int8");
  request.variant = "int4";
  EXPECT_EQ(client->Infer(request).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace tandem::client
