#include "tandem/client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/clients/cpp/fake_server.h"

namespace tandem::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const std::vector<float> kValues = {1, 2};

InferRequest Request() {
  InferRequest request;
  request.model = "m";
  request.inputs = {Tensor::Of<float>("x", {1, 2}, kValues)};
  return request;
}

ClientOptions Quick() {
  ClientOptions options;
  options.retry.first_wait = milliseconds(1);
  return options;
}

std::unique_ptr<Client> Connect(const std::string& target, ClientOptions options = Quick()) {
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Create(target, std::move(options));
  if (!client.ok()) throw std::runtime_error(client.status().ToString());
  return *std::move(client);
}

TEST(Client, AnswersSayWhatComputedThem) {
  FakeServer server;
  InferRequest request = Request();
  request.id = "order-17";
  const auto result = Connect(server.address())->Infer(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->version, 3);
  EXPECT_EQ(result->variant, "fp32");
  EXPECT_EQ(result->id, "order-17");
  EXPECT_THAT(*result->Values<float>("y"), ElementsAre(1, 2));
}

TEST(Client, ABusyOrLeavingServerIsAskedAgain) {
  FakeServer server({kBusy, kGone, kEnding});
  EXPECT_TRUE(Connect(server.address())->Infer(Request()).ok());
  EXPECT_THAT(server.calls(), SizeIs(4));
  EXPECT_EQ(server.calls()[3]["grpc-previous-rpc-attempts"], "3");
}

TEST(Client, AttemptsEndAndTheErrorNamesModelAndTarget) {
  FakeServer server(std::vector<Step>(9, kBusy));
  EXPECT_EQ(Connect(server.address())->Infer(Request()).status(),
            absl::ResourceExhaustedError("inference by \"m\" at " + server.address() + ": as told"));
  EXPECT_THAT(server.calls(), SizeIs(4));
}

