// Operators of language models without a quadratic attention: LinearAttention, CausalConvWithState and SwiGLU.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/families.h"
#include "engine/ops/vector_math.h"

namespace tandem::engine {

namespace {

absl::Status CheckFloats(const InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR((Dispatch<float, double>(ctx.type(0), [](auto) { return absl::OkStatus(); })));
  for (int i = 1; i < ctx.num_inputs(); ++i) {
    if (ctx.has_input(i) && ctx.type(i) != ctx.type(0)) {
      return OpError("input ", i, " is ", NameOf(ctx.type(i)), ", input 0 ", NameOf(ctx.type(0)));
    }
  }
  return absl::OkStatus();
}

// Input `i`, when its shape is known, must have the shape `expected`.
absl::Status CheckShape(const InferContext& ctx, int i, const Shape& expected) {
  if (!ctx.has_input(i) || !ctx.has_shape(i) || ctx.shape(i) == expected) return absl::OkStatus();
  return OpError("input ", i, " is ", ToString(ctx.shape(i)), ", expected ", ToString(expected));
}

template <typename T>
const T* DataOf(const KernelContext& ctx, int i) {
  return ctx.has_input(i) ? ctx.input(i).values<T>().data() : nullptr;
}

// --- LinearAttention ---

enum LinearInput { kQuery, kKey, kValue, kPastState, kDecay, kBeta };

struct LinearShape {
  int64_t batch = 0;
  int64_t steps = 0;
  int64_t q_heads = 0;
  int64_t kv_heads = 0;
  int64_t key_size = 0;
  int64_t value_size = 0;
  bool decays = false;    // update rules "gated" and "gated_delta"
  bool corrects = false;  // "delta" and "gated_delta"

