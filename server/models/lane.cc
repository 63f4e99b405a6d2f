#include "server/models/lane.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace tandem::models {

std::string Describe(const Lane& lane) {
  const std::string because = lane.reason.empty() ? "" : absl::StrCat(": ", lane.reason);
  switch (lane.state) {
    case LaneState::kAbsent:
      return absl::StrCat("there is no int8", because);
    case LaneState::kBuilding: {
      if (lane.progress.stage.empty()) return "int8 is being built";
      const int percent = static_cast<int>(std::lround(lane.progress.done * 100));
      return absl::StrCat("int8 is being built (", lane.progress.stage, ", ", percent, " %)");
    }
    case LaneState::kBuilt:
      return "int8 is built and being loaded";
    case LaneState::kProven:
      return absl::StrCat("int8 is proven", because);
    case LaneState::kInconclusive:
      return absl::StrCat("int8 is inconclusive", because);
    case LaneState::kRejected:
      return absl::StrCat("int8 was rejected", because);
    case LaneState::kFailed:
      return absl::StrCat("int8 failed", because);
  }
  return "";
}

}  // namespace tandem::models
