#include "tests/conformance/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace tandem::conformance {

namespace {

using engine::DataType;
using engine::Tensor;

struct Tolerance {
  double relative = 0;
  double absolute = 0;
};

double FloatAt(const Tensor& tensor, int64_t i) {
  switch (tensor.type()) {
    case DataType::kFloat32:
      return static_cast<double>(tensor.values<float>()[i]);
    case DataType::kFloat64:
      return tensor.values<double>()[i];
    case DataType::kFloat16:
      return static_cast<double>(engine::HalfToFloat(static_cast<const uint16_t*>(tensor.data())[i]));
    case DataType::kBFloat16:
      return static_cast<double>(engine::BFloat16ToFloat(static_cast<const uint16_t*>(tensor.data())[i]));
    default:
      return 0;
  }
}

Tolerance ToleranceFor(const Tensor& expected) {
  double unit = 0;  // of the last place, relative
  if (expected.type() == DataType::kFloat16) unit = 0x1p-10;
  if (expected.type() == DataType::kBFloat16) unit = 0x1p-7;
  if (unit == 0) return {1e-3, 1e-6};
  double largest = 0;
  for (int64_t i = 0; i < expected.num_elements(); ++i) {
    const double magnitude = std::abs(FloatAt(expected, i));
    if (std::isfinite(magnitude)) largest = std::max(largest, magnitude);
  }
  return {4 * unit, unit * largest};
}

bool Close(double expected, double actual, const Tolerance& tolerance) {
  if (std::isnan(expected) || std::isnan(actual)) return std::isnan(expected) && std::isnan(actual);
  if (std::isinf(expected) || std::isinf(actual)) return expected == actual;
  return std::abs(actual - expected) <= tolerance.absolute + tolerance.relative * std::abs(expected);
}

std::string FloatDifference(const Tensor& expected, const Tensor& actual) {
  const Tolerance tolerance = ToleranceFor(expected);
  std::string first;
  int64_t count = 0;
  for (int64_t i = 0; i < expected.num_elements(); ++i) {
    const double want = FloatAt(expected, i);
    const double got = FloatAt(actual, i);
    if (Close(want, got, tolerance)) continue;
    if (count++ == 0) first = absl::StrCat("element ", i, " is ", got, ", expected ", want);
  }
  return count == 0 ? "" : absl::StrCat(first, " (", count, " of ", expected.num_elements(), " differ)");
}

std::string ByteDifference(const Tensor& expected, const Tensor& actual) {
  const size_t size = engine::SizeOf(expected.type());
  const auto* want = static_cast<const char*>(expected.data());
  const auto* got = static_cast<const char*>(actual.data());
  for (int64_t i = 0; i < expected.num_elements(); ++i) {
    if (std::memcmp(want + i * size, got + i * size, size) == 0) continue;
    int64_t bits[2] = {0, 0};
    std::memcpy(&bits[0], want + i * size, size);
    std::memcpy(&bits[1], got + i * size, size);
    return absl::StrCat("element ", i, " has the bits ", bits[1], ", expected ", bits[0]);
  }
  return "";
}

}  // namespace

std::string Difference(const Tensor& expected, const Tensor& actual) {
  if (actual.type() != expected.type()) {
    return absl::StrCat("type ", engine::NameOf(actual.type()), ", expected ", engine::NameOf(expected.type()));
  }
  if (actual.shape() != expected.shape()) {
    return absl::StrCat("shape ", engine::ToString(actual.shape()), ", expected ", engine::ToString(expected.shape()));
  }
  return engine::IsFloat(expected.type()) ? FloatDifference(expected, actual) : ByteDifference(expected, actual);
}

}  // namespace tandem::conformance
