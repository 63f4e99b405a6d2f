// DFT and STFT.
#include <algorithm>
#include <optional>
#include <vector>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/families.h"
#include "engine/ops/fft.h"

namespace tandem::engine {

absl::Status InferWindow(InferContext& ctx);
absl::Status HannWindow(KernelContext& ctx);
absl::Status HammingWindow(KernelContext& ctx);
absl::Status BlackmanWindow(KernelContext& ctx);
absl::Status InferMelWeightMatrix(InferContext& ctx);
absl::Status MelWeightMatrix(KernelContext& ctx);

namespace {

using Complex = Fft::Complex;

// Transforms longer than this are refused: they take several tables of their length.
constexpr int64_t kMaxLength = int64_t{1} << 26;

absl::Status CheckFloat(DataType type) {
  return Dispatch<float, double>(type, [](auto) { return absl::OkStatus(); });
}

// The one element of `tensor`, named `name` in messages.
absl::StatusOr<int64_t> ScalarOf(const Tensor& tensor, absl::string_view name) {
  TANDEM_ASSIGN_OR_RETURN(const auto values, IntegersOf(tensor));
  if (values.size() != 1) return OpError(name, " has ", values.size(), " elements, expected one");
  return values[0];
}

absl::Status CheckLength(int64_t length, absl::string_view name) {
  if (length >= 1 && length <= kMaxLength) return absl::OkStatus();
  return OpError(name, " is ", length, ", outside [1,", kMaxLength, "]");
}

struct DftShape {
  int64_t axis = 0;
  int64_t length = 0;  // of the transform
  bool inverse = false;
  bool onesided = false;
  Shape output;
};

// `length` and `axis` are null when those inputs are absent.
absl::StatusOr<DftShape> ShapeOfDft(const Attributes& attributes, const Shape& x, const Tensor* length,
                                    const Tensor* axis) {
  const int64_t rank = static_cast<int64_t>(x.size());
  if (rank < 2 || (x.back() != 1 && x.back() != 2)) {
    return OpError("input ", ToString(x), " does not end in a dimension of 1 (real) or 2 (complex)");
  }
  DftShape shape;
  shape.inverse = attributes.Int("inverse", 0) != 0;
  shape.onesided = attributes.Int("onesided", 0) != 0;
  int64_t given = attributes.Int("axis", -2);
  if (axis != nullptr) {
    TANDEM_ASSIGN_OR_RETURN(given, ScalarOf(*axis, "axis"));
  }
  TANDEM_ASSIGN_OR_RETURN(shape.axis, NormalizeAxis(given, rank));
  if (shape.axis == rank - 1) return OpError("axis ", given, " is that of the real and imaginary parts");
  const bool is_real = x.back() == 1;
  if (shape.onesided && shape.inverse == is_real) {
    return OpError("a one-sided transform of ", is_real ? "real" : "complex", " input exists only ",
                   is_real ? "forward" : "inverse");
  }
  shape.length = shape.onesided && shape.inverse ? 2 * (x[shape.axis] - 1) : x[shape.axis];
  if (length != nullptr) {
    TANDEM_ASSIGN_OR_RETURN(shape.length, ScalarOf(*length, "dft_length"));
  }
  TANDEM_RETURN_IF_ERROR(CheckLength(shape.length, "dft_length"));
  shape.output = x;
  shape.output[shape.axis] = shape.onesided && !shape.inverse ? shape.length / 2 + 1 : shape.length;
  shape.output.back() = shape.onesided && shape.inverse ? 1 : 2;
  TANDEM_RETURN_IF_ERROR(CheckElementCount(shape.output));
  return shape;
}

absl::Status InferDft(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckFloat(ctx.type(0)));
  const bool known = (!ctx.has_input(1) || ctx.value(1) != nullptr) && (!ctx.has_input(2) || ctx.value(2) != nullptr);
  std::optional<Shape> output;
  if (ctx.has_shape(0) && known) {
    TANDEM_ASSIGN_OR_RETURN(DftShape shape,
                            ShapeOfDft(ctx.attributes(), ctx.shape(0), ctx.has_input(1) ? ctx.value(1) : nullptr,
                                       ctx.has_input(2) ? ctx.value(2) : nullptr));
    output = std::move(shape.output);
  }
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  return absl::OkStatus();
}

// `count` complex values `stride` apart (in values), each of `parts` numbers, into `sequence`, zeros after them.
template <typename T>
void ReadSequence(const T* source, int64_t count, int64_t stride, int64_t parts, std::vector<Complex>& sequence) {
  const int64_t present = std::min<int64_t>(count, static_cast<int64_t>(sequence.size()));
  for (int64_t i = 0; i < present; ++i) {
    const T* value = source + i * stride * parts;
    sequence[i] = Complex(value[0], parts == 2 ? value[1] : T{0});
  }
  std::fill(sequence.begin() + present, sequence.end(), Complex(0));
}

// The half of a real signal's spectrum that a one-sided inverse gets, completed by symmetry.
void MirrorSpectrum(std::vector<Complex>& sequence) {
  const size_t n = sequence.size();
  sequence[0] = sequence[0].real();
  if (n % 2 == 0) sequence[n / 2] = sequence[n / 2].real();
  for (size_t k = n / 2 + 1; k < n; ++k) sequence[k] = std::conj(sequence[n - k]);
}

template <typename T>
void WriteSequence(const std::vector<Complex>& sequence, double scale, int64_t count, int64_t stride, int64_t parts,
                   T* target) {
  for (int64_t i = 0; i < count; ++i) {
    T* value = target + i * stride * parts;
    value[0] = static_cast<T>(sequence[i].real() * scale);
    if (parts == 2) value[1] = static_cast<T>(sequence[i].imag() * scale);
  }
}

absl::Status Dft(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const DftShape shape,
                          ShapeOfDft(ctx.attributes(), x.shape(), ctx.has_input(1) ? &ctx.input(1) : nullptr,
                                     ctx.has_input(2) ? &ctx.input(2) : nullptr));
  const int64_t in_count = x.dim(shape.axis);
  const int64_t out_count = shape.output[shape.axis];
  const auto dims = absl::MakeConstSpan(x.shape());
  const int64_t outer = NumElements(dims.subspan(0, shape.axis));
  const int64_t inner = NumElements(dims.subspan(shape.axis + 1, dims.size() - shape.axis - 2));
  const double scale = shape.inverse ? 1.0 / static_cast<double>(shape.length) : 1.0;
  return Dispatch<float, double>(x.type(), [&](auto t) {
    using T = decltype(t);
    const T* source = x.values<T>().data();
    T* target = ctx.output(0).template mutable_values<T>().data();
    const int64_t in_parts = dims.back();
    const int64_t out_parts = shape.output.back();
    Fft fft(shape.length, shape.inverse);
    std::vector<Complex> sequence(shape.length);
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t i = 0; i < inner; ++i) {
        ReadSequence(source + (o * in_count * inner + i) * in_parts, in_count, inner, in_parts, sequence);
        if (shape.onesided && shape.inverse) MirrorSpectrum(sequence);
        fft.Transform(sequence);
        WriteSequence(sequence, scale, out_count, inner, out_parts, target + (o * out_count * inner + i) * out_parts);
      }
    }
    return absl::OkStatus();
  });
}

