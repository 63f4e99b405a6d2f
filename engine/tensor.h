// Tensors: typed, dense, row-major arrays.
//
// A Tensor is a cheap handle: copying it shares the bytes. Tensors that own their bytes keep them alive for as long as
// any copy lives; views do not, and their creator guarantees the lifetime. Distinct tensors may be used from distinct
// threads; the bytes of one tensor may be read from many threads while nobody writes.
#ifndef TANDEM_ENGINE_TENSOR_H_
#define TANDEM_ENGINE_TENSOR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/check.h"

namespace tandem::engine {

enum class DataType : uint8_t {
  kUndefined,
  kFloat32,
  kFloat64,
  kFloat16,
  kBFloat16,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kBool,
  kString,  // named so that messages can refuse it; no tensor holds strings
};

// Bytes of one element; 0 for kUndefined and kString.
size_t SizeOf(DataType type);

// "float32", "int8", ...: for messages.
absl::string_view NameOf(DataType type);

// True for float16, bfloat16, float32 and float64.
bool IsFloat(DataType type);

// Dimensions, outermost first. A dimension of kUnknownDim is free: it is known only when a request arrives.
inline constexpr int64_t kUnknownDim = -1;
using Shape = absl::InlinedVector<int64_t, 6>;

// Product of the dimensions; 1 for a scalar. All dimensions must be known.
int64_t NumElements(absl::Span<const int64_t> shape);

// True when no dimension is kUnknownDim.
bool IsKnown(absl::Span<const int64_t> shape);

// "[1,3,224,224]", with "?" for free dimensions.
std::string ToString(absl::Span<const int64_t> shape);

// The DataType that holds C++ type T.
template <typename T>
constexpr DataType DataTypeOf();

class Tensor {
 public:
  Tensor() = default;

  // Zero-filled memory of its own, aligned to 64 bytes.
  Tensor(DataType type, Shape shape);

  // A tensor over bytes that somebody else owns and keeps alive and in place.
  static Tensor View(DataType type, Shape shape, void* data);

  // A tensor over bytes kept alive by `owner`.
  static Tensor Share(DataType type, Shape shape, void* data, std::shared_ptr<const void> owner);

  // A tensor of its own holding `values`.
  template <typename T>
  static Tensor Of(Shape shape, absl::Span<const T> values);
  template <typename T>
  static Tensor Scalar(T value) {
    return Of<T>({}, {&value, 1});
  }

  DataType type() const { return type_; }
  const Shape& shape() const { return shape_; }
  int64_t rank() const { return static_cast<int64_t>(shape_.size()); }
  // Dimension `axis`; negative counts from the back.
  int64_t dim(int64_t axis) const { return shape_[axis < 0 ? axis + rank() : axis]; }
  int64_t num_elements() const { return num_elements_; }
  size_t num_bytes() const { return static_cast<size_t>(num_elements_) * SizeOf(type_); }
  bool defined() const { return type_ != DataType::kUndefined; }

  void* data() { return data_; }
  const void* data() const { return data_; }

  // The elements; T must be the tensor's type.
  template <typename T>
  absl::Span<const T> values() const {
    TANDEM_CHECK(DataTypeOf<T>() == type_, NameOf(type_));
    // Not braces: for bool they would make an initializer list of the two.
    return absl::Span<const T>(static_cast<const T*>(data_), static_cast<size_t>(num_elements_));
  }
  template <typename T>
  absl::Span<T> mutable_values() {
    TANDEM_CHECK(DataTypeOf<T>() == type_, NameOf(type_));
    return {static_cast<T*>(data_), static_cast<size_t>(num_elements_)};
  }

  // The same bytes under another shape of as many elements.
  Tensor Reshaped(Shape shape) const;
  // A deep copy that owns its bytes.
  Tensor Clone() const;

 private:
  DataType type_ = DataType::kUndefined;
  Shape shape_;
  int64_t num_elements_ = 0;
  void* data_ = nullptr;
  std::shared_ptr<const void> owner_;
};

// Conversions between the 16-bit floating formats and float, round to nearest even (IEEE 754).
float HalfToFloat(uint16_t bits);
uint16_t FloatToHalf(float value);
float BFloat16ToFloat(uint16_t bits);
uint16_t FloatToBFloat16(float value);

// --- templates ---

template <typename T>
constexpr DataType DataTypeOf() {
  if constexpr (std::is_same_v<T, float>)
    return DataType::kFloat32;
  else if constexpr (std::is_same_v<T, double>)
    return DataType::kFloat64;
  else if constexpr (std::is_same_v<T, int8_t>)
    return DataType::kInt8;
  else if constexpr (std::is_same_v<T, int16_t>)
    return DataType::kInt16;
  else if constexpr (std::is_same_v<T, int32_t>)
    return DataType::kInt32;
  else if constexpr (std::is_same_v<T, int64_t>)
    return DataType::kInt64;
  else if constexpr (std::is_same_v<T, uint8_t>)
    return DataType::kUInt8;
  else if constexpr (std::is_same_v<T, uint16_t>)
    return DataType::kUInt16;
  else if constexpr (std::is_same_v<T, uint32_t>)
    return DataType::kUInt32;
  else if constexpr (std::is_same_v<T, uint64_t>)
    return DataType::kUInt64;
  else if constexpr (std::is_same_v<T, bool>)
    return DataType::kBool;
  else
    static_assert(sizeof(T) == 0, "no DataType for this C++ type");
}

template <typename T>
Tensor Tensor::Of(Shape shape, absl::Span<const T> values) {
  Tensor tensor(DataTypeOf<T>(), std::move(shape));
  TANDEM_CHECK(tensor.num_elements() == static_cast<int64_t>(values.size()), "Tensor::Of");
  std::copy(values.begin(), values.end(), tensor.mutable_values<T>().begin());
  return tensor;
}

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_TENSOR_H_