TEST(Client, OtherFailuresAreFinal) {
  FakeServer server({kWrong});
  EXPECT_EQ(Connect(server.address())->Infer(Request()).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(server.calls(), SizeIs(1));
}

TEST(Client, WhatIsTriedAgainIsTheCallersChoice) {
  ClientOptions options = Quick();
  options.retry.codes = {absl::StatusCode::kInvalidArgument};
  FakeServer wrong({kWrong});
  EXPECT_TRUE(Connect(wrong.address(), options)->Infer(Request()).ok());
  options = Quick();
  options.retry.attempts = 1;
  FakeServer busy({kBusy});
  EXPECT_EQ(Connect(busy.address(), options)->Infer(Request()).status().code(), absl::StatusCode::kResourceExhausted);
}

// gRPC by itself keeps 256 KiB of a request for another attempt.
TEST(Client, LargeRequestsAreTriedAgainToo) {
  FakeServer server({kBusy, kGone});
  const std::vector<float> values(1 << 20, 5);
  InferRequest request = Request();
  request.inputs = {Tensor::Of<float>("x", {1 << 20}, values)};
  const auto result = Connect(server.address())->Infer(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Values<float>("y")->back(), 5);
  EXPECT_THAT(server.calls(), SizeIs(3));
}

TEST(Client, TheServerMayPushBack) {
  Step gone = kGone;
  gone.pushback = "-1";
  FakeServer never({gone});
  EXPECT_EQ(Connect(never.address())->Infer(Request()).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(never.calls(), SizeIs(1));
  ClientOptions slow;
  slow.retry.first_wait = slow.retry.longest_wait = seconds(1000);
  gone.pushback = "1";
  FakeServer soon({gone});
  EXPECT_TRUE(Connect(soon.address(), slow)->Infer(Request()).ok());
}

TEST(Client, ASilentServerCostsNoMoreThanTheDeadline) {
  FakeServer server({kSilent, kSilent});
  ClientOptions options;
  options.timeout = milliseconds(30);
  const auto status = Connect(server.address(), options)->Infer(Request()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("inference by \"m\" at " + server.address()));
  const auto client = Connect(server.address());
  EXPECT_EQ(client->Infer(Request(), {.timeout = milliseconds(30)}).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(server.calls(), SizeIs(2));
}

TEST(Client, NoAttemptStartsAfterTheDeadline) {
  FakeServer server({kBusy});
  ClientOptions options;
  options.retry.first_wait = options.retry.longest_wait = seconds(1000);
  EXPECT_EQ(Connect(server.address(), options)->Infer(Request(), {.timeout = milliseconds(50)}).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(server.calls(), SizeIs(1));
}

TEST(Client, ADeadlineMayBeAsFarAsThereIsTime) {
  FakeServer server;
  EXPECT_TRUE(Connect(server.address())->Infer(Request(), {.timeout = std::chrono::nanoseconds::max()}).ok());
}

TEST(Client, TheTokenGoesWithEveryAttempt) {
  FakeServer server({kBusy});
  ClientOptions options = Quick();
  options.token = "0123456789abcdef";
  EXPECT_TRUE(Connect(server.address(), options)->Infer(Request()).ok());
  ASSERT_THAT(server.calls(), SizeIs(2));
  for (auto& call : server.calls()) EXPECT_EQ(call["authorization"], "Bearer 0123456789abcdef");
}

TEST(Client, NobodyThereIsUnavailable) {
  const std::string address = FakeServer().address();
  const auto status = Connect(address)->Infer(Request()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(address));
}

TEST(Client, RequestsGoRoundTheAddressesOfATarget) {
  FakeServer first, second;
  const auto client = Connect("ipv4:" + first.address() + "," + second.address());
  // The first connection is used while the second is made.
  for (int i = 0; i < 1000 && (first.calls().empty() || second.calls().empty()); ++i) {
    ASSERT_TRUE(client->Infer(Request()).ok());
  }
  const size_t before = first.calls().size();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(client->Infer(Request()).ok());
  EXPECT_EQ(first.calls().size(), before + 5);
}

TEST(Client, AnAnswerThatIsNotOfTheProtocolIsInternal) {
  FakeServer server({kBroken});
  EXPECT_EQ(Connect(server.address())->Infer(Request()).status(),
            absl::InternalError("inference by \"m\" at " + server.address() +
                                ": the answer has 1 outputs and the contents of 0"));
}

TEST(Client, CallsThatAServerDoesNotHaveAreUnimplemented) {
  FakeServer server;
  const auto client = Connect(server.address());
  EXPECT_EQ(client->Live().status().code(), absl::StatusCode::kUnimplemented);
  const auto status = client->Metadata("m").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("metadata of \"m\" at " + server.address()));
}

std::string ErrorOf(const std::string& target, const ClientOptions& options) {
  const absl::Status status = Client::Create(target, options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(Client, IsNotMadeOfWhatCannotBe) {
  EXPECT_THAT(ErrorOf("", {}), HasSubstr("target is empty"));
  EXPECT_THAT(ErrorOf("h:1", {.token = "a\nb"}), HasSubstr("token has characters"));
  EXPECT_THAT(ErrorOf("h:1", {.timeout = seconds(0)}), HasSubstr("timeout is 0 ns"));
  EXPECT_THAT(ErrorOf("h:1", {.keepalive = milliseconds(10)}), HasSubstr("keepalive is 10 ms"));
  EXPECT_THAT(ErrorOf("h:1", {.retry = {.attempts = 0}}), HasSubstr("attempts is 0"));
  EXPECT_THAT(ErrorOf("h:1", {.tls = TlsFiles{.ca = "/no/such.pem"}}), HasSubstr("/no/such.pem: cannot be read"));
  EXPECT_THAT(ErrorOf("h:1", {.tls = TlsFiles{.cert = "cert.pem"}}), HasSubstr("its key go together"));
}

}  // namespace
}  // namespace tandem::client
