// FakeServer: answers inferences as it is told, one step a call, then well.
#ifndef TANDEM_TESTS_CLIENTS_CPP_FAKE_SERVER_H_
#define TANDEM_TESTS_CLIENTS_CPP_FAKE_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proto/inference.grpc.pb.h"

namespace tandem::client {

struct Step {
  grpc::StatusCode code = grpc::StatusCode::OK;
  std::string pushback;  // "grpc-retry-pushback-ms", if any
  bool silent = false;   // no answer before the server stops
  bool broken = false;   // an output without contents
};

inline const Step kBusy{.code = grpc::StatusCode::RESOURCE_EXHAUSTED};
inline const Step kGone{.code = grpc::StatusCode::UNAVAILABLE};
inline const Step kEnding{.code = grpc::StatusCode::CANCELLED};
inline const Step kWrong{.code = grpc::StatusCode::INVALID_ARGUMENT};
inline const Step kSilent{.silent = true};
inline const Step kBroken{.broken = true};

// The output y is what the first input was. For any number of threads.
class FakeServer final : public inference::GRPCInferenceService::Service {
 public:
  using Metadata = std::map<std::string, std::string>;

  explicit FakeServer(std::vector<Step> script = {}) : script_(script.begin(), script.end()) {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }

  ~FakeServer() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  const std::string& address() const { return address_; }

  // The metadata of each call so far.
  std::vector<Metadata> calls() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return calls_;
  }

  void WaitForCalls(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return calls_.size() >= count; });
  }

  grpc::Status ModelInfer(grpc::ServerContext* context, const inference::ModelInferRequest* request,
                          inference::ModelInferResponse* response) override {
    const Step step = Begin(*context);
    if (!step.pushback.empty()) context->AddTrailingMetadata("grpc-retry-pushback-ms", step.pushback);
    if (step.code != grpc::StatusCode::OK) return {step.code, "as told"};
    response->set_model_name(request->model_name());
    response->set_model_version("3");
    response->set_id(request->id());
    (*response->mutable_parameters())["variant"].set_string_param("fp32");
    auto& output = *response->add_outputs();
    output.set_name("y");
    output.set_datatype(request->inputs(0).datatype());
    *output.mutable_shape() = request->inputs(0).shape();
    if (!step.broken) response->add_raw_output_contents(request->raw_input_contents(0));
    return grpc::Status::OK;
  }

 private:
  Step Begin(const grpc::ServerContext& context) {
    std::unique_lock<std::mutex> lock(mutex_);
    Metadata& metadata = calls_.emplace_back();
    for (const auto& [key, value] : context.client_metadata()) {
      metadata[{key.begin(), key.end()}] = {value.begin(), value.end()};
    }
    Step step;
    if (!script_.empty()) {
      step = script_.front();
      script_.pop_front();
    }
    changed_.notify_all();
    if (step.silent) changed_.wait(lock, [this] { return stopping_; });
    return step;
  }

  std::mutex mutex_;
  std::condition_variable changed_;  // with mutex_, which guards what follows
  bool stopping_ = false;
  std::deque<Step> script_;
  std::vector<Metadata> calls_;

  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace tandem::client

#endif  // TANDEM_TESTS_CLIENTS_CPP_FAKE_SERVER_H_
