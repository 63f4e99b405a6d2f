// Runs one conformance case through the engine, as a server would.
#ifndef TANDEM_TESTS_CONFORMANCE_RUN_CASE_H_
#define TANDEM_TESTS_CONFORMANCE_RUN_CASE_H_

#include <string>

#include "absl/status/status.h"

namespace tandem::conformance {

// OK when the model of the case in `directory` (model.onnx and test_data_set_K/{input,output}_K.pb) loads and turns
// the inputs of every data set into its outputs; else the first error or difference.
absl::Status RunCase(const std::string& directory);

}  // namespace tandem::conformance

#endif  // TANDEM_TESTS_CONFORMANCE_RUN_CASE_H_
