// LSTM, GRU and RNN: one layer over a batch of sequences, in one direction or both.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/families.h"
#include "engine/ops/gemm.h"
#include "engine/ops/rnn_activations.h"
#include "engine/ops/rnn_cells.h"

namespace tandem::engine {

namespace {

// The operators' inputs; RNN and GRU have the first six.
enum Input { kX, kW, kR, kB, kSequenceLens, kInitialH, kInitialC, kP };

struct RnnShape {
  int64_t steps = 0;
  int64_t batch = 0;
  int64_t input = 0;
  int64_t hidden = 0;
  int64_t directions = 1;
  bool batch_first = false;  // layout 1

  Shape Y() const {
    return batch_first ? Shape{batch, steps, directions, hidden} : Shape{steps, directions, batch, hidden};
  }
  Shape State() const { return batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden}; }
  // Where rows of `hidden` (or of `input`, for x) begin.
  int64_t RowOfX(int64_t t, int64_t b) const { return batch_first ? b * steps + t : t * batch + b; }
  int64_t RowOfY(int64_t t, int64_t d, int64_t b) const {
    return batch_first ? (b * steps + t) * directions + d : (t * directions + d) * batch + b;
  }
  int64_t RowOfState(int64_t d, int64_t b) const { return batch_first ? b * directions + d : d * batch + b; }
};

absl::StatusOr<int64_t> DirectionsOf(const Attributes& attributes) {
  const std::string direction = attributes.String("direction", "forward");
  if (direction == "forward" || direction == "reverse") return 1;
  if (direction == "bidirectional") return 2;
  return OpError("direction is '", direction, "', expected forward, reverse or bidirectional");
}

absl::StatusOr<RnnShape> ShapeOf(const Attributes& attributes, const Shape& x, const Shape& r) {
  if (x.size() != 3) return OpError("X is ", ToString(x), ", expected three dimensions");
  if (r.size() != 3) return OpError("R is ", ToString(r), ", expected three dimensions");
  RnnShape shape{.input = x[2], .hidden = r[2]};
  shape.batch_first = attributes.Int("layout", 0) != 0;
  shape.steps = x[shape.batch_first ? 1 : 0];
  shape.batch = x[shape.batch_first ? 0 : 1];
  TANDEM_ASSIGN_OR_RETURN(shape.directions, DirectionsOf(attributes));
  const int64_t given = attributes.Int("hidden_size", shape.hidden);
  if (given != shape.hidden) return OpError("hidden_size is ", given, ", R ", ToString(r));
  return shape;
}

absl::Status CheckInput(const InferContext& ctx, Input input, absl::string_view name, const Shape& expected) {
  if (!ctx.has_input(input)) return absl::OkStatus();
  const DataType type = input == kSequenceLens ? DataType::kInt32 : ctx.type(kX);
  if (ctx.type(input) != type) return OpError(name, " is ", NameOf(ctx.type(input)), ", expected ", NameOf(type));
  if (!ctx.has_shape(input) || ctx.shape(input) == expected) return absl::OkStatus();
  return OpError(name, " is ", ToString(ctx.shape(input)), ", expected ", ToString(expected));
}

absl::Status InferRnn(InferContext& ctx, int64_t gates, absl::Span<const absl::string_view> activations) {
  TANDEM_RETURN_IF_ERROR((Dispatch<float, double>(ctx.type(kX), [](auto) { return absl::OkStatus(); })));
  TANDEM_ASSIGN_OR_RETURN(const int64_t directions, DirectionsOf(ctx.attributes()));
  TANDEM_RETURN_IF_ERROR(ActivationsOf(ctx.attributes(), activations, directions).status());
  std::optional<Shape> y;
  std::optional<Shape> state;
  if (ctx.has_shape(kX) && ctx.has_shape(kR)) {
    TANDEM_ASSIGN_OR_RETURN(const RnnShape shape, ShapeOf(ctx.attributes(), ctx.shape(kX), ctx.shape(kR)));
    if (shape.hidden > kMaxElements / (2 * gates)) return OpError("hidden size ", shape.hidden, " is too large");
    const int64_t width = gates * shape.hidden;
    TANDEM_RETURN_IF_ERROR(CheckInput(ctx, kW, "W", {directions, width, shape.input}));
    TANDEM_RETURN_IF_ERROR(CheckInput(ctx, kR, "R", {directions, width, shape.hidden}));
    TANDEM_RETURN_IF_ERROR(CheckInput(ctx, kB, "B", {directions, 2 * width}));
    TANDEM_RETURN_IF_ERROR(CheckInput(ctx, kSequenceLens, "sequence_lens", {shape.batch}));
    TANDEM_RETURN_IF_ERROR(CheckInput(ctx, kInitialH, "initial_h", shape.State()));
    TANDEM_RETURN_IF_ERROR(CheckInput(ctx, kInitialC, "initial_c", shape.State()));
    TANDEM_RETURN_IF_ERROR(CheckInput(ctx, kP, "P", {directions, 3 * shape.hidden}));
    y = shape.Y();
    state = shape.State();
    TANDEM_RETURN_IF_ERROR(CheckElementCount(*y));
    TANDEM_RETURN_IF_ERROR(CheckElementCount({shape.steps, shape.batch, width}));
  }
  ctx.SetOutput(0, ctx.type(kX), y);
  ctx.SetOutput(1, ctx.type(kX), state);
  ctx.SetOutput(2, ctx.type(kX), state);
  return absl::OkStatus();
}

// The steps of each sequence, checked to lie within the padded length.
absl::StatusOr<std::vector<int64_t>> LengthsOf(const KernelContext& ctx, const RnnShape& shape) {
  std::vector<int64_t> lengths(shape.batch, shape.steps);
  if (!ctx.has_input(kSequenceLens)) return lengths;
  const auto given = ctx.input(kSequenceLens).values<int32_t>();
  for (int64_t b = 0; b < shape.batch; ++b) {
    if (given[b] < 0 || given[b] > shape.steps) {
      return OpError("sequence_lens[", b, "] is ", given[b], ", outside [0,", shape.steps, "]");
    }
    lengths[b] = given[b];
  }
  return lengths;
}

template <typename T>
const T* DataOf(const KernelContext& ctx, int input, int64_t offset) {
  return ctx.has_input(input) ? ctx.input(input).values<T>().data() + offset : nullptr;
}

// x * W^T and the biases that need no state, for every step and sequence: rows as in X.
template <typename T>
std::vector<T> InputPart(const KernelContext& ctx, const RnnShape& shape, int64_t direction, int64_t width,
                         int64_t folded) {
  const int64_t rows = shape.steps * shape.batch;
  std::vector<T> part(rows * width);
  if (const T* bias = DataOf<T>(ctx, kB, direction * 2 * width); bias != nullptr && rows > 0) {
    for (int64_t i = 0; i < width; ++i) part[i] = bias[i] + (i < folded ? bias[width + i] : T{0});
    for (int64_t row = 1; row < rows; ++row) std::copy_n(part.data(), width, part.data() + row * width);
  }
  const T* w = DataOf<T>(ctx, kW, direction * width * shape.input);
  MultiplyAdd<T>(rows, width, shape.input, {DataOf<T>(ctx, kX, 0), shape.input}, {w, 1, shape.input}, part.data(),
                 width);
  return part;
}

// [batch, hidden] of the input `input` in one direction, or zeros.
template <typename T>
std::vector<T> InitialState(const KernelContext& ctx, const RnnShape& shape, int64_t direction, int input) {
  std::vector<T> state(shape.batch * shape.hidden);
  const T* given = DataOf<T>(ctx, input, 0);
  if (given == nullptr) return state;
  for (int64_t b = 0; b < shape.batch; ++b) {
    std::copy_n(given + shape.RowOfState(direction, b) * shape.hidden, shape.hidden, state.data() + b * shape.hidden);
  }
  return state;
}

template <typename T>
void StoreState(const std::vector<T>& state, const RnnShape& shape, int64_t direction, Tensor& tensor) {
  T* target = tensor.mutable_values<T>().data();
  for (int64_t b = 0; b < shape.batch; ++b) {
    std::copy_n(state.data() + b * shape.hidden, shape.hidden, target + shape.RowOfState(direction, b) * shape.hidden);
  }
}

template <typename T, typename Cell>
void RunDirection(KernelContext& ctx, const RnnShape& shape, const std::vector<int64_t>& lengths, int64_t direction,
                  bool reverse, Cell cell) {
  const int64_t hidden = shape.hidden;
  const int64_t width = Cell::kGates * hidden;
  const std::vector<T> part = InputPart<T>(ctx, shape, direction, width, cell.FoldedBias());
  std::vector<T> h = InitialState<T>(ctx, shape, direction, kInitialH);
  std::vector<T> c = InitialState<T>(ctx, shape, direction, kInitialC);
  std::vector<T> gates(shape.batch * width);
  std::vector<char> active(shape.batch);
  T* y = ctx.output(0).mutable_values<T>().data();
  for (int64_t step = 0; step < shape.steps; ++step) {
    // A reversed sequence starts at its own last step.
    const auto time = [&](int64_t b) { return reverse && step < lengths[b] ? lengths[b] - 1 - step : step; };
    for (int64_t b = 0; b < shape.batch; ++b) {
      active[b] = step < lengths[b] ? 1 : 0;
      std::copy_n(part.data() + shape.RowOfX(time(b), b) * width, width, gates.data() + b * width);
    }
    if (std::find(active.begin(), active.end(), 1) != active.end()) {
      cell.Step(shape.batch, active, gates.data(), h.data(), c.data());
    }
    for (int64_t b = 0; b < shape.batch; ++b) {
      T* row = y + shape.RowOfY(time(b), direction, b) * hidden;
      if (active[b] != 0) {
        std::copy_n(h.data() + b * hidden, hidden, row);
      } else {
        std::fill_n(row, hidden, T{0});
      }
    }
  }
  if (ctx.num_outputs() > 1) StoreState(h, shape, direction, ctx.output(1));
  if (ctx.num_outputs() > 2) StoreState(c, shape, direction, ctx.output(2));
}

template <template <typename> class Cell>
absl::Status RunRnn(KernelContext& ctx, absl::Span<const absl::string_view> defaults) {
  const Attributes& attributes = ctx.attributes();
  TANDEM_ASSIGN_OR_RETURN(const RnnShape shape, ShapeOf(attributes, ctx.input(kX).shape(), ctx.input(kR).shape()));
  TANDEM_ASSIGN_OR_RETURN(const auto activations, ActivationsOf(attributes, defaults, shape.directions));
  TANDEM_ASSIGN_OR_RETURN(const auto lengths, LengthsOf(ctx, shape));
  const bool reverse = attributes.String("direction", "forward") == "reverse";
  return Dispatch<float, double>(ctx.input(kX).type(), [&](auto t) {
    using T = decltype(t);
    for (int64_t direction = 0; direction < shape.directions; ++direction) {
      const int64_t width = Cell<T>::kGates * shape.hidden;
      CellWeights<T> weights{
          .hidden = shape.hidden,
          .recurrent = DataOf<T>(ctx, kR, direction * width * shape.hidden),
          .recurrent_bias = DataOf<T>(ctx, kB, (direction * 2 + 1) * width),
          .peepholes = DataOf<T>(ctx, kP, direction * 3 * shape.hidden),
          .activations = absl::MakeConstSpan(activations).subspan(direction * defaults.size(), defaults.size()),
          .clip = static_cast<T>(attributes.Float("clip", 0)),
          .input_forget = attributes.Int("input_forget", 0) != 0,
          .linear_before_reset = attributes.Int("linear_before_reset", 0) != 0};
      RunDirection<T>(ctx, shape, lengths, direction, reverse || direction == 1, Cell<T>(weights));
    }
    return absl::OkStatus();
  });
}

constexpr absl::string_view kLstmActivations[] = {"Sigmoid", "Tanh", "Tanh"};
constexpr absl::string_view kGruActivations[] = {"Sigmoid", "Tanh"};
constexpr absl::string_view kRnnActivations[] = {"Tanh"};

constexpr OpDef kOps[] = {
    {"LSTM", 3, 8, [](InferContext& ctx) { return InferRnn(ctx, 4, kLstmActivations); },
     [](KernelContext& ctx) { return RunRnn<LstmCell>(ctx, kLstmActivations); }},
    {"GRU", 3, 6, [](InferContext& ctx) { return InferRnn(ctx, 3, kGruActivations); },
     [](KernelContext& ctx) { return RunRnn<GruCell>(ctx, kGruActivations); }},
    {"RNN", 3, 6, [](InferContext& ctx) { return InferRnn(ctx, 1, kRnnActivations); },
     [](KernelContext& ctx) { return RunRnn<SimpleCell>(ctx, kRnnActivations); }},
};

}  // namespace

absl::Span<const OpDef> RnnOps() { return kOps; }

}  // namespace tandem::engine
