// Resize: interpolates along any axes, one after the other.
#include "engine/ops/resize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"
#include "engine/ops/resample.h"
#include "engine/ops/strided_copy.h"

namespace tandem::engine {

namespace {

constexpr int kRoi = 1;
constexpr int kScales = 2;
constexpr int kSizes = 3;

// The index of `name` among `names`, or an error.
absl::StatusOr<int> Choice(absl::string_view attribute, absl::string_view name,
                           absl::Span<const absl::string_view> names) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return OpError(attribute, " '", name, "' is not supported");
  return static_cast<int>(found - names.begin());
}

}  // namespace

absl::StatusOr<ResampleOptions> ResizeOptions(const Attributes& attributes) {
  ResampleOptions options;
  TANDEM_ASSIGN_OR_RETURN(const int mode,
                          Choice("mode", attributes.String("mode", "nearest"), {"nearest", "linear", "cubic"}));
  options.interpolation = static_cast<Interpolation>(mode);
  TANDEM_ASSIGN_OR_RETURN(
      const int coordinates,
      Choice("coordinate_transformation_mode", attributes.String("coordinate_transformation_mode", "half_pixel"),
             {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
              "tf_crop_and_resize"}));
  options.coordinates = static_cast<CoordinateMode>(coordinates);
  TANDEM_ASSIGN_OR_RETURN(const int nearest,
                          Choice("nearest_mode", attributes.String("nearest_mode", "round_prefer_floor"),
                                 {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}));
  options.nearest = static_cast<NearestMode>(nearest);
  options.cubic_a = attributes.Float("cubic_coeff_a", -0.75f);
  options.antialias = attributes.Int("antialias", 0) != 0;
  options.exclude_outside = attributes.Int("exclude_outside", 0) != 0;
  options.extrapolation_value = attributes.Float("extrapolation_value", 0);
  return options;
}

namespace {

absl::Status SetScales(const Tensor& scales, absl::Span<const int64_t> axes, std::vector<ResampleAxis>& plan) {
  if (scales.type() != DataType::kFloat32) return OpError("scales must be float32, got ", NameOf(scales.type()));
  if (scales.num_elements() != static_cast<int64_t>(axes.size())) {
    return OpError(scales.num_elements(), " scales are given for ", axes.size(), " axes");
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    ResampleAxis& axis = plan[axes[i]];
    axis.scale = scales.values<float>()[i];
    if (!(axis.scale > 0) || std::isinf(axis.scale)) return OpError("scale ", axis.scale, " is not positive");
    axis.width = static_cast<double>(axis.scale) * static_cast<double>(axis.input);
    // In float, as other runtimes do it: 10 * 0.7f is 7.
    const float length = std::floor(axis.scale * static_cast<float>(axis.input));
    if (!(length <= static_cast<float>(kMaxElements))) return OpError("scale ", axis.scale, " is too large");
    axis.output = static_cast<int64_t>(length);
  }
  return absl::OkStatus();
}

absl::Status SetSizes(const Tensor& tensor, absl::Span<const int64_t> axes, const std::string& policy,
                      std::vector<ResampleAxis>& plan) {
  TANDEM_ASSIGN_OR_RETURN(const auto sizes, IntegersOf(tensor));
  if (sizes.size() != axes.size()) return OpError(sizes.size(), " sizes are given for ", axes.size(), " axes");
  double common = policy == "not_larger" ? std::numeric_limits<double>::infinity() : 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    ResampleAxis& axis = plan[axes[i]];
    if (sizes[i] < 0 || sizes[i] > kMaxElements) return OpError("size ", sizes[i], " is out of range");
    axis.output = sizes[i];
    axis.width = static_cast<double>(sizes[i]);
    if (axis.input == 0) continue;
    const double scale = axis.width / static_cast<double>(axis.input);
    axis.scale = static_cast<float>(scale);
    common = policy == "not_larger" ? std::min(common, scale) : std::max(common, scale);
  }
  if (policy == "stretch") return absl::OkStatus();
  for (int64_t i : axes) {
    ResampleAxis& axis = plan[i];
    if (axis.input == 0) continue;
    axis.scale = static_cast<float>(common);
    axis.width = common * static_cast<double>(axis.input);
    if (axis.width > static_cast<double>(kMaxElements)) return OpError("the common scale ", common, " is too large");
    axis.output = static_cast<int64_t>(std::floor(axis.width + 0.5));
  }
  return absl::OkStatus();
}

