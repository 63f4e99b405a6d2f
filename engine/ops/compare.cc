// Comparisons and logic of two inputs, and the choice between two by a third.
#include "engine/ops/broadcast.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

#define TANDEM_COMPARISON(Name, op)     \
  struct Name {                         \
    template <typename T>               \
    bool operator()(T a, T b) const {   \
      return static_cast<bool>(a op b); \
    }                                   \
  }
TANDEM_COMPARISON(Equal, ==);
TANDEM_COMPARISON(Less, <);
TANDEM_COMPARISON(LessOrEqual, <=);
TANDEM_COMPARISON(Greater, >);
TANDEM_COMPARISON(GreaterOrEqual, >=);
TANDEM_COMPARISON(And, &);
TANDEM_COMPARISON(Or, |);
TANDEM_COMPARISON(Xor, ^);
#undef TANDEM_COMPARISON

absl::Status InferWhere(InferContext& ctx) {
  if (ctx.type(0) != DataType::kBool) return OpError("the condition is ", NameOf(ctx.type(0)), ", not bool");
  TANDEM_RETURN_IF_ERROR(NumbersAndBool::Check(ctx.type(1)));
  if (ctx.type(1) != ctx.type(2)) {
    return OpError("inputs 1 and 2 have types ", NameOf(ctx.type(1)), " and ", NameOf(ctx.type(2)));
  }
  TANDEM_ASSIGN_OR_RETURN(std::optional<Shape> shape, BroadcastInputs(ctx, 0, 3));
  ctx.SetOutput(0, ctx.type(1), std::move(shape));
  return absl::OkStatus();
}

template <typename T>
void Choose(const Tensor& condition, const Tensor& x, const Tensor& y, Tensor& out) {
  const Broadcast<3> loops(out.shape(), {&condition.shape(), &x.shape(), &y.shape()});
  const bool* c = condition.values<bool>().data();
  const T* a = x.values<T>().data();
  const T* b = y.values<T>().data();
  T* to = out.mutable_values<T>().data();
  loops.ForEachRow([&](int64_t at, const std::array<int64_t, 3>& in) {
    const int64_t row = loops.row;
    const bool* c_row = c + in[0];
    const T* a_row = a + in[1];
    const T* b_row = b + in[2];
    for (int64_t i = 0; i < row; ++i) {
      const T yes = a_row[i * loops.step[1]];
      const T no = b_row[i * loops.step[2]];
      to[at + i] = c_row[i * loops.step[0]] ? yes : no;
    }
  });
}

absl::Status Where(KernelContext& ctx) {
  return NumbersAndBool::Dispatch(ctx.input(1).type(), [&](auto t) {
    Choose<decltype(t)>(ctx.input(0), ctx.input(1), ctx.input(2), ctx.output(0));
    return absl::OkStatus();
  });
}

constexpr DataType kBool = DataType::kBool;
constexpr OpDef kOps[] = {
    {"Equal", 2, 2, InferBinary<NumbersAndBool, kBool>, BinaryKernel<NumbersAndBool, Equal>},
    {"Less", 2, 2, InferBinary<Numbers, kBool>, BinaryKernel<Numbers, Less>},
    {"LessOrEqual", 2, 2, InferBinary<Numbers, kBool>, BinaryKernel<Numbers, LessOrEqual>},
    {"Greater", 2, 2, InferBinary<Numbers, kBool>, BinaryKernel<Numbers, Greater>},
    {"GreaterOrEqual", 2, 2, InferBinary<Numbers, kBool>, BinaryKernel<Numbers, GreaterOrEqual>},
    {"And", 2, 2, InferBinary<Bools>, BinaryKernel<Bools, And>},
    {"Or", 2, 2, InferBinary<Bools>, BinaryKernel<Bools, Or>},
    {"Xor", 2, 2, InferBinary<Bools>, BinaryKernel<Bools, Xor>},
    {"Where", 3, 3, InferWhere, Where},
};

}  // namespace

absl::Span<const OpDef> CompareOps() { return kOps; }

}  // namespace tandem::engine
