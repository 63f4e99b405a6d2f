#include "clients/cpp/messages.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace tandem::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

inference::ModelInferRequest Parsed(const absl::StatusOr<grpc::ByteBuffer>& bytes) {
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(bytes.ok() && bytes->Dump(&slices).ok());
  std::string all;
  for (const grpc::Slice& slice : slices) all.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  inference::ModelInferRequest message;
  EXPECT_TRUE(message.ParseFromString(all));
  EXPECT_EQ(message.SerializeAsString().size(), all.size());
  return message;
}

TEST(Messages, ARequestIsWhatProtobufWouldWrite) {
  const std::vector<float> x = {1, 2, 3, 4};
  const std::vector<int64_t> n = {7};
  const std::vector<float> large(100000);
  InferRequest request;
  request.model = "m";
  request.inputs = {Tensor::Of<float>("x", {2, 2}, x), Tensor::Of<int64_t>("n", {1}, n),
                    Tensor::Of<float>("empty", {0, 2}, {}), Tensor::Of<float>("large", {100000}, large)};
  request.outputs = {"y", "z"};
  request.version = 12;
  request.variant = "int8";
  request.routing_key = "customer-3";
  request.priority = 2;
  request.queue_timeout = std::chrono::milliseconds(5);
  request.id = "order-17";
  const inference::ModelInferRequest message = Parsed(ToBytes(request));

  inference::ModelInferRequest expected;
  expected.set_model_name("m");
  expected.set_model_version("12");
  expected.set_id("order-17");
  auto& parameters = *expected.mutable_parameters();
  parameters["variant"].set_string_param("int8");
  parameters["routing_key"].set_string_param("customer-3");
  parameters["priority"].set_int64_param(2);
  parameters["timeout"].set_int64_param(5000);
  for (const Tensor& input : request.inputs) {
    auto& tensor = *expected.add_inputs();
    tensor.set_name(input.name());
    tensor.set_datatype(input.datatype());
    tensor.mutable_shape()->Assign(input.shape().begin(), input.shape().end());
    expected.add_raw_input_contents(input.bytes().data(), input.bytes().size());
  }
  for (const std::string& output : request.outputs) expected.add_outputs()->set_name(output);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(message, expected)) << message.DebugString();
}

TEST(Messages, ARequestSaysNothingThatItWasNotTold) {
  const std::vector<float> x = {1};
  InferRequest request;
  request.model = "m";
  request.inputs = {Tensor::Of<float>("x", {1}, x)};
  const inference::ModelInferRequest message = Parsed(ToBytes(request));
  EXPECT_THAT(message.model_version(), IsEmpty());
  EXPECT_THAT(message.parameters(), IsEmpty());
}

TEST(Messages, WhatCannotBeSentIsNamed) {
  const std::vector<float> x = {1, 2, 3};
  InferRequest request;
  request.inputs = {Tensor::Of<float>("x", {3}, x), Tensor::Of<float>("w", {4}, x)};
  EXPECT_THAT(std::string(ToBytes(request).status().message()), HasSubstr("tensor \"w\": FP32 of shape [4]"));
  request.inputs.pop_back();
  request.queue_timeout = std::chrono::microseconds(-1);
  EXPECT_THAT(std::string(ToBytes(request).status().message()), HasSubstr("queue_timeout is -1 us"));
  request.queue_timeout = {};
  // Never read.
  const absl::string_view endless(reinterpret_cast<const char*>(x.data()), size_t{3} << 30);
  request.inputs = {Tensor("x", "INT8", {int64_t{3} << 30}, endless)};
  EXPECT_THAT(std::string(ToBytes(request).status().message()), HasSubstr("the inputs are 3221225472 bytes"));
}