absl::Status SetRoi(const Tensor& roi, absl::Span<const int64_t> axes, std::vector<ResampleAxis>& plan) {
  if (roi.num_elements() != 2 * static_cast<int64_t>(axes.size())) {
    return OpError("roi has ", roi.num_elements(), " elements for ", axes.size(), " axes");
  }
  return Dispatch<float, double>(roi.type(), [&](auto t) {
    const auto values = roi.values<decltype(t)>();
    for (size_t i = 0; i < axes.size(); ++i) {
      plan[axes[i]].roi_begin = static_cast<float>(values[i]);
      plan[axes[i]].roi_end = static_cast<float>(values[axes.size() + i]);
    }
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<std::vector<ResampleAxis>> ResizeAxes(const Attributes& attributes, const Shape& input,
                                                     const Tensor* scales, const Tensor* sizes, const Tensor* roi) {
  std::vector<int64_t> axes = attributes.Ints("axes");
  const int64_t rank = static_cast<int64_t>(input.size());
  if (axes.empty()) {
    axes.resize(rank);
    std::iota(axes.begin(), axes.end(), 0);
  }
  TANDEM_ASSIGN_OR_RETURN(axes, NormalizeAxes(axes, rank));
  std::vector<ResampleAxis> plan(rank);
  for (int64_t i = 0; i < rank; ++i) plan[i] = {input[i], input[i], 1.0f, static_cast<double>(input[i])};
  if (scales != nullptr) {
    TANDEM_RETURN_IF_ERROR(SetScales(*scales, axes, plan));
  } else {
    const std::string policy = attributes.String("keep_aspect_ratio_policy", "stretch");
    TANDEM_RETURN_IF_ERROR(
        Choice("keep_aspect_ratio_policy", policy, {"stretch", "not_larger", "not_smaller"}).status());
    TANDEM_RETURN_IF_ERROR(SetSizes(*sizes, axes, policy, plan));
  }
  if (roi != nullptr) TANDEM_RETURN_IF_ERROR(SetRoi(*roi, axes, plan));
  for (const ResampleAxis& axis : plan) {
    if (axis.input == 0 && axis.output > 0) return OpError("cannot enlarge an empty axis to ", axis.output);
  }
  return plan;
}

namespace {

Shape OutputShape(absl::Span<const ResampleAxis> plan) {
  Shape shape;
  for (const ResampleAxis& axis : plan) shape.push_back(axis.output);
  return shape;
}

absl::Status InferResize(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(ResizeOptions(ctx.attributes()).status());
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  // Scales and sizes of no elements are how older models leave them out.
  const auto given = [&](int i) { return ctx.has_input(i) && !(ctx.has_shape(i) && NumElements(ctx.shape(i)) == 0); };
  const bool unsure = given(kScales) && given(kSizes) && (!ctx.has_shape(kScales) || !ctx.has_shape(kSizes));
  if (given(kScales) == given(kSizes) && !unsure) return OpError("exactly one of scales and sizes must be given");
  if (unsure || !ctx.has_shape(0)) return absl::OkStatus();
  const Tensor* value = ctx.value(given(kScales) ? kScales : kSizes);
  if (value == nullptr) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const auto plan, ResizeAxes(ctx.attributes(), ctx.shape(0), given(kScales) ? value : nullptr,
                                                      given(kSizes) ? value : nullptr, nullptr));
  return SetCheckedOutput(ctx, 0, ctx.type(0), OutputShape(plan));
}

// Interpolated values as elements: integers are rounded and stay within their range.
template <typename T, typename Real>
void Store(absl::Span<const Real> values, T* target) {
  for (size_t i = 0; i < values.size(); ++i) {
    if constexpr (std::is_integral_v<T>) {
      // The largest value of a wide type may round up to one past it as a Real; compare before converting.
      const Real rounded = std::nearbyint(values[i]);
      constexpr T kMin = std::numeric_limits<T>::min();
      constexpr T kMax = std::numeric_limits<T>::max();
      target[i] = rounded >= static_cast<Real>(kMax)   ? kMax
                  : rounded >= static_cast<Real>(kMin) ? static_cast<T>(rounded)
                                                       : kMin;
    } else {
      target[i] = static_cast<T>(values[i]);
    }
  }
}

// Resamples axis after axis. Real is what sums are made in.
template <typename T, typename Real>
void Interpolate(const Tensor& input, absl::Span<const ResampleAxis> plan, const ResampleOptions& options,
                 Tensor& output) {
  const auto elements = input.values<T>();
  std::vector<Real> current(elements.begin(), elements.end());
  std::vector<Real> next;
  std::vector<int64_t> order(plan.size());
  std::iota(order.begin(), order.end(), 0);
  // Shrinking axes first leave less to do for the others.
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return plan[a].scale < plan[b].scale; });
  Shape shape = input.shape();
  for (int64_t axis : order) {
    if (plan[axis].IsIdentity(options)) continue;
    const AxisView view = ViewAround(shape, axis);
    shape[axis] = plan[axis].output;
    next.resize(NumElements(shape));
    ApplyTaps(current.data(), view, MakeTaps(plan[axis], options), static_cast<Real>(options.extrapolation_value),
              next.data());
    current.swap(next);
  }
  Store<T, Real>(current, output.mutable_values<T>().data());
}

absl::Status Resize(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  Tensor& output = ctx.output(0);
  TANDEM_ASSIGN_OR_RETURN(const ResampleOptions options, ResizeOptions(ctx.attributes()));
  const auto given = [&](int i) {
    return ctx.has_input(i) && ctx.input(i).num_elements() > 0 ? &ctx.input(i) : nullptr;
  };
  const bool crops = options.coordinates == CoordinateMode::kCropAndResize;
  if (crops && given(kRoi) == nullptr) return OpError("tf_crop_and_resize needs a roi");
  if ((given(kScales) == nullptr) == (given(kSizes) == nullptr)) {
    return OpError("exactly one of scales and sizes must be given");
  }
  TANDEM_ASSIGN_OR_RETURN(const auto plan, ResizeAxes(ctx.attributes(), input.shape(), given(kScales), given(kSizes),
                                                      crops ? given(kRoi) : nullptr));
  TANDEM_RETURN_IF_ERROR(CheckOutputShape(ctx, 0, OutputShape(plan)));
  if (output.num_elements() == 0) return absl::OkStatus();
  if (options.interpolation == Interpolation::kNearest && !crops && !plan.empty()) {
    std::vector<std::vector<int64_t>> indices;
    for (const ResampleAxis& axis : plan) indices.push_back(NearestIndices(axis, options));
    CopyGathered(input.data(), RowMajorStrides(input.shape()), indices, output.data(), SizeOf(input.type()));
    return absl::OkStatus();
  }
  return Dispatch<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>(
      input.type(), [&](auto t) {
        using T = decltype(t);
        using Real = std::conditional_t<std::is_same_v<T, float> || sizeof(T) < 4, float, double>;
        Interpolate<T, Real>(input, plan, options, output);
        return absl::OkStatus();
      });
}

constexpr OpDef kOps[] = {
    {"Resize", 1, 4, InferResize, Resize},
};

}  // namespace

absl::Span<const OpDef> ResizeOps() { return kOps; }

}  // namespace tandem::engine