  Shape State() const { return {batch, kv_heads, key_size, value_size}; }
};

absl::Status ReadUpdateRule(const Attributes& attributes, LinearShape& shape) {
  const std::string rule = attributes.String("update_rule", "gated_delta");
  shape.decays = rule == "gated" || rule == "gated_delta";
  shape.corrects = rule == "delta" || rule == "gated_delta";
  if (shape.decays || shape.corrects || rule == "linear") return absl::OkStatus();
  return OpError("update_rule is '", rule, "', expected linear, gated, delta or gated_delta");
}

absl::StatusOr<LinearShape> ShapeOfLinear(const Attributes& attributes, const Shape& q, const Shape& k,
                                          const Shape& v) {
  LinearShape shape;
  TANDEM_RETURN_IF_ERROR(ReadUpdateRule(attributes, shape));
  shape.q_heads = attributes.Int("q_num_heads", 0);
  shape.kv_heads = attributes.Int("kv_num_heads", 0);
  if (shape.kv_heads < 1 || shape.q_heads < 1 || shape.q_heads % shape.kv_heads != 0) {
    return OpError(shape.q_heads, " query heads do not divide among ", shape.kv_heads, " key heads");
  }
  const bool fits = q.size() == 3 && k.size() == 3 && v.size() == 3 && q[0] == k[0] && q[0] == v[0] && q[1] == k[1] &&
                    q[1] == v[1] && q[2] % shape.q_heads == 0 && k[2] % shape.kv_heads == 0 &&
                    v[2] % shape.kv_heads == 0 && q[2] / shape.q_heads == k[2] / shape.kv_heads;
  if (!fits) {
    return OpError("query ", ToString(q), ", key ", ToString(k), " and value ", ToString(v), " do not fit ",
                   shape.q_heads, " and ", shape.kv_heads, " heads");
  }
  shape.batch = q[0];
  shape.steps = q[1];
  shape.key_size = k[2] / shape.kv_heads;
  shape.value_size = v[2] / shape.kv_heads;
  TANDEM_RETURN_IF_ERROR(CheckElementCount(shape.State()));
  TANDEM_RETURN_IF_ERROR(CheckElementCount({shape.batch, shape.steps, shape.q_heads, shape.value_size}));
  return shape;
}

absl::Status CheckGates(const InferContext& ctx, const LinearShape& shape) {
  if (shape.decays != ctx.has_input(kDecay)) return OpError("decay belongs to the gated update rules, and only there");
  if (shape.corrects != ctx.has_input(kBeta)) return OpError("beta belongs to the delta update rules, and only there");
  const auto fits = [&](int i, int64_t wide) {
    if (!ctx.has_input(i) || !ctx.has_shape(i)) return true;
    const Shape& s = ctx.shape(i);
    return s == Shape{shape.batch, shape.steps, shape.kv_heads} || s == Shape{shape.batch, shape.steps, wide};
  };
  if (!fits(kDecay, shape.kv_heads * shape.key_size)) return OpError("decay is ", ToString(ctx.shape(kDecay)));
  if (!fits(kBeta, 1)) return OpError("beta is ", ToString(ctx.shape(kBeta)));
  return absl::OkStatus();
}

absl::Status InferLinearAttention(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckFloats(ctx));
  std::optional<Shape> output, state;
  if (ctx.has_shape(kQuery) && ctx.has_shape(kKey) && ctx.has_shape(kValue)) {
    TANDEM_ASSIGN_OR_RETURN(const LinearShape shape,
                            ShapeOfLinear(ctx.attributes(), ctx.shape(kQuery), ctx.shape(kKey), ctx.shape(kValue)));
    TANDEM_RETURN_IF_ERROR(CheckGates(ctx, shape));
    state = shape.State();
    TANDEM_RETURN_IF_ERROR(CheckShape(ctx, kPastState, *state));
    output = Shape{shape.batch, shape.steps, shape.q_heads * shape.value_size};
  }
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  ctx.SetOutput(1, ctx.type(0), std::move(state));
  return absl::OkStatus();
}

// Moves one head's state [key, value] on by a token. `decay` holds `decay_count` logarithms (0: none, 1: for all keys);
// `beta` is null unless the state is corrected towards the value.
template <typename T>
void Update(const LinearShape& shape, const T* key, const T* value, const T* decay, int64_t decay_count, const T* beta,
            T* state, std::vector<T>& change) {
  const int64_t width = shape.value_size;
  for (int64_t i = 0; i < shape.key_size && decay_count > 0; ++i) {
    const T factor = std::exp(decay[decay_count == 1 ? 0 : i]);
    for (int64_t j = 0; j < width; ++j) state[i * width + j] *= factor;
  }
  std::copy_n(value, width, change.begin());
  if (beta != nullptr) {
    for (int64_t i = 0; i < shape.key_size; ++i) {
      for (int64_t j = 0; j < width; ++j) change[j] -= key[i] * state[i * width + j];
    }
    for (int64_t j = 0; j < width; ++j) change[j] *= *beta;
  }
  for (int64_t i = 0; i < shape.key_size; ++i) {
    for (int64_t j = 0; j < width; ++j) state[i * width + j] += key[i] * change[j];
  }
}

template <typename T>
void RunLinearAttention(KernelContext& ctx, const LinearShape& shape) {
  const float given = ctx.attributes().Float("scale", 0);
  const T scale = given != 0 ? static_cast<T>(given) : 1 / std::sqrt(static_cast<T>(shape.key_size));
  const int64_t group = shape.q_heads / shape.kv_heads;
  const int64_t width = shape.value_size;
  const T* decay = DataOf<T>(ctx, kDecay);
  const T* beta = DataOf<T>(ctx, kBeta);
  const int64_t decay_row = decay != nullptr ? ctx.input(kDecay).dim(2) : 0;
  const int64_t beta_row = beta != nullptr ? ctx.input(kBeta).dim(2) : 0;
  const int64_t decay_count = decay_row / shape.kv_heads;
  std::vector<T> states(NumElements(shape.State()));
  if (const T* past = DataOf<T>(ctx, kPastState); past != nullptr) std::copy_n(past, states.size(), states.begin());
  std::vector<T> change(width);
  T* y = ctx.output(0).mutable_values<T>().data();
  std::fill_n(y, ctx.output(0).num_elements(), T{0});
  for (int64_t token = 0; token < shape.batch * shape.steps; ++token) {
    for (int64_t h = 0; h < shape.kv_heads; ++h) {
      T* state = states.data() + (token / shape.steps * shape.kv_heads + h) * shape.key_size * width;
      const int64_t head = token * shape.kv_heads + h;
      Update(shape, DataOf<T>(ctx, kKey) + head * shape.key_size, DataOf<T>(ctx, kValue) + head * width,
             decay_row > 0 ? decay + token * decay_row + h * decay_count : nullptr, decay_count,
             beta != nullptr ? beta + token * beta_row + (beta_row == 1 ? 0 : h) : nullptr, state, change);
      for (int64_t q = head * group; q < (head + 1) * group; ++q) {
        const T* query = DataOf<T>(ctx, kQuery) + q * shape.key_size;
        for (int64_t i = 0; i < shape.key_size; ++i) {
          for (int64_t j = 0; j < width; ++j) y[q * width + j] += scale * query[i] * state[i * width + j];
        }
      }
    }
  }
  if (ctx.num_outputs() > 1) std::copy(states.begin(), states.end(), ctx.output(1).mutable_values<T>().begin());
}

absl::Status LinearAttention(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const LinearShape shape, ShapeOfLinear(ctx.attributes(), ctx.input(kQuery).shape(),
                                                                 ctx.input(kKey).shape(), ctx.input(kValue).shape()));
  return Dispatch<float, double>(ctx.input(0).type(), [&](auto t) {
    RunLinearAttention<decltype(t)>(ctx, shape);
    return absl::OkStatus();
  });
}

