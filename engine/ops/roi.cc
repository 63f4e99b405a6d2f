// Pooling over regions of interest.
#include <algorithm>
#include <array>
#include <cmath>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

// Samples one region may take: what hostile regions are refused at.
constexpr double kMaxSamples = 1 << 24;

// [regions, channels, height, width], checked against an input [N,C,H,W] and regions [R,columns].
absl::Status InferRegions(InferContext& ctx, int64_t columns, int64_t height, int64_t width) {
  if (ctx.type(0) != DataType::kFloat32 && ctx.type(0) != DataType::kFloat64) {
    return OpError("expected float32 or float64, got ", NameOf(ctx.type(0)));
  }
  if (ctx.type(1) != ctx.type(0)) return OpError("rois are ", NameOf(ctx.type(1)), ", X is ", NameOf(ctx.type(0)));
  if (height < 1 || width < 1) return OpError("the output size ", height, "x", width, " is not positive");
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!ctx.has_shape(0) || !ctx.has_shape(1)) return absl::OkStatus();
  const Shape& input = ctx.shape(0);
  const Shape& rois = ctx.shape(1);
  if (input.size() != 4 || rois.size() != 2 || rois[1] != columns) {
    return OpError("X ", ToString(input), " and rois ", ToString(rois), " are not [N,C,H,W] and [R,", columns, "]");
  }
  if (input[2] == 0 || input[3] == 0) return OpError("X ", ToString(input), " has no elements to pool");
  return SetCheckedOutput(ctx, 0, ctx.type(0), {rois[0], input[1], height, width});
}

absl::Status InferRoiAlign(InferContext& ctx) {
  const Attributes& attributes = ctx.attributes();
  const std::string mode = attributes.String("mode", "avg");
  if (mode != "avg" && mode != "max") return OpError("mode '", mode, "' is neither avg nor max");
  const std::string shift = attributes.String("coordinate_transformation_mode", "half_pixel");
  if (shift != "half_pixel" && shift != "output_half_pixel") {
    return OpError("coordinate_transformation_mode '", shift, "' is not supported");
  }
  const int64_t ratio = attributes.Int("sampling_ratio", 0);
  if (ratio < 0 || ratio > 4096) return OpError("sampling_ratio ", ratio, " is outside [0,4096]");
  TANDEM_RETURN_IF_ERROR(KnownIntegers(ctx, 2).status());
  if (ctx.has_shape(1) && ctx.has_shape(2) && !ctx.shape(1).empty() && ctx.shape(2) != Shape{ctx.shape(1)[0]}) {
    return OpError("batch_indices ", ToString(ctx.shape(2)), " do not match rois ", ToString(ctx.shape(1)));
  }
  return InferRegions(ctx, 4, attributes.Int("output_height", 1), attributes.Int("output_width", 1));
}

// A bilinear sample: four elements of a plane and their weights. All weights are 0 outside the plane.
template <typename T>
struct BilinearSample {
  std::array<int64_t, 4> offset = {};
  std::array<T, 4> weight = {};
};

template <typename T>
BilinearSample<T> SampleAt(T y, T x, int64_t height, int64_t width) {
  BilinearSample<T> sample;
  if (!(y >= -1 && y <= static_cast<T>(height) && x >= -1 && x <= static_cast<T>(width))) return sample;
  y = std::clamp<T>(y, 0, static_cast<T>(height - 1));
  x = std::clamp<T>(x, 0, static_cast<T>(width - 1));
  const int64_t y0 = static_cast<int64_t>(y);
  const int64_t x0 = static_cast<int64_t>(x);
  const int64_t y1 = std::min(y0 + 1, height - 1);
  const int64_t x1 = std::min(x0 + 1, width - 1);
  const T ly = y - static_cast<T>(y0);
  const T lx = x - static_cast<T>(x0);
  sample.offset = {y0 * width + x0, y0 * width + x1, y1 * width + x0, y1 * width + x1};
  sample.weight = {(1 - ly) * (1 - lx), (1 - ly) * lx, ly * (1 - lx), ly * lx};
  return sample;
}

// The samples of one region, those of one output element after another.
template <typename T>
struct RegionSamples {
  int64_t per_bin = 0;
  std::vector<BilinearSample<T>> samples;
};

struct AlignOptions {
  double scale;
  double offset;  // what is taken off coordinates, to make them those of pixel centers
  int64_t ratio;
  int64_t height;  // of the output
  int64_t width;
};

