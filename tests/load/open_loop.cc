// open_loop: sends one request at a given rate, whatever comes back and however late, and checks every answer.
//
//   open_loop TARGET REQUEST_FILE --rate 100 --seconds 30 [--expect ANSWER_FILE]... [--seed 1] [--deadline-ms 0]
//
// REQUEST_FILE: a serialized ModelInferRequest. ANSWER_FILE: raw float32, what output 0 may be; an answer must be one
// of them within --tolerance of its largest magnitude. Arrivals are a Poisson process, so that the server meets bursts
// as it does in life; latency counts from the moment a request was due, so that a slow sender hides nothing. Writes one
// line a request in the order of sending: SECONDS_SINCE_START LATENCY_US STATUS_CODE VARIANT, and ends.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "proto/inference.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWrongAnswer = 100;  // beside gRPC's status codes

struct Options {
  std::string target, request_file;
  std::vector<std::string> expected_files;
  double rate = 100, seconds = 10, tolerance = 1e-3;
  int deadline_ms = 0;
  unsigned seed = 1;
};

struct Call {
  Clock::time_point due, answered;
  int code = -1;
  std::string variant;
  grpc::ClientContext context;
  grpc::ByteBuffer response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader;
};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<float> Floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

bool IsClose(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
  if (a.size() != b.size()) return false;
  double largest = 0, difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, static_cast<double>(std::abs(b[i])));
    difference = std::max(difference, static_cast<double>(std::abs(a[i] - b[i])));
  }
  return difference <= tolerance * largest;
}

class Checker {
 public:
  explicit Checker(const Options& options) : tolerance_(options.tolerance) {
    for (const std::string& path : options.expected_files) expected_.push_back(Floats(ReadAll(path)));
  }

  void Check(Call& call) const {
    call.code = call.status.error_code();
    if (!call.status.ok()) return;
    inference::ModelInferResponse response;
    grpc::ProtoBufferReader reader(&call.response);
    if (!response.ParseFromZeroCopyStream(&reader)) {
      call.code = kWrongAnswer;
      return;
    }
    if (const auto variant = response.parameters().find("variant"); variant != response.parameters().end()) {
      call.variant = variant->second.string_param();
    }
    if (expected_.empty()) return;
    const bool right = response.raw_output_contents_size() > 0 && IsExpected(response.raw_output_contents(0));
    if (!right) call.code = kWrongAnswer;
  }

 private:
  bool IsExpected(const std::string& bytes) const {
    const std::vector<float> answer = Floats(bytes);
    for (const std::vector<float>& expected : expected_) {
      if (IsClose(answer, expected, tolerance_)) return true;
    }
    return false;
  }

  const double tolerance_;
  std::vector<std::vector<float>> expected_;
};

void Run(const Options& options) {
  const std::string bytes = ReadAll(options.request_file);
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  const Checker checker(options);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  grpc::GenericStub stub(grpc::CreateCustomChannel(options.target, grpc::InsecureChannelCredentials(), arguments));
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<Call>> calls;
  std::thread receiver([&] {
    void* tag = nullptr;
    for (bool ok = false; queue.Next(&tag, &ok);) {
      Call& call = *static_cast<Call*>(tag);
      call.answered = Clock::now();
      checker.Check(call);
      call.response.Clear();
    }
  });
  std::mt19937_64 random(options.seed);
  std::exponential_distribution<double> gap(options.rate);
  const Clock::time_point begin = Clock::now();
  double at = 0;
  while ((at += gap(random)) < options.seconds) {
    const auto due = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(at));
    std::this_thread::sleep_until(due);
    calls.push_back(std::make_unique<Call>());
    Call& call = *calls.back();
    call.due = due;
    if (options.deadline_ms > 0) {
      call.context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(options.deadline_ms));
    }
    call.reader = stub.PrepareUnaryCall(&call.context, "/inference.GRPCInferenceService/ModelInfer", request, &queue);
    call.reader->StartCall();
    call.reader->Finish(&call.response, &call.status, &call);
  }
  queue.Shutdown();
  receiver.join();
  for (const auto& call : calls) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(call->answered - call->due).count();
    const double since = std::chrono::duration<double>(call->due - begin).count();
    std::printf("%.6f %lld %d %s\n", since, static_cast<long long>(us), call->code,
                call->variant.empty() ? "-" : call->variant.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Sends one request at a given rate, whatever comes back, and checks every answer.", "open_loop");
  app.add_option("TARGET", options.target, "HOST:PORT")->required();
  app.add_option("REQUEST_FILE", options.request_file, "A serialized ModelInferRequest")->required();
  app.add_option("--expect", options.expected_files, "Raw float32: what the first output may be");
  app.add_option("--rate", options.rate, "Requests a second")->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds, "How long to send")->check(CLI::PositiveNumber);
  app.add_option("--tolerance", options.tolerance, "Of an answer's largest magnitude");
  app.add_option("--deadline-ms", options.deadline_ms, "Of each request; 0: none");
  app.add_option("--seed", options.seed, "Of the arrivals");
  CLI11_PARSE(app, argc, argv);
  try {
    Run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "open_loop: %s\n", error.what());
    return 1;
  }
  return 0;
}
