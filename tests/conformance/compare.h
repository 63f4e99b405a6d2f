// Whether an output is what a conformance case expects.
#ifndef TANDEM_TESTS_CONFORMANCE_COMPARE_H_
#define TANDEM_TESTS_CONFORMANCE_COMPARE_H_

#include <string>

#include "engine/tensor.h"

namespace tandem::conformance {

// Empty when `actual` matches `expected`, else the first difference in words.
//
// Types and shapes must be equal, and so must integers and booleans. float32 and float64 may differ by 1e-3 relative
// plus 1e-6: ONNX's own test runner says 1e-7, less than the noise of some references that were computed in float. The
// 16-bit floats are computed in float32 here and in 16 bits by the reference, whose every step rounds: they may differ
// by four units in the last place of the value plus one of the tensor's largest value. NaN equals NaN.
std::string Difference(const engine::Tensor& expected, const engine::Tensor& actual);

}  // namespace tandem::conformance

#endif  // TANDEM_TESTS_CONFORMANCE_COMPARE_H_
