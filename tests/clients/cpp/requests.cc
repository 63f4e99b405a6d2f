// The client against real servers. test_requests.py starts them and says in the environment where they are; what models
// they serve is written there too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_replace.h"
#include "tandem/client/client.h"

namespace tandem::client {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
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

TEST(Requests, ManyAreInFlightTogether) {
  constexpr int kRequests = 500;
  const auto client = Connect();
  std::atomic<int> right{0}, left{kRequests};
  std::promise<void> all;
  for (int i = 0; i < kRequests; ++i) {
    const std::vector<float> values = {static_cast<float>(i), 0};
    client->InferAsync(Request(values), [&, i](absl::StatusOr<InferResult> result) {
      const std::vector<float> answer = Answer(result);
      right += !answer.empty() && answer[0] == static_cast<float>(i + 10);
      if (left.fetch_sub(1) == 1) all.set_value();
    });
  }
  all.get_future().get();
  EXPECT_EQ(right, kRequests);
}

TEST(Requests, OneClientIsForManyThreads) {
  const auto client = Connect();
  std::vector<std::future<int>> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.push_back(std::async(std::launch::async, [&, thread] {
      int right = 0;
      for (int i = 0; i < 100; ++i) {
        const std::vector<float> values = {static_cast<float>(thread), static_cast<float>(i)};
        right += Answer(client->Infer(Request(values))) == std::vector<float>{values[0] + 10, values[1] + 10};
      }
      return right;
    }));
  }
  for (auto& thread : threads) EXPECT_EQ(thread.get(), 100);
}

// By a model of each datatype, which gives back what it gets.
template <typename T>
void ExpectBack(Client& client, const std::vector<T>& values) {
  InferRequest request;
  request.model = std::string(DataTypeOf<T>());
  request.inputs = {Tensor::Of<T>("x", {1, 3}, values)};
  const absl::StatusOr<InferResult> result = client.Infer(request);
  ASSERT_TRUE(result.ok()) << result.status();
  const absl::StatusOr<absl::Span<const T>> answer = result->Values<T>("y");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(result->Find("y")->bytes(), request.inputs[0].bytes()) << request.model;
}

TEST(Requests, EveryDatatypeComesBackAsItWent) {
  const auto client = Connect();
  ExpectBack<int8_t>(*client, {-128, 0, 127});
  ExpectBack<int16_t>(*client, {-32768, 0, 32767});
  ExpectBack<int32_t>(*client, {-2, 0, 70000});
  ExpectBack<int64_t>(*client, {-2, 0, int64_t{1} << 40});
  ExpectBack<uint8_t>(*client, {0, 1, 255});
  ExpectBack<uint16_t>(*client, {0, 1, 65535});
  ExpectBack<uint32_t>(*client, {0, 1, 1u << 31});
  ExpectBack<uint64_t>(*client, {0, 1, uint64_t{1} << 40});
  ExpectBack<float>(*client, {0.5, -1, 1e20F});
  ExpectBack<double>(*client, {0.5, -1, 1e100});
  ExpectBack<Float16>(*client, {{0x3c00}, {0xbc00}, {0}});
  ExpectBack<BFloat16>(*client, {{0x3f80}, {0xbf80}, {0}});
}

TEST(Requests, BooleansToo) {
  const auto client = Connect();
  const bool values[] = {true, false, true};
  InferRequest request;
  request.model = "BOOL";
  request.inputs = {Tensor::Of<bool>("x", {1, 3}, values)};
  EXPECT_THAT(*client->Infer(request)->Values<bool>("y"), ElementsAre(true, false, true));
}

TEST(Requests, AWrongShapeIsRefusedByName) {
  const auto client = Connect();
  const std::vector<float> values = {1, 2, 3};
  InferRequest request = Request(values);
  request.inputs = {Tensor::Of<float>("x", {1, 3}, values)};
  const absl::Status refused = client->Infer(request).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("inference by \"m\" at " + Target()), HasSubstr("\"x\""), HasSubstr("[1,3]")));
  request.inputs = {Tensor::Of<float>("x", {2, 2}, values)};
  EXPECT_THAT(std::string(client->Infer(request).status().message()), HasSubstr("takes 16 bytes, got 12"));
}

TEST(Requests, UnknownModelsAreNotFound) {
  const auto client = Connect();
  InferRequest request = Request({});
  request.model = "n";
  EXPECT_EQ(client->Infer(request).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(client->Metadata("n").status().code(), absl::StatusCode::kNotFound);
}

TEST(Requests, AModelIsDescribed) {
  const auto client = Connect();
  const absl::StatusOr<ModelMetadata> metadata = client->Metadata("m", 1);
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_THAT(metadata->versions, ElementsAre(1));
  ASSERT_EQ(metadata->inputs.size(), 1u);
  EXPECT_EQ(metadata->inputs[0].name, "x");
  EXPECT_EQ(metadata->inputs[0].datatype, "FP32");
  EXPECT_THAT(metadata->inputs[0].shape, ElementsAre(-1, 2));
  const auto parameters = client->ModelParameters("m");
  ASSERT_TRUE(parameters.ok()) << parameters.status();
  EXPECT_EQ(parameters->at("variants"), "fp32,int8");
  EXPECT_EQ(parameters->at("route.mode"), "fp32");
}

TEST(Requests, RequestsAreCounted) {
  const auto client = Connect();
  const auto before = client->Statistics("m", 1);
  ASSERT_TRUE(before.ok()) << before.status();
  ASSERT_TRUE(client->Infer(Request({1, 2})).ok());
  const auto after = client->Statistics("m");
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->at(0).success.count, before->at(0).success.count + 1);
  EXPECT_EQ(after->at(0).rows, before->at(0).rows + 1);
  EXPECT_GT(after->at(0).success.total.count(), before->at(0).success.total.count());
}

