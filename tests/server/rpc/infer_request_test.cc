#include "server/rpc/infer_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/server/rpc/wire_builder.h"

namespace tandem::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Variant(const std::string& value) { return Field(4, Field(1, "variant") + Field(2, Field(3, value))); }

std::string GoodRequest() {
  return Field(1, "mnist") + Field(2, "3") + Field(3, "request-7") + Variant("fp32") +
         Field(5, InputTensor("x", "FP32", {2, 3})) + Field(6, Field(1, "y")) +
         Field(7, Raw<float>({1, 2, 3, 4, 5, 6}));
}

absl::Status Parse(const std::string& bytes) {
  InferRequest request;
  return ParseInferRequest(Cut(bytes, bytes.size() + 1), request);
}

std::string BytesOf(Blocks blocks, const Range& range) {
  std::string bytes(range.length, '\0');
  CopyRange(blocks, range, bytes.data());
  return bytes;
}

// However the bytes are cut into slices, the same request comes out.
TEST(InferRequest, ReadsEveryFieldFromSlicesOfAnySize) {
  const std::string bytes = GoodRequest();
  for (size_t size = 1; size <= bytes.size(); ++size) {
    const auto blocks = Cut(bytes, size);
    InferRequest request;
    ASSERT_TRUE(ParseInferRequest(blocks, request).ok()) << size;
    EXPECT_EQ(request.model_name, "mnist");
    EXPECT_EQ(request.model_version, "3");
    EXPECT_EQ(request.id, "request-7");
    EXPECT_EQ(request.variant, "fp32");
    ASSERT_EQ(request.inputs.size(), 1u);
    EXPECT_EQ(request.inputs[0].name, "x");
    EXPECT_EQ(request.inputs[0].datatype, "FP32");
    EXPECT_THAT(request.inputs[0].shape, ElementsAre(2, 3));
    ASSERT_EQ(request.outputs.size(), 1u);
    EXPECT_EQ(request.outputs[0].name, "y");
    ASSERT_EQ(request.raw.size(), 1u);
    EXPECT_EQ(BytesOf(blocks, request.raw[0]), Raw<float>({1, 2, 3, 4, 5, 6}));
  }
}

TEST(SubRange, FindsAnyPartAcrossBlocks) {
  const std::string text = "0123456789";
  for (size_t size = 1; size <= text.size(); ++size) {
    const auto blocks = Cut(text, size);
    for (size_t from = 0; from <= text.size(); ++from) {
      const Range part = SubRange(blocks, Whole(blocks), from, text.size() - from);
      EXPECT_EQ(BytesOf(blocks, part), text.substr(from));
    }
  }
}

TEST(InferRequest, TakesUnpackedShapes) {
  const std::string bytes = Field(5, Field(1, "x") + Number(3, 2) + Number(3, static_cast<uint64_t>(-1)));
  InferRequest request;
  ASSERT_TRUE(ParseInferRequest(Cut(bytes, 100), request).ok());
  EXPECT_THAT(request.inputs[0].shape, ElementsAre(2, -1));
}

TEST(InferRequest, SkipsFieldsItDoesNotKnow) {
  const std::string unknown =
      Number(900, 5) + Field(901, "text") + Varint(902 << 3 | 1) + "12345678" + Varint(903 << 3 | 5) + "1234";
  EXPECT_TRUE(Parse(unknown + GoodRequest() + unknown).ok());
}

TEST(InferRequest, TakesAnEmptyMessage) { EXPECT_TRUE(Parse("").ok()); }

