#include "engine/quantize/time_book.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/status.h"

namespace tandem::engine {

absl::StatusOr<TimeBook> TimeBook::FromText(absl::string_view text) {
  const auto json = nlohmann::json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::DataLossError("no book of times: not a JSON object");
  TimeBook book;
  for (const auto& [key, times] : json.items()) {
    const auto is_number = [](const nlohmann::json& time) { return time.is_number(); };
    if (!times.is_array() || !std::all_of(times.begin(), times.end(), is_number)) {
      return absl::DataLossError(absl::StrCat("no book of times: '", key, "' is no list of numbers"));
    }
    book.times_[key] = times.get<Times>();
  }
  return book;
}

std::string TimeBook::ToText() const { return nlohmann::json(times_).dump(1) + "\n"; }

absl::StatusOr<TimeBook::Times> TimeBook::Get(const std::string& key, size_t count,
                                              const std::function<absl::StatusOr<Times>()>& measure) {
  const auto kept = times_.find(key);
  if (kept != times_.end() && kept->second.size() == count) return kept->second;
  TANDEM_ASSIGN_OR_RETURN(Times times, measure());
  times_[key] = times;
  has_news_ = true;
  return times;
}

}  // namespace tandem::engine