TEST(Requests, TheServerTellsOfItself) {
  const auto client = Connect();
  EXPECT_TRUE(*client->Live());
  EXPECT_TRUE(*client->Ready());
  EXPECT_TRUE(*client->ModelReady("m"));
  EXPECT_TRUE(*client->ModelReady("m", 1));
  EXPECT_EQ(client->ModelReady("m", 9).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(client->Server()->name, "tandem");
  const auto models = client->Models();
  ASSERT_TRUE(models.ok()) << models.status();
  EXPECT_THAT(*models, Contains(AllOf(Field(&IndexEntry::model, "m"), Field(&IndexEntry::version, 1),
                                      Field(&IndexEntry::state, "READY"))));
}

// Of a model whose only worker is busy with one of these for a while, and whose queue holds one more.
std::vector<absl::StatusCode> AskAtOnce(Client& client) {
  const std::vector<float> values(400000);
  std::vector<std::future<absl::StatusOr<InferResult>>> results;
  for (int i = 0; i < 6; ++i) results.push_back(client.InferAsync(Request(values)));
  std::vector<absl::StatusCode> codes;
  for (auto& result : results) codes.push_back(result.get().status().code());
  return codes;
}

TEST(Overload, AFullQueueRefusesAndRetriesGetThrough) {
  EXPECT_THAT(AskAtOnce(*Connect({.retry = {.attempts = 1}})), Contains(absl::StatusCode::kResourceExhausted));
  RetryPolicy patient;
  patient.attempts = 5;
  patient.first_wait = std::chrono::milliseconds(200);
  patient.factor = 3;
  patient.longest_wait = std::chrono::seconds(10);
  EXPECT_THAT(AskAtOnce(*Connect({.retry = patient})), Each(absl::StatusCode::kOk));
}

TEST(Overload, ADeadlineIsKept) {
  const auto client = Connect();
  const std::vector<float> values(400000);
  EXPECT_EQ(client->Infer(Request(values), {.timeout = std::chrono::milliseconds(1)}).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(Tls, ACertificateIsShown) {
  TlsFiles files{.ca = Environment("TANDEM_CA"), .cert = Environment("TANDEM_CERT"), .key = Environment("TANDEM_KEY")};
  const std::vector<float> values = {1, 2};
  EXPECT_THAT(Answer(Connect({.tls = files})->Infer(Request(values))), ElementsAre(11, 12));
}

// It is for 127.0.0.1.
TEST(Tls, TheCertificatesNameMayBeAnotherThanTheTargets) {
  const std::string target = absl::StrReplaceAll(Target(), {{"127.0.0.1", "localhost"}});
  TlsFiles files{.ca = Environment("TANDEM_CA"), .cert = Environment("TANDEM_CERT"), .key = Environment("TANDEM_KEY")};
  const RetryPolicy once{.attempts = 1};
  EXPECT_EQ((*Client::Create(target, {.tls = files, .retry = once}))->Live().status().code(),
            absl::StatusCode::kUnavailable);
  files.server_name = "127.0.0.1";
  const absl::StatusOr<bool> live = (*Client::Create(target, {.tls = files, .retry = once}))->Live();
  EXPECT_TRUE(live.ok()) << live.status();
}

TEST(Tls, StrangersAreNotLetIn) {
  const RetryPolicy once{.attempts = 1};
  const TlsFiles nothing_to_show{.ca = Environment("TANDEM_CA")}, another_root{.ca = Environment("TANDEM_OTHER_CA")};
  for (const auto& tls : {std::optional<TlsFiles>(), std::optional(nothing_to_show), std::optional(another_root)}) {
    EXPECT_EQ(Connect({.tls = tls, .retry = once})->Live().status().code(), absl::StatusCode::kUnavailable);
  }
}

// Asks until standard input ends, and prints each answer that is another than the one before.
TEST(Restart, NoRequestFails) {
  RetryPolicy patient;
  patient.attempts = 5;
  patient.first_wait = std::chrono::milliseconds(500);
  patient.factor = 3;
  patient.longest_wait = std::chrono::seconds(10);
  const auto client = Connect({.retry = patient});
  std::atomic<bool> over{false};
  std::thread reader([&over] {
    while (std::cin.get() != std::istream::traits_type::eof()) continue;
    over = true;
  });
  std::vector<float> last;
  do {
    const std::vector<float> answer = Answer(client->Infer(Request({1, 2})));
    if (answer != last) std::cout << "answer " << testing::PrintToString(answer) << std::endl;
    last = answer;
  } while (!over && !HasFailure());
  reader.join();
}

}  // namespace
}  // namespace tandem::client
