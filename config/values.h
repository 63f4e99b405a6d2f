// Values as people write them in files and flags: durations, sizes, percentages, addresses, choices.
//
// Each parser returns INVALID_ARGUMENT that says what was expected and what came; the caller names the key.
#ifndef TANDEM_CONFIG_VALUES_H_
#define TANDEM_CONFIG_VALUES_H_

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tandem::config {

// "true" or "false".
absl::StatusOr<bool> ParseBool(absl::string_view text);
// A whole number in [low, high].
absl::StatusOr<int64_t> ParseInteger(absl::string_view text, int64_t low, int64_t high);
// A number in [low, high].
absl::StatusOr<double> ParseNumber(absl::string_view text, double low, double high);
// A share in [0, 1]: "0.05" or "5%".
absl::StatusOr<double> ParseFraction(absl::string_view text);
// A number with a unit: "250us", "2ms", "1.5s", "1m"; "0" needs none.
absl::StatusOr<std::chrono::nanoseconds> ParseDuration(absl::string_view text);
// A whole number of bytes, optionally with KB, MB or GB (powers of 1024).
absl::StatusOr<int64_t> ParseBytes(absl::string_view text);
// "HOST:PORT", the port in [0, 65535]; IPv6 hosts in brackets.
absl::StatusOr<std::string> ParseAddress(absl::string_view text);
// One of `choices`.
absl::StatusOr<std::string> ParseChoice(absl::string_view text, std::initializer_list<absl::string_view> choices);

// Host and port of an address that ParseAddress accepted.
struct HostPort {
  std::string host;
  int port = 0;
};
HostPort SplitAddress(absl::string_view address);

// The candidate that `word` was most likely meant to be, or "" when none is near.
std::string Nearest(absl::string_view word, const std::vector<std::string>& candidates);

}  // namespace tandem::config

#endif  // TANDEM_CONFIG_VALUES_H_
