// Lists of C++ element types, to say once what an operator takes and to instantiate its kernel for just those.
#ifndef TANDEM_ENGINE_OPS_TYPES_H_
#define TANDEM_ENGINE_OPS_TYPES_H_

#include <cstdint>
#include <utility>

#include "engine/ops/op.h"

namespace tandem::engine {

//   return Floats::Dispatch(x.type(), [&](auto t) { using T = decltype(t); ...; return absl::OkStatus(); });
template <typename... Ts>
struct Types {
  // Calls `f(T{})` with the C++ type of `type`; UNIMPLEMENTED when the list has it not.
  template <typename F>
  static absl::Status Dispatch(DataType type, F&& f) {
    return engine::Dispatch<Ts...>(type, std::forward<F>(f));
  }
  // OK when the list has `type`.
  static absl::Status Check(DataType type) {
    return Dispatch(type, [](auto) { return absl::OkStatus(); });
  }
};

using Floats = Types<float, double>;
using Integers = Types<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
using Unsigned = Types<uint8_t, uint16_t, uint32_t, uint64_t>;
using SignedNumbers = Types<float, double, int8_t, int16_t, int32_t, int64_t>;
using Numbers = Types<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
using Bools = Types<bool>;
using NumbersAndBool =
    Types<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, bool>;

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_OPS_TYPES_H_
