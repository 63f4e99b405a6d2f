#include "config/values.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace tandem::config {
namespace {

absl::Status Expected(absl::string_view what, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", what, ", not \"", text, "\""));
}

struct Unit {
  absl::string_view suffix;
  double factor;
};

// Longer suffixes first where one ends with another.
constexpr Unit kDurationUnits[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
constexpr Unit kByteUnits[] = {{"KB", 1024.0}, {"MB", 1024.0 * 1024}, {"GB", 1024.0 * 1024 * 1024}};

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

absl::StatusOr<bool> ParseBool(absl::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return Expected("true or false", text);
}

absl::StatusOr<int64_t> ParseInteger(absl::string_view text, int64_t low, int64_t high) {
  int64_t value = 0;
  if (absl::SimpleAtoi(text, &value) && value >= low && value <= high) return value;
  return Expected(high == std::numeric_limits<int64_t>::max() ? absl::StrCat("a whole number of at least ", low)
                                                              : absl::StrCat("a whole number from ", low, " to ", high),
                  text);
}

absl::StatusOr<double> ParseNumber(absl::string_view text, double low, double high) {
  double value = 0;
  if (absl::SimpleAtod(text, &value) && value >= low && value <= high) return value;
  return Expected(absl::StrCat("a number from ", low, " to ", high), text);
}

absl::StatusOr<double> ParseFraction(absl::string_view text) {
  absl::string_view number = text;
  const double scale = absl::ConsumeSuffix(&number, "%") ? 0.01 : 1;
  double value = 0;
  if (absl::SimpleAtod(number, &value) && value * scale >= 0 && value * scale <= 1) return value * scale;
  return Expected("a share such as 0.05 or 5%", text);
}

absl::StatusOr<std::chrono::nanoseconds> ParseDuration(absl::string_view text) {
  if (text == "0") return std::chrono::nanoseconds(0);
  for (const Unit& unit : kDurationUnits) {
    absl::string_view number = text;
    double value = 0;
    if (absl::ConsumeSuffix(&number, unit.suffix) && absl::SimpleAtod(number, &value) && value >= 0 &&
        value * unit.factor < 1e18) {
      return std::chrono::nanoseconds(static_cast<int64_t>(std::llround(value * unit.factor)));
    }
  }
  return Expected("a duration such as 250us, 2ms or 1.5s", text);
}

absl::StatusOr<int64_t> ParseBytes(absl::string_view text) {
  absl::string_view number = text;
  double factor = 1;
  for (const Unit& unit : kByteUnits) {
    if (absl::ConsumeSuffix(&number, unit.suffix)) {
      factor = unit.factor;
      break;
    }
  }
  int64_t value = 0;
  if (absl::SimpleAtoi(number, &value) && value >= 0 && static_cast<double>(value) * factor < 1e18) {
    return static_cast<int64_t>(static_cast<double>(value) * factor);
  }
  return Expected("a size such as 65536, 512KB, 64MB or 1GB", text);
}

absl::StatusOr<std::string> ParseAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  int port = 0;
  if (colon != absl::string_view::npos && colon > 0 && absl::SimpleAtoi(text.substr(colon + 1), &port) && port >= 0 &&
      port <= 65535) {
    const absl::string_view host = text.substr(0, colon);
    const bool bracketed = host.front() == '[' && host.back() == ']';
    if (bracketed || host.find(':') == absl::string_view::npos) return std::string(text);
  }
  return Expected("an address such as 127.0.0.1:8001 or [::]:8001", text);
}

absl::StatusOr<std::string> ParseChoice(absl::string_view text, std::initializer_list<absl::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::string(text);
  return Expected(absl::StrCat("one of ", absl::StrJoin(choices, ", ")), text);
}

HostPort SplitAddress(absl::string_view address) {
  const size_t colon = address.rfind(':');
  absl::string_view host = address.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  HostPort result{.host = std::string(host)};
  if (!absl::SimpleAtoi(address.substr(colon + 1), &result.port)) result.port = 0;
  return result;
}

std::string Nearest(absl::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace tandem::config
