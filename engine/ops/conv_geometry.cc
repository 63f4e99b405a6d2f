#include "engine/ops/conv_geometry.h"

#include <algorithm>
#include <string>
#include <vector>

#include "engine/ops/op.h"

namespace tandem::engine {

namespace {

// What one attribute value may be. Products of two stay far inside int64_t.
constexpr int64_t kMaxValue = int64_t{1} << 28;

int64_t CeilDiv(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

// The attribute `name`: `count` values in [low, kMaxValue], all `fallback` when it is absent.
absl::StatusOr<std::vector<int64_t>> Values(const Attributes& attributes, absl::string_view name, size_t count,
                                            int64_t low, int64_t fallback) {
  std::vector<int64_t> values = attributes.Ints(name);
  if (values.empty()) return std::vector<int64_t>(count, fallback);
  if (values.size() != count) return OpError(name, " has ", values.size(), " values, expected ", count);
  for (int64_t value : values) {
    if (value < low || value > kMaxValue) {
      return OpError(name, " has the value ", value, ", expected one in [", low, ",", kMaxValue, "]");
    }
  }
  return values;
}

enum class AutoPad { kNotSet, kSameUpper, kSameLower, kValid };

absl::StatusOr<AutoPad> AutoPadOf(const Attributes& attributes) {
  const std::string name = attributes.String("auto_pad", "NOTSET");
  if (name == "NOTSET" || name.empty()) return AutoPad::kNotSet;
  if (name == "SAME_UPPER") return AutoPad::kSameUpper;
  if (name == "SAME_LOWER") return AutoPad::kSameLower;
  if (name == "VALID") return AutoPad::kValid;
  return OpError("auto_pad is '", name, "', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
}

// The axes with everything but padding and the side that is computed (`input` holds the given one).
absl::StatusOr<Window> BareWindow(const Attributes& attributes, absl::Span<const int64_t> spatial,
                                  absl::Span<const int64_t> kernel) {
  const size_t rank = spatial.size();
  if (kernel.size() != rank) return OpError("the kernel has ", kernel.size(), " axes, the input ", rank);
  TANDEM_ASSIGN_OR_RETURN(const auto strides, Values(attributes, "strides", rank, 1, 1));
  TANDEM_ASSIGN_OR_RETURN(const auto dilations, Values(attributes, "dilations", rank, 1, 1));
  TANDEM_RETURN_IF_ERROR(CheckElementCount(spatial));
  Window window(rank);
  for (size_t i = 0; i < rank; ++i) {
    if (kernel[i] < 1 || kernel[i] > kMaxValue) {
      return OpError("kernel ", ToString(kernel), " is not within [1,", kMaxValue, "] on every axis");
    }
    window[i] = {.input = spatial[i], .kernel = kernel[i], .stride = strides[i], .dilation = dilations[i]};
  }
  TANDEM_RETURN_IF_ERROR(CheckElementCount(kernel));
  return window;
}

// Distributes `total` over both ends of `axis`, the odd one at the end for SAME_UPPER.
void SplitPadding(int64_t total, bool upper, WindowAxis& axis) {
  axis.pad_begin = upper ? total / 2 : total - total / 2;
  axis.pad_end = total - axis.pad_begin;
}

absl::Status SetOutput(bool ceil_mode, WindowAxis& axis) {
  const int64_t slack = axis.input + axis.pad_begin + axis.pad_end - axis.Extent();
  if (slack < 0) {
    axis.output = 0;
    if (axis.input == 0) return absl::OkStatus();
    return OpError("a window of ", axis.Extent(), " does not fit into ", axis.input, " elements padded by ",
                   axis.pad_begin, " and ", axis.pad_end);
  }
  axis.output = slack / axis.stride + 1;
  if (ceil_mode) {
    axis.output = CeilDiv(slack, axis.stride) + 1;
    // The last window may hang over the end but must not start in the trailing padding.
    if ((axis.output - 1) * axis.stride >= axis.input + axis.pad_begin) --axis.output;
  }
  return absl::OkStatus();
}

}  // namespace

IndexRange WindowAxis::OutputsOfTap(int64_t k) const {
  const int64_t offset = k * dilation - pad_begin;
  const int64_t begin = std::max<int64_t>(0, CeilDiv(-offset, stride));
  const int64_t end = std::min(output, CeilDiv(input - offset, stride));
  return {begin, std::max(begin, end)};
}

IndexRange WindowAxis::TapsOfOutput(int64_t o) const {
  const int64_t start = o * stride - pad_begin;
  const int64_t begin = std::max<int64_t>(0, CeilDiv(-start, dilation));
  const int64_t end = std::min(kernel, CeilDiv(input - start, dilation));
  return {begin, std::max(begin, end)};
}

int64_t WindowAxis::TapsWithPadding(int64_t o) const {
  const int64_t start = o * stride - pad_begin;
  return std::clamp<int64_t>(CeilDiv(input + pad_end - start, dilation), 0, kernel);
}

absl::StatusOr<Window> ConvWindow(const Attributes& attributes, absl::Span<const int64_t> spatial,
                                  absl::Span<const int64_t> kernel, bool honors_ceil_mode) {
  TANDEM_ASSIGN_OR_RETURN(Window window, BareWindow(attributes, spatial, kernel));
  TANDEM_ASSIGN_OR_RETURN(const AutoPad auto_pad, AutoPadOf(attributes));
  const size_t rank = window.size();
  TANDEM_ASSIGN_OR_RETURN(const auto pads, Values(attributes, "pads", 2 * rank, 0, 0));
  const bool ceil_mode = honors_ceil_mode && attributes.Int("ceil_mode", 0) != 0;
  for (size_t i = 0; i < rank; ++i) {
    WindowAxis& axis = window[i];
    if (auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower) {
      axis.output = CeilDiv(axis.input, axis.stride);
      const int64_t total = (axis.output - 1) * axis.stride + axis.Extent() - axis.input;
      SplitPadding(std::max<int64_t>(0, total), auto_pad == AutoPad::kSameUpper, axis);
      continue;
    }
    if (auto_pad == AutoPad::kNotSet) {
      axis.pad_begin = pads[i];
      axis.pad_end = pads[rank + i];
    }
    TANDEM_RETURN_IF_ERROR(SetOutput(ceil_mode && auto_pad == AutoPad::kNotSet, axis));
  }
  return window;
}

absl::StatusOr<Window> ConvTransposeWindow(const Attributes& attributes, absl::Span<const int64_t> spatial,
                                           absl::Span<const int64_t> kernel) {
  TANDEM_ASSIGN_OR_RETURN(Window window, BareWindow(attributes, spatial, kernel));
  TANDEM_ASSIGN_OR_RETURN(const AutoPad auto_pad, AutoPadOf(attributes));
  const size_t rank = window.size();
  TANDEM_ASSIGN_OR_RETURN(const auto pads, Values(attributes, "pads", 2 * rank, 0, 0));
  TANDEM_ASSIGN_OR_RETURN(const auto output_padding, Values(attributes, "output_padding", rank, 0, 0));
  const bool has_output_shape = !attributes.Ints("output_shape").empty();
  TANDEM_ASSIGN_OR_RETURN(const auto output_shape, Values(attributes, "output_shape", rank, 0, 0));
  const bool same = auto_pad == AutoPad::kSameUpper || auto_pad == AutoPad::kSameLower;
  for (size_t i = 0; i < rank; ++i) {
    WindowAxis& axis = window[i];
    axis.output = axis.input;
    const int64_t full = std::max<int64_t>(0, axis.stride * (axis.output - 1) + output_padding[i] + axis.Extent());
    if (has_output_shape || same) {
      axis.input = has_output_shape ? output_shape[i] : axis.output * axis.stride;
      SplitPadding(std::max<int64_t>(0, full - axis.input), auto_pad == AutoPad::kSameUpper, axis);
      continue;
    }
    if (auto_pad == AutoPad::kNotSet) {
      axis.pad_begin = pads[i];
      axis.pad_end = pads[rank + i];
    }
    axis.input = full - axis.pad_begin - axis.pad_end;
    if (axis.input < 0) return OpError("pads ", ToString(pads), " leave nothing of an output of ", full);
  }
  return window;
}

Window ThreeAxes(const Window& window) {
  TANDEM_CHECK(window.size() <= 3, "more than three spatial axes");
  Window three(3);
  std::copy(window.begin(), window.end(), three.end() - static_cast<int64_t>(window.size()));
  return three;
}

absl::Status CheckElementCount(absl::Span<const int64_t> shape) {
  int64_t count = 1;
  for (int64_t dim : shape) {
    if (dim < 0) return OpError("a tensor would have a negative dimension: ", ToString(shape));
    if (dim == 0) continue;
    if (dim > kMaxElements / count) return OpError("a tensor of ", ToString(shape), " is too large");
    count *= dim;
  }
  return absl::OkStatus();
}

}  // namespace tandem::engine
