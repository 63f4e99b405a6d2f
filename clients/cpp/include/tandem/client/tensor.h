// Tensor: a named, typed and shaped view of values that belong to somebody else, as inputs are given and outputs read.
//
//   std::vector<float> pixels(28 * 28);
//   Tensor input = Tensor::Of<float>("pixels", {1, 1, 28, 28}, pixels);
//
// Values are in row-major order. A tensor is a value: copied freely, and good as long as what it views.
#ifndef TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_TENSOR_H_
#define TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_TENSOR_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace tandem::client {

// Numbers of 16 bits, which C++20 has no types for.
struct Float16 {
  uint16_t bits;  // IEEE 754 binary16
};
struct BFloat16 {
  uint16_t bits;  // the upper half of a float
};

// The protocol's name for a type, as "FP32" for float. Types that it does not have do not compile.
template <typename T>
constexpr absl::string_view DataTypeOf();

class Tensor {
 public:
  // `bytes` are the values as the protocol has them: little-endian, one after the other, aligned as their type.
  Tensor(std::string name, std::string datatype, std::vector<int64_t> shape, absl::string_view bytes)
      : name_(std::move(name)), datatype_(std::move(datatype)), shape_(std::move(shape)), bytes_(bytes) {}

  // Say T: Tensor::Of<float>("x", {2, 3}, values), where `values` may be a vector, an array or a span. Whether they are
  // as many as the shape says is seen when the tensor is sent.
  template <typename T>
  static Tensor Of(std::string name, std::vector<int64_t> shape, absl::Span<const T> values) {
    return Tensor(std::move(name), std::string(DataTypeOf<T>()), std::move(shape),
                  absl::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
  }

  const std::string& name() const { return name_; }
  const std::string& datatype() const { return datatype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  absl::string_view bytes() const { return bytes_; }

  // The values. INVALID_ARGUMENT when they are of another type: nothing is converted.
  template <typename T>
  absl::StatusOr<absl::Span<const T>> Values() const {
    if (datatype_ != DataTypeOf<T>()) return OfAnotherType(DataTypeOf<T>());
    return absl::Span<const T>(reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T));
  }

  // That the datatype is one of fixed width and that `bytes` are what it and the shape take. INVALID_ARGUMENT names the
  // tensor, what was expected and what there is.
  absl::Status Check() const;

 private:
  absl::Status OfAnotherType(absl::string_view wanted) const;

  std::string name_;
  std::string datatype_;
  std::vector<int64_t> shape_;
  absl::string_view bytes_;
};

// What follows is how the above is done.

namespace internal {
template <typename T>
inline constexpr bool kIsNone = false;
}  // namespace internal

template <typename T>
constexpr absl::string_view DataTypeOf() {
  if constexpr (std::is_same_v<T, bool>)
    return "BOOL";
  else if constexpr (std::is_same_v<T, int8_t>)
    return "INT8";
  else if constexpr (std::is_same_v<T, int16_t>)
    return "INT16";
  else if constexpr (std::is_same_v<T, int32_t>)
    return "INT32";
  else if constexpr (std::is_same_v<T, int64_t>)
    return "INT64";
  else if constexpr (std::is_same_v<T, uint8_t>)
    return "UINT8";
  else if constexpr (std::is_same_v<T, uint16_t>)
    return "UINT16";
  else if constexpr (std::is_same_v<T, uint32_t>)
    return "UINT32";
  else if constexpr (std::is_same_v<T, uint64_t>)
    return "UINT64";
  else if constexpr (std::is_same_v<T, Float16>)
    return "FP16";
  else if constexpr (std::is_same_v<T, BFloat16>)
    return "BF16";
  else if constexpr (std::is_same_v<T, float>)
    return "FP32";
  else if constexpr (std::is_same_v<T, double>)
    return "FP64";
  else
    static_assert(internal::kIsNone<T>, "no type of the protocol");
}

}  // namespace tandem::client

#endif  // TANDEM_CLIENTS_CPP_INCLUDE_TANDEM_CLIENT_TENSOR_H_
