// manifest.txt: what every conformance case is known to do, one line a case: "NAME pass" or "NAME REASON" (reason.h).
#ifndef TANDEM_TESTS_CONFORMANCE_MANIFEST_H_
#define TANDEM_TESTS_CONFORMANCE_MANIFEST_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tandem::conformance {

// "pass" or a reason, by case.
using Manifest = std::map<std::string, std::string>;

// Lines that are empty or begin with '#' are skipped; a malformed one is an error with its number.
absl::StatusOr<Manifest> ReadManifest(const std::string& path);
absl::Status WriteManifest(const std::string& path, const Manifest& manifest);

}  // namespace tandem::conformance

#endif  // TANDEM_TESTS_CONFORMANCE_MANIFEST_H_
