#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tandem/client/client.h"
#include "tests/clients/cpp/fake_server.h"

namespace tandem::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::unique_ptr<Client> Connect(const FakeServer& server) {
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Create(server.address());
  if (!client.ok()) throw std::runtime_error(client.status().ToString());
  return *std::move(client);
}

InferRequest Request(const std::vector<float>& values) {
  InferRequest request;
  request.model = "m";
  request.inputs = {Tensor::Of<float>("x", {static_cast<int64_t>(values.size())}, values)};
  return request;
}

TEST(Async, TheInputIsFreeWhenTheCallReturns) {
  FakeServer server;
  const auto client = Connect(server);
  std::vector<float> values = {1, 2};
  auto answer = client->InferAsync(Request(values));
  values = {3, 4};
  EXPECT_THAT(*answer.get()->Values<float>("y"), ElementsAre(1, 2));
}

TEST(Async, CallbacksComeOneAtATimeOnOneThread) {
  constexpr int kCalls = 200, kCallers = 4;
  FakeServer server;
  std::set<std::thread::id> threads;  // of the one thread, and of this when the client is gone
  std::multiset<float> answers;
  {
    const auto client = Connect(server);
    std::vector<std::future<void>> callers;
    std::atomic<int> left{kCalls * kCallers};
    std::promise<void> all;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.push_back(std::async(std::launch::async, [&] {
        for (int i = 0; i < kCalls; ++i) {
          const std::vector<float> values = {static_cast<float>(i)};
          client->InferAsync(Request(values), [&](absl::StatusOr<InferResult> result) {
            ASSERT_TRUE(result.ok()) << result.status();
            threads.insert(std::this_thread::get_id());
            answers.insert(result->Values<float>("y")->front());
            if (left.fetch_sub(1) == 1) all.set_value();
          });
        }
      }));
    }
    for (auto& caller : callers) caller.get();
    all.get_future().get();
  }
  EXPECT_THAT(threads, SizeIs(1));
  EXPECT_NE(*threads.begin(), std::this_thread::get_id());
  EXPECT_THAT(answers, SizeIs(kCalls * kCallers));
  for (int i = 0; i < kCalls; ++i) EXPECT_EQ(answers.count(static_cast<float>(i)), size_t{kCallers});
}

TEST(Async, ACallbackMayAskAgain) {
  FakeServer server;
  const std::vector<float> values = {1};
  std::promise<absl::Status> ended;
  const auto client = Connect(server);
  int left = 50;
  std::function<void(absl::StatusOr<InferResult>)> next = [&](absl::StatusOr<InferResult> result) {
    if (!result.ok() || --left == 0) {
      ended.set_value(result.status());
    } else {
      client->InferAsync(Request(values), next);
    }
  };
  client->InferAsync(Request(values), next);
  EXPECT_TRUE(ended.get_future().get().ok());
  EXPECT_THAT(server.calls(), SizeIs(50));
}

TEST(Async, WhatCannotBeSentIsToldLikeAnAnswer) {
  FakeServer server;
  const auto client = Connect(server);
  InferRequest request = Request({});
  request.inputs = {Tensor::Of<float>("x", {3}, {})};
  std::promise<std::thread::id> thread;
  client->InferAsync(request, [&](absl::StatusOr<InferResult> result) {
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(result.status().message()), HasSubstr("inference by \"m\" at " + server.address()));
    thread.set_value(std::this_thread::get_id());
  });
  EXPECT_NE(thread.get_future().get(), std::this_thread::get_id());
  EXPECT_THAT(server.calls(), SizeIs(0));
}

TEST(Async, ADeadlineIsKept) {
  FakeServer server({kSilent});
  const auto client = Connect(server);
  auto answer = client->InferAsync(Request({}), {.timeout = std::chrono::milliseconds(30)});
  EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(Async, FailuresAreTriedAgain) {
  FakeServer server({kGone});
  EXPECT_TRUE(Connect(server)->InferAsync(Request({})).get().ok());
}

TEST(Async, TheEndOfAClientCancelsWhatIsInFlight) {
  FakeServer server({kSilent, kSilent});
  std::unique_ptr<Client> owner = Connect(server);
  Client* const client = owner.get();
  std::vector<absl::StatusCode> codes;
  const auto held = std::make_shared<int>();
  for (int i = 0; i < 2; ++i) {
    client->InferAsync(Request({}), [&, client, held](absl::StatusOr<InferResult> result) {
      codes.push_back(result.status().code());
      // Nothing is begun any more, by whom ever.
      if (codes.size() == 1) {
        client->InferAsync(Request({}),
                           [&](absl::StatusOr<InferResult> last) { codes.push_back(last.status().code()); });
      }
    });
  }
  server.WaitForCalls(2);
  owner.reset();
  EXPECT_THAT(codes, testing::Each(absl::StatusCode::kCancelled));
  EXPECT_THAT(codes, SizeIs(3));
  EXPECT_THAT(server.calls(), SizeIs(2));
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Async, OneClientIsForManyThreads) {
  FakeServer server;
  const auto client = Connect(server);
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 50; ++i) {
        const std::vector<float> values = {static_cast<float>(thread * 100 + i)};
        auto later = client->InferAsync(Request(values));
        const auto now = client->Infer(Request(values));
        right += now.ok() && now->Values<float>("y")->front() == values[0];
        const auto then = later.get();
        right += then.ok() && then->Values<float>("y")->front() == values[0];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 4 * 50 * 2);
}

}  // namespace
}  // namespace tandem::client