template <typename T>
absl::StatusOr<RegionSamples<T>> SamplesOf(const T* roi, const AlignOptions& options, int64_t height, int64_t width) {
  T corner[4];
  for (int i = 0; i < 4; ++i) corner[i] = roi[i] * static_cast<T>(options.scale) - static_cast<T>(options.offset);
  T roi_width = corner[2] - corner[0];
  T roi_height = corner[3] - corner[1];
  if (options.offset == 0) {  // the older form makes every region at least one element large
    roi_width = std::max<T>(roi_width, 1);
    roi_height = std::max<T>(roi_height, 1);
  }
  const T bin_height = roi_height / static_cast<T>(options.height);
  const T bin_width = roi_width / static_cast<T>(options.width);
  const double ratio = static_cast<double>(options.ratio);
  const double rows = options.ratio > 0 ? ratio : std::max(std::ceil(static_cast<double>(bin_height)), 0.0);
  const double columns = options.ratio > 0 ? ratio : std::max(std::ceil(static_cast<double>(bin_width)), 0.0);
  const double bins = static_cast<double>(options.height) * static_cast<double>(options.width);
  if (!(rows * columns * bins <= kMaxSamples) || !std::isfinite(roi_width) || !std::isfinite(roi_height)) {
    return OpError("the region [", roi[0], ",", roi[1], ",", roi[2], ",", roi[3], "] is too large");
  }
  const int64_t grid_height = static_cast<int64_t>(rows);
  const int64_t grid_width = static_cast<int64_t>(columns);
  RegionSamples<T> region;
  region.per_bin = grid_height * grid_width;
  region.samples.reserve(region.per_bin * options.height * options.width);
  for (int64_t bin = 0; bin < options.height * options.width; ++bin) {
    const T top = corner[1] + static_cast<T>(bin / options.width) * bin_height;
    const T left = corner[0] + static_cast<T>(bin % options.width) * bin_width;
    for (int64_t i = 0; i < region.per_bin; ++i) {
      const T row = static_cast<T>(i / grid_width) + static_cast<T>(0.5);
      const T column = static_cast<T>(i % grid_width) + static_cast<T>(0.5);
      region.samples.push_back(SampleAt<T>(top + row * bin_height / static_cast<T>(grid_height),
                                           left + column * bin_width / static_cast<T>(grid_width), height, width));
    }
  }
  return region;
}

template <typename T>
T PoolBin(const T* plane, absl::Span<const BilinearSample<T>> samples, bool largest) {
  T result = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    T part[4];
    for (int k = 0; k < 4; ++k) part[k] = samples[i].weight[k] * plane[samples[i].offset[k]];
    if (largest) {  // of the weighted elements, as the specification has it
      const T value = std::max(std::max(part[0], part[1]), std::max(part[2], part[3]));
      result = i == 0 ? value : std::max(result, value);
    } else {
      result += part[0] + part[1] + part[2] + part[3];
    }
  }
  return largest || samples.empty() ? result : result / static_cast<T>(samples.size());
}