TEST(Messages, AnAnswersValuesAreViewsThatTheResultKeeps) {
  auto response = std::make_shared<inference::ModelInferResponse>();
  response->set_model_name("m");
  response->set_model_version("3");
  response->set_id("order-17");
  (*response->mutable_parameters())["variant"].set_string_param("int8");
  auto& output = *response->add_outputs();
  output.set_name("y");
  output.set_datatype("FP32");
  output.add_shape(2);
  const float values[] = {1, 2};
  const auto* raw = response->add_raw_output_contents();
  response->mutable_raw_output_contents(0)->assign(reinterpret_cast<const char*>(values), sizeof values);
  absl::StatusOr<InferResult> result = ToResult(std::move(response));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->model, "m");
  EXPECT_EQ(result->version, 3);
  EXPECT_EQ(result->variant, "int8");
  EXPECT_EQ(result->id, "order-17");
  EXPECT_EQ(result->Find("y")->bytes().data(), raw->data());
  const InferResult copy = *result;
  result = absl::UnknownError("gone");
  EXPECT_THAT(*copy.Values<float>("y"), ElementsAre(1, 2));
  EXPECT_EQ(copy.Values<double>("y").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(copy.Values<float>("z").status(), absl::NotFoundError("the answer of \"m\" has no output \"z\""));
  EXPECT_EQ(copy.Find("z"), nullptr);
}

TEST(Messages, AnAnswerThatIsNotOfTheProtocolIsInternal) {
  const auto response = std::make_shared<inference::ModelInferResponse>();
  auto& output = *response->add_outputs();
  output.set_name("y");
  output.set_datatype("FP32");
  output.add_shape(2);
  EXPECT_EQ(ToResult(response).status(), absl::InternalError("the answer has 1 outputs and the contents of 0"));
  response->add_raw_output_contents("1234");
  EXPECT_EQ(ToResult(response).status(),
            absl::InternalError("the answer: tensor \"y\": FP32 of shape [2] takes 8 bytes, got 4"));
}

TEST(Messages, ModelsAreDescribed) {
  inference::ModelMetadataResponse message;
  message.set_name("m");
  message.add_versions("1");
  message.add_versions("12");
  message.set_platform("onnx");
  auto& input = *message.add_inputs();
  input.set_name("x");
  input.set_datatype("FP32");
  input.add_shape(-1);
  input.add_shape(2);
  message.add_outputs()->set_name("y");
  const ModelMetadata metadata = ToModelMetadata(message);
  EXPECT_EQ(metadata.name, "m");
  EXPECT_EQ(metadata.platform, "onnx");
  EXPECT_THAT(metadata.versions, ElementsAre(1, 12));
  ASSERT_EQ(metadata.inputs.size(), 1u);
  EXPECT_EQ(metadata.inputs[0].datatype, "FP32");
  EXPECT_THAT(metadata.inputs[0].shape, ElementsAre(-1, 2));
  ASSERT_EQ(metadata.outputs.size(), 1u);
  EXPECT_EQ(metadata.outputs[0].name, "y");
}

TEST(Messages, ConfigurationsAreFlat) {
  inference::ModelConfigResponse message;
  (*message.mutable_config()->mutable_parameters())["route.mode"].set_string_value("auto");
  EXPECT_THAT(ToParameters(message), ElementsAre(Pair("route.mode", "auto")));
}

TEST(Messages, StatisticsAreCountsAndTimes) {
  inference::ModelStatisticsResponse message;
  auto& version = *message.add_model_stats();
  version.set_name("m");
  version.set_version("2");
  version.set_inference_count(30);
  version.set_execution_count(10);
  version.mutable_inference_stats()->mutable_queue()->set_count(20);
  version.mutable_inference_stats()->mutable_queue()->set_ns(5000);
  const std::vector<ModelStatistics> statistics = ToStatistics(message);
  ASSERT_EQ(statistics.size(), 1u);
  EXPECT_EQ(statistics[0].version, 2);
  EXPECT_EQ(statistics[0].rows, 30u);
  EXPECT_EQ(statistics[0].batches, 10u);
  EXPECT_EQ(statistics[0].queue.count, 20u);
  EXPECT_EQ(statistics[0].queue.total, std::chrono::microseconds(5));
}

}  // namespace
}  // namespace tandem::client
