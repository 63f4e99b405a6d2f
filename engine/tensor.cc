#include "engine/tensor.h"

#include <cstdlib>
#include <cstring>

#include "absl/base/casts.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tandem::engine {

namespace {

constexpr size_t kAlignment = 64;

std::shared_ptr<void> AllocateZeroed(size_t bytes) {
  const size_t rounded = (std::max<size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  void* data = std::aligned_alloc(kAlignment, rounded);
  TANDEM_CHECK(data != nullptr, "out of memory");
  std::memset(data, 0, rounded);
  return {data, std::free};
}

}  // namespace

size_t SizeOf(DataType type) {
  switch (type) {
    case DataType::kFloat64:
    case DataType::kInt64:
    case DataType::kUInt64:
      return 8;
    case DataType::kFloat32:
    case DataType::kInt32:
    case DataType::kUInt32:
      return 4;
    case DataType::kFloat16:
    case DataType::kBFloat16:
    case DataType::kInt16:
    case DataType::kUInt16:
      return 2;
    case DataType::kInt8:
    case DataType::kUInt8:
    case DataType::kBool:
      return 1;
    case DataType::kUndefined:
    case DataType::kString:
      return 0;
  }
  return 0;
}

absl::string_view NameOf(DataType type) {
  switch (type) {
    case DataType::kUndefined:
      return "undefined";
    case DataType::kFloat32:
      return "float32";
    case DataType::kFloat64:
      return "float64";
    case DataType::kFloat16:
      return "float16";
    case DataType::kBFloat16:
      return "bfloat16";
    case DataType::kInt8:
      return "int8";
    case DataType::kInt16:
      return "int16";
    case DataType::kInt32:
      return "int32";
    case DataType::kInt64:
      return "int64";
    case DataType::kUInt8:
      return "uint8";
    case DataType::kUInt16:
      return "uint16";
    case DataType::kUInt32:
      return "uint32";
    case DataType::kUInt64:
      return "uint64";
    case DataType::kBool:
      return "bool";
    case DataType::kString:
      return "string";
  }
  return "?";
}

bool IsFloat(DataType type) {
  return type == DataType::kFloat32 || type == DataType::kFloat64 || type == DataType::kFloat16 ||
         type == DataType::kBFloat16;
}

int64_t NumElements(absl::Span<const int64_t> shape) {
  int64_t count = 1;
  for (int64_t dim : shape) count *= dim;
  return count;
}

bool IsKnown(absl::Span<const int64_t> shape) {
  return std::all_of(shape.begin(), shape.end(), [](int64_t dim) { return dim >= 0; });
}

std::string ToString(absl::Span<const int64_t> shape) {
  return absl::StrCat("[",
                      absl::StrJoin(shape, ",",
                                    [](std::string* out, int64_t dim) {
                                      absl::StrAppend(out, dim == kUnknownDim ? "?" : absl::StrCat(dim));
                                    }),
                      "]");
}

Tensor::Tensor(DataType type, Shape shape) : type_(type), shape_(std::move(shape)), num_elements_(NumElements(shape_)) {
  std::shared_ptr<void> memory = AllocateZeroed(num_bytes());
  data_ = memory.get();
  owner_ = std::move(memory);
}

Tensor Tensor::View(DataType type, Shape shape, void* data) { return Share(type, std::move(shape), data, nullptr); }

Tensor Tensor::Share(DataType type, Shape shape, void* data, std::shared_ptr<const void> owner) {
  Tensor tensor;
  tensor.type_ = type;
  tensor.shape_ = std::move(shape);
  tensor.num_elements_ = NumElements(tensor.shape_);
  tensor.data_ = data;
  tensor.owner_ = std::move(owner);
  return tensor;
}

Tensor Tensor::Reshaped(Shape shape) const {
  TANDEM_CHECK(NumElements(shape) == num_elements_, "Reshaped to another number of elements");
  return Share(type_, std::move(shape), data_, owner_);
}

Tensor Tensor::Clone() const {
  Tensor copy(type_, shape_);
  std::memcpy(copy.data_, data_, num_bytes());
  return copy;
}

float HalfToFloat(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  const uint32_t mantissa = bits & 0x3ff;
  if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24, exact in float
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 31 ? 0x7f800000 : (exponent + 112) << 23;
  return absl::bit_cast<float>(sign | wide | mantissa << 13);
}

uint16_t FloatToHalf(float value) {
  const uint32_t bits = absl::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;   // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00;  // rounds past the largest half: infinity
  if (magnitude < 0x38800000) {                       // subnormal half: let the float unit round
    const float scaled = absl::bit_cast<float>(magnitude) * 0x1p24f;
    const uint32_t whole = static_cast<uint32_t>(scaled);
    const float rest = scaled - static_cast<float>(whole);
    const bool up = rest > 0.5f || (rest == 0.5f && (whole & 1) != 0);
    return static_cast<uint16_t>(sign | (whole + (up ? 1 : 0)));
  }
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

float BFloat16ToFloat(uint16_t bits) { return absl::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t FloatToBFloat16(float value) {
  const uint32_t bits = absl::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace tandem::engine
