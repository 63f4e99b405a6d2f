// Conversions between element types: Cast, CastLike, BitCast.
#include <cstring>

#include "engine/ops/arithmetic.h"
#include "engine/ops/convert.h"
#include "engine/ops/dims.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

// 16-bit floats, as they lie in memory.
struct Half {
  uint16_t bits;
};
struct BFloat {
  uint16_t bits;
};

float Read(Half x) { return HalfToFloat(x.bits); }
float Read(BFloat x) { return BFloat16ToFloat(x.bits); }
template <typename T>
T Read(T x) {
  return x;
}

template <typename To, typename From>
To Write(From x) {
  if constexpr (std::is_same_v<To, Half>)
    return {FloatToHalf(static_cast<float>(x))};
  else if constexpr (std::is_same_v<To, BFloat>)
    return {FloatToBFloat16(static_cast<float>(x))};
  else
    return ConvertTo<To>(x);
}

// Calls `f` with an element of the C++ type that stores `type`.
template <typename F>
void DispatchStorage(DataType type, F&& f) {
  if (type == DataType::kFloat16) return f(Half{});
  if (type == DataType::kBFloat16) return f(BFloat{});
  const absl::Status status = NumbersAndBool::Dispatch(type, [&](auto t) {
    f(t);
    return absl::OkStatus();
  });
  TANDEM_CHECK(status.ok(), status.message());
}

absl::Status InferCastTo(InferContext& ctx, DataType to) {
  for (DataType type : {ctx.type(0), to}) {
    if (SizeOf(type) == 0) return absl::UnimplementedError(absl::StrCat("type ", NameOf(type), " is not supported"));
  }
  ctx.SetOutput(0, to, ShapeOf(ctx, 0));
  return absl::OkStatus();
}

absl::Status InferCast(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const DataType to, TypeOfOnnxCode(ctx.attributes().Int("to", 0)));
  return InferCastTo(ctx, to);
}

absl::Status InferCastLike(InferContext& ctx) { return InferCastTo(ctx, ctx.type(1)); }

absl::Status Cast(KernelContext& ctx) {
  ConvertElements(ctx.input(0), ctx.output(0));
  return absl::OkStatus();
}

absl::Status InferBitCast(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(InferCast(ctx));
  const DataType to = ctx.outputs()[0].type;
  if (SizeOf(to) != SizeOf(ctx.type(0))) {
    return OpError("cannot take the bits of ", NameOf(ctx.type(0)), " for ", NameOf(to), ": their sizes differ");
  }
  return absl::OkStatus();
}

absl::Status BitCast(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  Tensor& y = ctx.output(0);
  if (x.num_elements() == 0) return absl::OkStatus();
  if (y.type() == DataType::kBool && x.type() != DataType::kBool) {
    // A bool of any other byte than 0 and 1 would be undefined to read.
    const auto* bytes = static_cast<const uint8_t*>(x.data());
    for (int64_t i = 0; i < x.num_elements(); ++i) y.mutable_values<bool>()[i] = bytes[i] != 0;
    return absl::OkStatus();
  }
  std::memcpy(y.data(), x.data(), x.num_bytes());
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"Cast", 1, 1, InferCast, Cast},
    {"CastLike", 2, 2, InferCastLike, Cast},
    {"BitCast", 1, 1, InferBitCast, BitCast},
};

}  // namespace

void ConvertElements(const Tensor& from, Tensor& to) {
  const int64_t count = from.num_elements();
  if (count == 0) return;
  if (from.type() == to.type()) {
    std::memcpy(to.data(), from.data(), from.num_bytes());
    return;
  }
  DispatchStorage(from.type(), [&](auto source) {
    DispatchStorage(to.type(), [&](auto target) {
      using To = decltype(target);
      const auto* x = static_cast<const decltype(source)*>(from.data());
      auto* y = static_cast<To*>(to.data());
      for (int64_t i = 0; i < count; ++i) y[i] = Write<To>(Read(x[i]));
    });
  });
}

Tensor Converted(const Tensor& tensor, DataType type) {
  if (tensor.type() == type) return tensor;
  Tensor converted(type, tensor.shape());
  ConvertElements(tensor, converted);
  return converted;
}

absl::Span<const OpDef> CastOps() { return kOps; }

}  // namespace tandem::engine