struct StftShape {
  int64_t batch = 0;
  int64_t samples = 0;
  int64_t parts = 1;  // 1: real, 2: complex
  int64_t frame = 0;
  int64_t step = 0;
  Shape output;
};

// `window` is the window's shape, `length` the frame length; null when absent.
absl::StatusOr<StftShape> ShapeOfStft(const Attributes& attributes, const Shape& x, const Tensor& step,
                                      const Shape* window, const Tensor* length) {
  if (x.size() < 2 || x.size() > 3 || (x.size() == 3 && x[2] != 1 && x[2] != 2)) {
    return OpError("signal ", ToString(x), " is not [batch,length,1] nor [batch,length,2]");
  }
  StftShape shape{.batch = x[0], .samples = x[1], .parts = x.size() == 3 ? x[2] : 1, .frame = x[1]};
  TANDEM_ASSIGN_OR_RETURN(shape.step, ScalarOf(step, "frame_step"));
  TANDEM_RETURN_IF_ERROR(CheckLength(shape.step, "frame_step"));
  if (window != nullptr) {
    if (window->size() != 1) return OpError("window ", ToString(*window), " is not one-dimensional");
    shape.frame = (*window)[0];
  }
  if (length != nullptr) {
    TANDEM_ASSIGN_OR_RETURN(const int64_t given, ScalarOf(*length, "frame_length"));
    if (window != nullptr && given != shape.frame) {
      return OpError("frame_length is ", given, ", the window has ", shape.frame, " elements");
    }
    shape.frame = given;
  }
  TANDEM_RETURN_IF_ERROR(CheckLength(shape.frame, "frame_length"));
  if (shape.samples < shape.frame) {
    return OpError("a frame of ", shape.frame, " does not fit into ", shape.samples, " samples");
  }
  const bool onesided = attributes.Int("onesided", 1) != 0;
  if (onesided && shape.parts == 2) return OpError("a complex signal has no one-sided transform");
  const int64_t frames = (shape.samples - shape.frame) / shape.step + 1;
  shape.output = {shape.batch, frames, onesided ? shape.frame / 2 + 1 : shape.frame, 2};
  TANDEM_RETURN_IF_ERROR(CheckElementCount(shape.output));
  return shape;
}

