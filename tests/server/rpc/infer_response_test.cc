#include "server/rpc/infer_response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/inference.pb.h"

namespace tandem::rpc {
namespace {

inference::ModelInferResponse RoundTrip(const InferResponse& response) {
  std::string bytes(EncodedSize(response), '\0');
  Encode(response, bytes.data());
  inference::ModelInferResponse message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  return message;
}

TEST(InferResponse, IsWhatTheGeneratedClassReads) {
  const std::vector<float> values(200, 0.5f);
  const std::vector<OutputView> outputs = {
      {"probabilities", "FP32", {2, 100}, values.data(), 800},
      {"scalar", "INT64", {}, values.data(), 8},
      {"empty", "FP32", {0, 4}, nullptr, 0},
  };
  const auto message =
      RoundTrip({.model_name = "m", .model_version = "12", .id = "abc", .variant = "fp32", .outputs = outputs});
  EXPECT_EQ(message.model_name(), "m");
  EXPECT_EQ(message.model_version(), "12");
  EXPECT_EQ(message.id(), "abc");
  EXPECT_EQ(message.parameters().at("variant").string_param(), "fp32");
  ASSERT_EQ(message.outputs_size(), 3);
  EXPECT_EQ(message.outputs(0).name(), "probabilities");
  EXPECT_EQ(message.outputs(0).datatype(), "FP32");
  EXPECT_THAT(message.outputs(0).shape(), ::testing::ElementsAre(2, 100));
  EXPECT_EQ(message.outputs(1).shape_size(), 0);
  EXPECT_THAT(message.outputs(2).shape(), ::testing::ElementsAre(0, 4));
  ASSERT_EQ(message.raw_output_contents_size(), 3);
  EXPECT_EQ(message.raw_output_contents(0).size(), 800u);
  EXPECT_EQ(message.raw_output_contents(2), "");
}

TEST(StreamResponse, IsAHeadAndThenTheResponse) {
  for (size_t length : {0, 1, 127, 128, 16383, 16384}) {
    inference::ModelInferResponse response;
    response.set_id(std::string(length, 'i'));
    const std::string bytes = response.SerializeAsString();
    inference::ModelStreamInferResponse message;
    ASSERT_TRUE(message.ParseFromString(StreamHead(bytes.size()) + bytes));
    EXPECT_EQ(message.error_message(), "");
    EXPECT_EQ(message.infer_response().id().size(), length);
  }
}

TEST(StreamResponse, TellsAnErrorAndWhose) {
  inference::ModelStreamInferResponse message;
  ASSERT_TRUE(message.ParseFromString(EncodeStreamError("no such model", "request-7")));
  EXPECT_EQ(message.error_message(), "no such model");
  EXPECT_EQ(message.infer_response().id(), "request-7");
  ASSERT_TRUE(message.ParseFromString(EncodeStreamError("", "")));
  EXPECT_NE(message.error_message(), "");
  EXPECT_TRUE(message.has_infer_response());
}

TEST(InferResponse, TellsWhereItsValuesBegin) {
  const std::vector<std::string> values = {std::string(200, 'a'), "", "bcd"};
  std::vector<OutputView> outputs;
  for (const std::string& value : values) {
    outputs.push_back({"o", "UINT8", {static_cast<int64_t>(value.size())}, value.data(), value.size()});
  }
  const InferResponse response{.model_name = "m", .variant = "int8", .outputs = outputs};
  std::string bytes(EncodedSize(response), '\0');
  Encode(response, bytes.data());
  const std::vector<size_t> offsets = ValueOffsets(response);
  ASSERT_EQ(offsets.size(), values.size());
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(bytes.substr(offsets[i], values[i].size()), values[i]) << i;
}

TEST(InferResponse, HasExactlyItsSize) {
  for (size_t length : {0, 1, 127, 128, 16383, 16384}) {
    const std::string id(length, 'i');
    const InferResponse response{.model_name = "m", .id = id, .variant = "fp32"};
    EXPECT_EQ(RoundTrip(response).id().size(), length);
  }
}

}  // namespace
}  // namespace tandem::rpc