// --- CausalConvWithState ---

enum CausalInput { kInput, kWeight, kBias, kCarried };

absl::StatusOr<bool> HasSilu(const Attributes& attributes) {
  const std::string name = attributes.String("activation", "none");
  if (name == "none") return false;
  if (name == "silu" || name == "swish") return true;
  return OpError("activation is '", name, "', expected none, silu or swish");
}

absl::Status InferCausalConv(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckFloats(ctx));
  TANDEM_RETURN_IF_ERROR(HasSilu(ctx.attributes()).status());
  std::optional<Shape> output, state;
  if (ctx.has_shape(kInput) && ctx.has_shape(kWeight)) {
    const Shape& x = ctx.shape(kInput);
    const Shape& w = ctx.shape(kWeight);
    if (x.size() != 3 || w.size() != 3 || w[0] != x[1] || w[1] != 1 || w[2] < 1) {
      return OpError("input ", ToString(x), " and weight ", ToString(w), " do not fit");
    }
    output = x;
    state = Shape{x[0], x[1], w[2] - 1};
    TANDEM_RETURN_IF_ERROR(CheckElementCount(*state));
    TANDEM_RETURN_IF_ERROR(CheckShape(ctx, kBias, {x[1]}));
    TANDEM_RETURN_IF_ERROR(CheckShape(ctx, kCarried, *state));
  }
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  ctx.SetOutput(1, ctx.type(0), std::move(state));
  return absl::OkStatus();
}

absl::Status CausalConvWithState(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const bool silu, HasSilu(ctx.attributes()));
  const Tensor& x = ctx.input(kInput);
  const int64_t channels = x.dim(1);
  const int64_t length = x.dim(2);
  const int64_t kernel = ctx.input(kWeight).dim(2);
  return Dispatch<float, double>(x.type(), [&](auto t) {
    using T = decltype(t);
    const T* carried = DataOf<T>(ctx, kCarried);
    const T* bias = DataOf<T>(ctx, kBias);
    std::vector<T> padded(kernel - 1 + length);
    for (int64_t row = 0; row < x.dim(0) * channels; ++row) {
      std::fill_n(padded.begin(), kernel - 1, T{0});
      if (carried != nullptr) std::copy_n(carried + row * (kernel - 1), kernel - 1, padded.begin());
      std::copy_n(x.values<T>().data() + row * length, length, padded.begin() + (kernel - 1));
      T* y = ctx.output(0).template mutable_values<T>().data() + row * length;
      std::fill_n(y, length, bias != nullptr ? bias[row % channels] : T{0});
      for (int64_t k = 0; k < kernel; ++k) {
        const T weight = DataOf<T>(ctx, kWeight)[row % channels * kernel + k];
        for (int64_t i = 0; i < length; ++i) y[i] += weight * padded[i + k];
      }
      for (int64_t i = 0; i < length && silu; ++i) y[i] *= VectorSigmoid(y[i]);
      if (ctx.num_outputs() > 1) {
        std::copy(padded.end() - (kernel - 1), padded.end(),
                  ctx.output(1).template mutable_values<T>().begin() + row * (kernel - 1));
      }
    }
    return absl::OkStatus();
  });
}

// --- SwiGLU ---

absl::Status InferSwiGlu(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckFloats(ctx));
  if (ctx.has_shape(0)) TANDEM_RETURN_IF_ERROR(CheckShape(ctx, 1, ctx.shape(0)));
  ctx.SetOutput(0, ctx.type(0), ctx.has_shape(0) ? std::optional<Shape>(ctx.shape(0)) : std::nullopt);
  return absl::OkStatus();
}

absl::Status SwiGlu(KernelContext& ctx) {
  return Dispatch<float, double>(ctx.input(0).type(), [&](auto t) {
    using T = decltype(t);
    const T alpha = static_cast<T>(ctx.attributes().Float("alpha", 1));
    const auto gate = ctx.input(0).values<T>();
    const auto value = ctx.input(1).values<T>();
    const auto y = ctx.output(0).template mutable_values<T>();
    for (size_t i = 0; i < y.size(); ++i) y[i] = gate[i] * VectorSigmoid(alpha * gate[i]) * value[i];
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"LinearAttention", 3, 6, InferLinearAttention, LinearAttention},
    {"CausalConvWithState", 2, 4, InferCausalConv, CausalConvWithState},
    {"SwiGLU", 2, 2, InferSwiGlu, SwiGlu},
};

}  // namespace

absl::Span<const OpDef> LinearAttentionOps() { return kOps; }

}  // namespace tandem::engine