absl::Status InferStft(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(CheckFloat(ctx.type(0)));
  if (ctx.has_input(2) && ctx.type(2) != ctx.type(0)) return OpError("window is ", NameOf(ctx.type(2)));
  const bool known = ctx.value(1) != nullptr && (!ctx.has_input(2) || ctx.has_shape(2)) &&
                     (!ctx.has_input(3) || ctx.value(3) != nullptr);
  std::optional<Shape> output;
  if (ctx.has_shape(0) && known) {
    TANDEM_ASSIGN_OR_RETURN(StftShape shape, ShapeOfStft(ctx.attributes(), ctx.shape(0), *ctx.value(1),
                                                         ctx.has_input(2) ? &ctx.shape(2) : nullptr,
                                                         ctx.has_input(3) ? ctx.value(3) : nullptr));
    output = std::move(shape.output);
  }
  ctx.SetOutput(0, ctx.type(0), std::move(output));
  return absl::OkStatus();
}

absl::Status Stft(KernelContext& ctx) {
  const Tensor& x = ctx.input(0);
  TANDEM_ASSIGN_OR_RETURN(const StftShape shape, ShapeOfStft(ctx.attributes(), x.shape(), ctx.input(1),
                                                             ctx.has_input(2) ? &ctx.input(2).shape() : nullptr,
                                                             ctx.has_input(3) ? &ctx.input(3) : nullptr));
  return Dispatch<float, double>(x.type(), [&](auto t) {
    using T = decltype(t);
    const T* window = ctx.has_input(2) ? ctx.input(2).values<T>().data() : nullptr;
    T* target = ctx.output(0).template mutable_values<T>().data();
    Fft fft(shape.frame, /*inverse=*/false);
    std::vector<Complex> sequence(shape.frame);
    const int64_t bins = shape.output[2];
    for (int64_t b = 0; b < shape.batch; ++b) {
      for (int64_t frame = 0; frame < shape.output[1]; ++frame) {
        const T* source = x.values<T>().data() + (b * shape.samples + frame * shape.step) * shape.parts;
        ReadSequence(source, shape.frame, 1, shape.parts, sequence);
        if (window != nullptr) {
          for (int64_t i = 0; i < shape.frame; ++i) sequence[i] *= static_cast<double>(window[i]);
        }
        fft.Transform(sequence);
        WriteSequence(sequence, 1.0, bins, 1, 2, target);
        target += bins * 2;
      }
    }
    return absl::OkStatus();
  });
}

constexpr OpDef kOps[] = {
    {"DFT", 1, 3, InferDft, Dft},
    {"STFT", 2, 4, InferStft, Stft},
    {"HannWindow", 1, 1, InferWindow, HannWindow},
    {"HammingWindow", 1, 1, InferWindow, HammingWindow},
    {"BlackmanWindow", 1, 1, InferWindow, BlackmanWindow},
    {"MelWeightMatrix", 5, 5, InferMelWeightMatrix, MelWeightMatrix},
};

}  // namespace

absl::Span<const OpDef> SignalOps() { return kOps; }

}  // namespace tandem::engine