TEST(InferRequest, RefusesEveryTruncation) {
  const std::string bytes = GoodRequest();
  size_t refused = 0;
  for (size_t length = 1; length < bytes.size(); ++length) {
    const absl::Status status = Parse(bytes.substr(0, length));
    // Cut between two fields it is a shorter message.
    if (!status.ok()) ++refused;
    if (!status.ok()) EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_GE(refused, bytes.size() - 10);
}

TEST(InferRequest, RefusesMalformedBytes) {
  const std::string endless(11, '\xff');
  for (const std::string& bytes : {
           endless,                                    // a varint without end
           Varint(1 << 3 | 2) + Varint(UINT64_MAX),    // a length beyond everything
           Varint(1 << 3 | 2) + Varint(1u << 31),      // a length beyond the message
           Varint(1 << 3 | 3),                         // a group
           Varint(0 << 3 | 2) + Varint(0),             // field number 0
           Varint(uint64_t{1} << 40),                  // a field number beyond 29 bits
           Field(5, Varint(3 << 3 | 2) + Varint(99)),  // a bad message within
           Field(5, Field(3, endless)),                // a bad shape
           Field(4, Field(1, "variant") + Field(2, endless)),
       }) {
    EXPECT_EQ(Parse(bytes).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(InferRequest, RefusesAbsurdCounts) {
  std::string inputs;
  for (int i = 0; i < 5000; ++i) inputs += Field(5, "");
  EXPECT_THAT(std::string(Parse(inputs).message()), HasSubstr("inputs"));
  EXPECT_FALSE(Parse(Field(5, Field(3, std::string(1000, '\1')))).ok());
  EXPECT_FALSE(Parse(Field(1, std::string(1 << 20, 'x'))).ok());
}

TEST(InferRequest, SaysThatExtensionsAreNotServed) {
  const std::string classes = Field(6, Field(1, "y") + Field(2, Field(1, "classification") + Field(2, Number(2, 3))));
  EXPECT_EQ(Parse(classes).code(), absl::StatusCode::kUnimplemented);
}

// A tensor's parameters are field 4 of an input and field 2 of an output.
std::string Shared(uint32_t field) {
  const auto entry = [field](const std::string& key, const std::string& value) {
    return Field(field, Field(1, key) + Field(2, value));
  };
  return entry("shared_memory_region", Field(3, "pool")) + entry("shared_memory_offset", Number(2, 4096)) +
         entry("shared_memory_byte_size", Number(5, 256));
}

TEST(InferRequest, ReadsWhereTensorsAreInSharedMemory) {
  const std::string bytes = Field(5, Field(1, "x") + Shared(4)) + Field(6, Field(1, "y") + Shared(2));
  for (size_t size = 1; size <= bytes.size(); ++size) {
    InferRequest request;
    ASSERT_TRUE(ParseInferRequest(Cut(bytes, size), request).ok());
    for (const InferRequest::Memory& memory : {request.inputs.at(0).memory, request.outputs.at(0).memory}) {
      EXPECT_EQ(memory.region, "pool");
      EXPECT_EQ(memory.offset, 4096u);
      EXPECT_EQ(memory.byte_size, 256u);
    }
  }
}

TEST(InferRequest, RefusesOddPlacesInSharedMemory) {
  const auto with = [](const std::string& key, const std::string& value) {
    return Parse(Field(5, Field(1, "x") + Field(4, Field(1, key) + Field(2, value))));
  };
  for (const absl::Status& status :
       {with("shared_memory_region", ""), with("shared_memory_region", Field(3, "")),
        with("shared_memory_region", Number(2, 1)), with("shared_memory_offset", Number(2, static_cast<uint64_t>(-1))),
        with("shared_memory_byte_size", Field(3, "12"))}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("shared_memory_"));
  }
}

std::string Parameter(const std::string& key, const std::string& value) {
  return Field(4, Field(1, key) + Field(2, value));
}

// Clients send them as int64_param (2) or uint64_param (5).
TEST(InferRequest, ReadsPriorityAndTimeoutOfBothIntegerKinds) {
  for (uint32_t kind : {2, 5}) {
    const std::string bytes = Parameter("priority", Number(kind, 7)) + Parameter("timeout", Number(kind, 2500));
    for (size_t size = 1; size <= bytes.size(); ++size) {
      InferRequest request;
      ASSERT_TRUE(ParseInferRequest(Cut(bytes, size), request).ok());
      EXPECT_EQ(request.priority, 7u);
      EXPECT_EQ(request.timeout_us, 2500u);
    }
  }
}

TEST(InferRequest, WantsPriorityAndTimeoutAsIntegersOfAtLeastZero) {
  for (const char* key : {"priority", "timeout"}) {
    for (const std::string& value : {std::string(), Number(2, static_cast<uint64_t>(-1)), Number(1, 1), Field(3, "1"),
                                     Number(5, 1) + Field(3, "1")}) {
      const absl::Status status = Parse(Parameter(key, value));
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_THAT(std::string(status.message()), HasSubstr(key));
    }
  }
}

TEST(InferRequest, WantsTheVariantAsText) {
  EXPECT_FALSE(Parse(Field(4, Field(1, "variant") + Field(2, Number(2, 7)))).ok());
}

// Random damage to a good request: nothing but an answer may come of it.
TEST(InferRequest, SurvivesRandomDamage) {
  std::mt19937 random(1);
  const std::string good = GoodRequest() + Parameter("priority", Number(2, 3)) + Parameter("timeout", Number(5, 900)) +
                           Field(5, Field(1, "z") + Shared(4)) + Field(6, Field(1, "w") + Shared(2));
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (int i = 0; i < 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto blocks = Cut(bytes, 1 + random() % bytes.size());
    InferRequest request;
    if (!ParseInferRequest(blocks, request).ok()) continue;
    for (const Range& range : request.raw) BytesOf(blocks, range);
  }
}

TEST(Quoted, EscapesAndShortens) {
  EXPECT_EQ(Quoted("a\n\"b\""), R"("a\n\"b\"")");
  EXPECT_LT(Quoted(std::string(100000, 'x')).size(), 200u);
}

}  // namespace
}  // namespace tandem::rpc
