// Why a conformance case may fail: the short closed list that the manifest speaks.
#ifndef TANDEM_TESTS_CONFORMANCE_REASON_H_
#define TANDEM_TESTS_CONFORMANCE_REASON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tandem::conformance {

// The reason, as the manifest writes it, for which the case in `directory` failed with `status`:
//   string-type, sequence-type, optional-type, float8-int4-type, complex-type   values the engine does not have
//   ml-domain, training, preview                                                operators it does not aim at
//   random                                                                      outputs that no seed reproduces
//   unsupported-operator NAME
//   differs: WHY                                                                everything else
std::string ReasonFor(const std::string& directory, const absl::Status& status);

// The reason without its explanation: "differs: shape [2]" -> "differs", "unsupported-operator X" as it is. Empty when
// it is not on the list.
std::string KindOf(absl::string_view reason);

}  // namespace tandem::conformance

#endif  // TANDEM_TESTS_CONFORMANCE_REASON_H_
