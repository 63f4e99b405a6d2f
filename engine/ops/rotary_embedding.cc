// RotaryEmbedding: turns pairs of features by angles that depend on the token's position (arXiv 2104.09864).
#include <algorithm>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

enum Input { kX, kCos, kSin, kPositions };

struct RotaryShape {
  int64_t batch = 0;
  int64_t heads = 0;
  int64_t length = 0;
  int64_t size = 0;
  int64_t half = 0;     // pairs that are turned
  bool packed = false;  // x is [batch, length, heads * size]
};

absl::StatusOr<RotaryShape> ShapeOf(const Attributes& attributes, const Shape& x) {
  RotaryShape shape;
  if (x.size() == 4) {
    shape = {.batch = x[0], .heads = x[1], .length = x[2], .size = x[3]};
  } else if (x.size() == 3) {
    const int64_t heads = attributes.Int("num_heads", 0);
    if (heads < 1 || x[2] % heads != 0) return OpError("X ", ToString(x), " does not divide into ", heads, " heads");
    shape = {.batch = x[0], .heads = heads, .length = x[1], .size = x[2] / heads, .packed = true};
  } else {
    return OpError("X is ", ToString(x), ", expected three or four dimensions");
  }
  const int64_t given = attributes.Int("rotary_embedding_dim", 0);
  const int64_t turned = given != 0 ? given : shape.size;
  if (turned < 0 || turned > shape.size || turned % 2 != 0) {
    return OpError("cannot turn ", turned, " of ", shape.size, " features");
  }
  shape.half = turned / 2;
  return shape;
}

}  // namespace

absl::Status InferRotaryEmbedding(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR((Dispatch<float, double>(ctx.type(kX), [](auto) { return absl::OkStatus(); })));
  const bool by_position = ctx.has_input(kPositions);
  if (by_position && ctx.type(kPositions) != DataType::kInt64) {
    return OpError("position_ids are ", NameOf(ctx.type(kPositions)), ", expected int64");
  }
  std::optional<Shape> output;
  if (ctx.has_shape(kX)) {
    TANDEM_ASSIGN_OR_RETURN(const RotaryShape shape, ShapeOf(ctx.attributes(), ctx.shape(kX)));
    if (by_position && ctx.has_shape(kPositions) && ctx.shape(kPositions) != Shape{shape.batch, shape.length}) {
      return OpError("position_ids are ", ToString(ctx.shape(kPositions)), ", expected [", shape.batch, ",",
                     shape.length, "]");
    }
    for (const Input input : {kCos, kSin}) {
      if (ctx.type(input) != ctx.type(kX)) return OpError("input ", static_cast<int>(input), " is not of X's type");
      if (!ctx.has_shape(input)) continue;
      const Shape& cache = ctx.shape(input);
      const bool fits = by_position ? cache.size() == 2 && cache[1] == shape.half
                                    : cache == Shape{shape.batch, shape.length, shape.half};
      if (!fits) return OpError("input ", static_cast<int>(input), " is ", ToString(cache), ", which does not fit X");
    }
    if (ctx.has_shape(kCos) && ctx.has_shape(kSin) && ctx.shape(kCos) != ctx.shape(kSin)) {
      return OpError("cos_cache ", ToString(ctx.shape(kCos)), " and sin_cache ", ToString(ctx.shape(kSin)), " differ");
    }
    output = ctx.shape(kX);
  }
  ctx.SetOutput(0, ctx.type(kX), std::move(output));
  return absl::OkStatus();
}

absl::Status RotaryEmbedding(KernelContext& ctx) {
  const Tensor& x = ctx.input(kX);
  TANDEM_ASSIGN_OR_RETURN(const RotaryShape shape, ShapeOf(ctx.attributes(), x.shape()));
  const bool interleaved = ctx.attributes().Int("interleaved", 0) != 0;
  const int64_t* positions = ctx.has_input(kPositions) ? ctx.input(kPositions).values<int64_t>().data() : nullptr;
  const int64_t known = ctx.input(kCos).dim(0);
  return Dispatch<float, double>(x.type(), [&](auto t) {
    using T = decltype(t);
    const T* source = x.values<T>().data();
    T* target = ctx.output(0).template mutable_values<T>().data();
    for (int64_t row = 0; row < shape.batch * shape.heads * shape.length; ++row) {
      const int64_t b = row / (shape.heads * shape.length);
      const int64_t i = shape.packed ? row / shape.heads % shape.length : row % shape.length;
      const int64_t token = b * shape.length + i;
      const int64_t position = positions != nullptr ? positions[token] : token;
      if (positions != nullptr && (position < 0 || position >= known)) {
        return OpError("position ", position, " is outside [0,", known, ")");
      }
      const T* cos = ctx.input(kCos).values<T>().data() + position * shape.half;
      const T* sin = ctx.input(kSin).values<T>().data() + position * shape.half;
      const T* from = source + row * shape.size;
      T* to = target + row * shape.size;
      const int64_t step = interleaved ? 2 : 1;
      const int64_t second = interleaved ? 1 : shape.half;
      for (int64_t k = 0; k < shape.half; ++k) {
        const T real = from[k * step];
        const T imaginary = from[k * step + second];
        to[k * step] = cos[k] * real - sin[k] * imaginary;
        to[k * step + second] = sin[k] * real + cos[k] * imaginary;
      }
      std::copy(from + 2 * shape.half, from + shape.size, to + 2 * shape.half);
    }
    return absl::OkStatus();
  });
}

}  // namespace tandem::engine
