#include "engine/ops/conv_shape.h"

#include "engine/ops/op.h"

namespace tandem::engine {

namespace {

absl::Status CheckRanks(const Shape& x, const Shape& w) {
  if (x.size() < 3 || x.size() > 5) return OpError("input ", ToString(x), " has not one to three spatial axes");
  if (w.size() != x.size()) return OpError("weights ", ToString(w), " have not the rank of the input ", ToString(x));
  return absl::OkStatus();
}

absl::Status CheckKernelShape(const Attributes& attributes, absl::Span<const int64_t> kernel) {
  const auto given = attributes.Ints("kernel_shape");
  if (given.empty() || absl::MakeConstSpan(given) == kernel) return absl::OkStatus();
  return OpError("kernel_shape ", ToString(given), " is not that of the weights, ", ToString(kernel));
}

absl::StatusOr<int64_t> GroupsOf(const Attributes& attributes, int64_t channels) {
  const int64_t groups = attributes.Int("group", 1);
  if (groups < 1 || channels % groups != 0)
    return OpError(channels, " channels do not divide into ", groups, " groups");
  return groups;
}

}  // namespace

absl::StatusOr<ConvShape> ShapeOfConv(const Attributes& attributes, const Shape& x, const Shape& w) {
  TANDEM_RETURN_IF_ERROR(CheckRanks(x, w));
  const auto kernel = absl::MakeConstSpan(w).subspan(2);
  TANDEM_RETURN_IF_ERROR(CheckKernelShape(attributes, kernel));
  ConvShape shape{.batch = x[0], .in_channels = x[1], .out_channels = w[0]};
  TANDEM_ASSIGN_OR_RETURN(shape.groups, GroupsOf(attributes, w[0]));
  if (x[1] % shape.groups != 0 || x[1] / shape.groups != w[1]) {
    return OpError("input ", ToString(x), " and weights ", ToString(w), " do not fit for ", shape.groups, " groups");
  }
  TANDEM_ASSIGN_OR_RETURN(shape.window, ConvWindow(attributes, absl::MakeConstSpan(x).subspan(2), kernel));
  shape.output = {shape.batch, shape.out_channels};
  for (const WindowAxis& axis : shape.window) shape.output.push_back(axis.output);
  return shape;
}

absl::StatusOr<ConvShape> ShapeOfConvTranspose(const Attributes& attributes, const Shape& x, const Shape& w) {
  TANDEM_RETURN_IF_ERROR(CheckRanks(x, w));
  const auto kernel = absl::MakeConstSpan(w).subspan(2);
  TANDEM_RETURN_IF_ERROR(CheckKernelShape(attributes, kernel));
  ConvShape shape{.batch = x[0], .in_channels = x[1]};
  TANDEM_ASSIGN_OR_RETURN(shape.groups, GroupsOf(attributes, x[1]));
  if (w[0] != x[1]) return OpError("input ", ToString(x), " and weights ", ToString(w), " differ in channels");
  if (w[1] > kMaxElements / shape.groups) return OpError("weights ", ToString(w), " are too many");
  shape.out_channels = w[1] * shape.groups;
  TANDEM_ASSIGN_OR_RETURN(shape.window, ConvTransposeWindow(attributes, absl::MakeConstSpan(x).subspan(2), kernel));
  shape.output = {shape.batch, shape.out_channels};
  for (const WindowAxis& axis : shape.window) shape.output.push_back(axis.input);
  return shape;
}

int64_t WindowProduct(const Window& window, int64_t WindowAxis::*member) {
  int64_t product = 1;
  for (const WindowAxis& axis : window) product *= axis.*member;
  return product;
}

}  // namespace tandem::engine