template <typename T>
absl::Status AlignRegions(KernelContext& ctx, absl::Span<const int64_t> batches, const AlignOptions& options) {
  const Tensor& input = ctx.input(0);
  const int64_t channels = input.dim(1);
  const int64_t plane = input.dim(2) * input.dim(3);
  const int64_t bins = options.height * options.width;
  const bool largest = ctx.attributes().String("mode", "avg") == "max";
  T* target = ctx.output(0).mutable_values<T>().data();
  for (size_t r = 0; r < batches.size(); ++r) {
    if (batches[r] < 0 || batches[r] >= input.dim(0)) {
      return OpError("batch index ", batches[r], " is outside [0,", input.dim(0), ")");
    }
    TANDEM_ASSIGN_OR_RETURN(const auto region,
                            SamplesOf<T>(ctx.input(1).values<T>().data() + r * 4, options, input.dim(2), input.dim(3)));
    const absl::Span<const BilinearSample<T>> samples = region.samples;
    const T* source = input.values<T>().data() + batches[r] * channels * plane;
    for (int64_t c = 0; c < channels; ++c, source += plane) {
      for (int64_t bin = 0; bin < bins; ++bin) {
        *target++ = PoolBin<T>(source, samples.subspan(bin * region.per_bin, region.per_bin), largest);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status RoiAlign(KernelContext& ctx) {
  const Attributes& attributes = ctx.attributes();
  if (ctx.output(0).num_elements() == 0) return absl::OkStatus();
  TANDEM_ASSIGN_OR_RETURN(const auto batches, IntegersOf(ctx.input(2)));
  AlignOptions options;
  options.scale = attributes.Float("spatial_scale", 1);
  options.offset = attributes.String("coordinate_transformation_mode", "half_pixel") == "half_pixel" ? 0.5 : 0;
  options.ratio = attributes.Int("sampling_ratio", 0);
  options.height = ctx.output(0).dim(2);
  options.width = ctx.output(0).dim(3);
  return Dispatch<float, double>(ctx.input(0).type(),
                                 [&](auto t) { return AlignRegions<decltype(t)>(ctx, batches, options); });
}

absl::Status InferMaxRoiPool(InferContext& ctx) {
  const std::vector<int64_t> size = ctx.attributes().Ints("pooled_shape");
  if (size.size() != 2) return OpError("pooled_shape must have 2 elements, got ", size.size());
  return InferRegions(ctx, 5, size[0], size[1]);
}

// An axis of a region: whole elements from `begin` on, `length` of them cut into `bins`.
struct RegionAxis {
  RegionAxis(double first, double last, double scale, int64_t bins) : bins(static_cast<double>(bins)) {
    begin = std::round(first * scale);
    length = std::max(std::round(last * scale) - begin + 1, 1.0);
  }
  // The elements [from, to) of bin `i`, within [0, limit).
  std::array<int64_t, 2> Bin(int64_t i, int64_t limit) const {
    const double at = static_cast<double>(i);
    const double end = static_cast<double>(limit);
    const double from = begin + std::floor(at * length / bins);
    const double to = begin + std::ceil((at + 1) * length / bins);
    return {static_cast<int64_t>(std::clamp(from, 0.0, end)), static_cast<int64_t>(std::clamp(to, 0.0, end))};
  }
  double begin;
  double length;
  double bins;
};

template <typename T>
T LargestIn(const T* plane, int64_t stride, std::array<int64_t, 2> rows, std::array<int64_t, 2> columns) {
  if (rows[0] >= rows[1] || columns[0] >= columns[1]) return T{0};
  T largest = plane[rows[0] * stride + columns[0]];
  for (int64_t y = rows[0]; y < rows[1]; ++y) {
    for (int64_t x = columns[0]; x < columns[1]; ++x) largest = std::max(largest, plane[y * stride + x]);
  }
  return largest;
}

template <typename T>
absl::Status PoolRegions(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  Tensor& output = ctx.output(0);
  const int64_t height = input.dim(2);
  const int64_t width = input.dim(3);
  const double scale = ctx.attributes().Float("spatial_scale", 1);
  T* target = output.mutable_values<T>().data();
  for (int64_t r = 0; r < output.dim(0); ++r) {
    const T* roi = ctx.input(1).values<T>().data() + r * 5;
    if (!(roi[0] >= 0 && roi[0] < static_cast<T>(input.dim(0)))) {
      return OpError("batch index ", roi[0], " is outside [0,", input.dim(0), ")");
    }
    for (int i = 1; i < 5; ++i) {
      if (!std::isfinite(roi[i] * scale)) return OpError("the region coordinate ", roi[i], " is not finite");
    }
    const RegionAxis x(roi[1], roi[3], scale, output.dim(3));
    const RegionAxis y(roi[2], roi[4], scale, output.dim(2));
    const T* source = input.values<T>().data() + static_cast<int64_t>(roi[0]) * input.dim(1) * height * width;
    for (int64_t c = 0; c < input.dim(1); ++c, source += height * width) {
      for (int64_t i = 0; i < output.dim(2); ++i) {
        for (int64_t j = 0; j < output.dim(3); ++j) {
          *target++ = LargestIn(source, width, y.Bin(i, height), x.Bin(j, width));
        }
      }
    }
  }
  return absl::OkStatus();
}

absl::Status MaxRoiPool(KernelContext& ctx) {
  return Dispatch<float, double>(ctx.input(0).type(), [&](auto t) { return PoolRegions<decltype(t)>(ctx); });
}

constexpr OpDef kOps[] = {
    {"RoiAlign", 3, 3, InferRoiAlign, RoiAlign},
    {"MaxRoiPool", 2, 2, InferMaxRoiPool, MaxRoiPool},
};

}  // namespace

absl::Span<const OpDef> RoiOps() { return kOps; }

}  // namespace tandem::engine
