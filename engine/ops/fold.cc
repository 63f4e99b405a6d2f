// Col2Im: adds up overlapping blocks to an image of any number of axes.
#include <algorithm>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

// One spatial axis: blocks of `block` elements, `dilation` apart, every `stride`, over an image padded at both ends.
struct FoldAxis {
  int64_t image;
  int64_t block;
  int64_t stride;
  int64_t dilation;
  int64_t begin;   // padding in front
  int64_t places;  // positions of the block
};

absl::StatusOr<std::vector<int64_t>> AxisInts(const Attributes& attributes, absl::string_view name, size_t count,
                                              int64_t fallback, int64_t minimum) {
  std::vector<int64_t> values = attributes.Ints(name);
  if (values.empty()) values.assign(count, fallback);
  if (values.size() != count) return OpError(name, " has ", values.size(), " elements where ", count, " are needed");
  for (int64_t value : values) {
    // Products of two such values stay far from overflow.
    if (value < minimum || value > (int64_t{1} << 30)) return OpError(name, " ", value, " is out of range");
  }
  return values;
}

absl::StatusOr<std::vector<FoldAxis>> FoldAxes(const Attributes& attributes, absl::Span<const int64_t> image,
                                               absl::Span<const int64_t> block) {
  const size_t rank = image.size();
  if (rank == 0 || block.size() != rank) return OpError("image and block have ", rank, " and ", block.size(), " axes");
  TANDEM_RETURN_IF_ERROR(CheckDims(image));
  TANDEM_RETURN_IF_ERROR(CheckDims(block));
  TANDEM_ASSIGN_OR_RETURN(const auto strides, AxisInts(attributes, "strides", rank, 1, 1));
  TANDEM_ASSIGN_OR_RETURN(const auto dilations, AxisInts(attributes, "dilations", rank, 1, 1));
  TANDEM_ASSIGN_OR_RETURN(const auto pads, AxisInts(attributes, "pads", 2 * rank, 0, 0));
  std::vector<FoldAxis> axes;
  for (size_t i = 0; i < rank; ++i) {
    if (block[i] < 1 || block[i] > (int64_t{1} << 30)) return OpError("block length ", block[i], " is out of range");
    const int64_t room = image[i] + pads[i] + pads[rank + i] - dilations[i] * (block[i] - 1) - 1;
    const int64_t places = room < 0 ? 0 : room / strides[i] + 1;
    axes.push_back({image[i], block[i], strides[i], dilations[i], pads[i], places});
  }
  return axes;
}

absl::Status InferCol2Im(InferContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const auto image, KnownIntegers(ctx, 1));
  TANDEM_ASSIGN_OR_RETURN(const auto block, KnownIntegers(ctx, 2));
  ctx.SetOutput(0, ctx.type(0), std::nullopt);
  if (!image.has_value() || !block.has_value() || !ctx.has_shape(0)) return absl::OkStatus();
  const Shape& input = ctx.shape(0);
  if (input.size() != 3) return OpError("expected an input [N,C*block,L], got ", ToString(input));
  TANDEM_ASSIGN_OR_RETURN(const auto axes, FoldAxes(ctx.attributes(), *image, *block));
  Shape places;
  for (const FoldAxis& axis : axes) places.push_back(axis.places);
  TANDEM_RETURN_IF_ERROR(CheckDims(places));
  const int64_t block_size = NumElements(*block);
  if (input[1] % block_size != 0 || input[2] != NumElements(places)) {
    return OpError("an input ", ToString(input), " does not hold ", ToString(places), " places of blocks ",
                   ToString(*block));
  }
  Shape shape = {input[0], input[1] / block_size};
  shape.insert(shape.end(), image->begin(), image->end());
  return SetCheckedOutput(ctx, 0, ctx.type(0), std::move(shape));
}

// Counts `index` up within `limits`, the last axis fastest; false after the last one.
bool Next(absl::Span<const int64_t> limits, Shape& index) {
  for (size_t i = limits.size(); i-- > 0;) {
    if (++index[i] < limits[i]) return true;
    index[i] = 0;
  }
  return false;
}

// Adds the row of `places` values of one block element to the image.
template <typename T>
void AddElement(const T* column, absl::Span<const FoldAxis> axes, const Shape& element, T* image) {
  const size_t last = axes.size() - 1;
  Shape places;
  for (size_t i = 0; i < last; ++i) places.push_back(axes[i].places);
  Shape place(last, 0);
  do {
    int64_t base = 0;
    bool inside = true;
    for (size_t i = 0; i < last; ++i) {
      const int64_t at = place[i] * axes[i].stride + element[i] * axes[i].dilation - axes[i].begin;
      inside = inside && at >= 0 && at < axes[i].image;
      base = base * axes[i].image + at;
    }
    const FoldAxis& inner = axes[last];
    if (inside) {
      T* row = image + base * inner.image;
      int64_t at = element[last] * inner.dilation - inner.begin;
      for (int64_t i = 0; i < inner.places; ++i, at += inner.stride) {
        if (at >= 0 && at < inner.image) row[at] = static_cast<T>(row[at] + column[i]);
      }
    }
    column += inner.places;
  } while (Next(places, place));
}

absl::Status Col2Im(KernelContext& ctx) {
  const Tensor& input = ctx.input(0);
  Tensor& output = ctx.output(0);
  TANDEM_ASSIGN_OR_RETURN(const auto image, IntegersOf(ctx.input(1)));
  TANDEM_ASSIGN_OR_RETURN(const auto block, IntegersOf(ctx.input(2)));
  TANDEM_ASSIGN_OR_RETURN(const auto axes, FoldAxes(ctx.attributes(), image, block));
  Shape shape = {input.dim(0), input.dim(1) / NumElements(block)};
  shape.insert(shape.end(), image.begin(), image.end());
  TANDEM_RETURN_IF_ERROR(CheckOutputShape(ctx, 0, shape));
  return Dispatch<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>(
      input.type(), [&](auto t) {
        using T = decltype(t);
        T* target = output.mutable_values<T>().data();
        std::fill_n(target, output.num_elements(), T{0});
        if (input.num_elements() == 0) return absl::OkStatus();
        const T* column = input.values<T>().data();
        const int64_t places = input.dim(2);
        for (int64_t plane = 0; plane < shape[0] * shape[1]; ++plane, target += NumElements(image)) {
          Shape element(block.size(), 0);
          do {
            AddElement(column, axes, element, target);
            column += places;
          } while (Next(block, element));
        }
        return absl::OkStatus();
      });
}

constexpr OpDef kOps[] = {
    {"Col2Im", 3, 3, InferCol2Im, Col2Im},
};

}  // namespace

absl::Span<const OpDef> FoldOps() { return kOps; }

}  // namespace tandem::engine
