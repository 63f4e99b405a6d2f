#include "server/rpc/typed_contents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/rpc/wire_builder.h"

namespace tandem::rpc {
namespace {

using engine::DataType;
using ::testing::HasSubstr;

absl::StatusOr<std::string> Decode(const std::string& contents, DataType type, int64_t elements) {
  const auto blocks = Cut(contents, 3);
  const Range whole = Whole(blocks);
  return DecodeContents(blocks, {&whole, 1}, type, elements);
}

std::string Error(const std::string& contents, DataType type, int64_t elements) {
  return std::string(Decode(contents, type, elements).status().message());
}

TEST(TypedContents, DecodesEveryType) {
  EXPECT_EQ(*Decode(Field(1, PackedVarints({1, 0, 1})), DataType::kBool, 3), std::string("\1\0\1", 3));
  EXPECT_EQ(*Decode(Field(2, PackedVarints({-128, 127})), DataType::kInt8, 2), Raw<int8_t>({-128, 127}));
  EXPECT_EQ(*Decode(Field(2, PackedVarints({-2, 300})), DataType::kInt16, 2), Raw<int16_t>({-2, 300}));
  EXPECT_EQ(*Decode(Field(2, PackedVarints({-2})), DataType::kInt32, 1), Raw<int32_t>({-2}));
  EXPECT_EQ(*Decode(Field(3, PackedVarints({INT64_MIN})), DataType::kInt64, 1), Raw<int64_t>({INT64_MIN}));
  EXPECT_EQ(*Decode(Field(4, PackedVarints({255})), DataType::kUInt8, 1), Raw<uint8_t>({255}));
  EXPECT_EQ(*Decode(Field(4, PackedVarints({65535})), DataType::kUInt16, 1), Raw<uint16_t>({65535}));
  EXPECT_EQ(*Decode(Field(4, PackedVarints({7})), DataType::kUInt32, 1), Raw<uint32_t>({7}));
  EXPECT_EQ(*Decode(Field(5, PackedVarints({-1})), DataType::kUInt64, 1), Raw<uint64_t>({UINT64_MAX}));
  EXPECT_EQ(*Decode(Field(6, Raw<float>({1.5f, -2})), DataType::kFloat32, 2), Raw<float>({1.5f, -2}));
  EXPECT_EQ(*Decode(Field(7, Raw<double>({1.5})), DataType::kFloat64, 1), Raw<double>({1.5}));
}

TEST(TypedContents, TakesUnpackedValuesAndSeveralPieces) {
  const std::string mixed = Number(3, 1) + Field(3, PackedVarints({2, 3})) + Number(3, 4);
  EXPECT_EQ(*Decode(mixed, DataType::kInt64, 4), Raw<int64_t>({1, 2, 3, 4}));
}

TEST(TypedContents, CountsValues) {
  EXPECT_THAT(Error(Field(6, Raw<float>({1})), DataType::kFloat32, 2),
              HasSubstr("expected 2 values in fp32_contents, got 1"));
  EXPECT_THAT(Error(Field(6, Raw<float>({1, 2, 3})), DataType::kFloat32, 2), HasSubstr("got more"));
  EXPECT_THAT(Error(Field(3, PackedVarints({1, 2})), DataType::kInt64, 1), HasSubstr("got more"));
}

TEST(TypedContents, RefusesAnotherTypesField) {
  EXPECT_THAT(Error(Field(7, Raw<double>({1})), DataType::kFloat32, 1), HasSubstr("belong in fp32_contents"));
}

TEST(TypedContents, RefusesWhatDoesNotFit) {
  EXPECT_THAT(Error(Field(2, PackedVarints({128})), DataType::kInt8, 1), HasSubstr("128 does not fit INT8"));
  EXPECT_THAT(Error(Field(4, PackedVarints({256})), DataType::kUInt8, 1), HasSubstr("256 does not fit UINT8"));
}

TEST(TypedContents, RefusesHalfTypes) {
  EXPECT_THAT(Error("", DataType::kFloat16, 0), HasSubstr("raw_input_contents"));
}

TEST(TypedContents, RefusesMalformedBytes) {
  EXPECT_FALSE(Decode(Field(6, "12345"), DataType::kFloat32, 1).ok());
  EXPECT_FALSE(Decode(Field(3, std::string(12, '\xff')), DataType::kInt64, 1).ok());
  EXPECT_FALSE(Decode(std::string(12, '\xff'), DataType::kInt64, 1).ok());
}

// A claim of many elements costs no memory before they are there.
TEST(TypedContents, DoesNotBelieveTheShape) {
  EXPECT_FALSE(Decode(Field(3, "\1"), DataType::kInt64, int64_t{1} << 40).ok());
}

}  // namespace
}  // namespace tandem::rpc
