// Lane: the life of a version's int8 variant, which runs beside the life of the version itself: the version serves in
// fp32 from the first moment, and int8 joins it when it is there.
#ifndef TANDEM_SERVER_MODELS_LANE_H_
#define TANDEM_SERVER_MODELS_LANE_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "server/quantization/progress.h"
#include "server/quantization/report.h"

namespace tandem::models {

enum class LaneState {
  kAbsent,        // there is none, and the reason says why
  kBuilding,      // being calibrated, searched and judged
  kBuilt,         // the file is there, being loaded and warmed up
  kProven,        // loss and speed are within the budget
  kInconclusive,  // neither shown to be within the budget nor outside
  kRejected,      // outside the budget, or not faster, or not fit for int8; the reason says which
  kFailed,        // could not be built or loaded; the reason says why
};

inline constexpr LaneState kLaneStates[] = {LaneState::kAbsent, LaneState::kBuilding,     LaneState::kBuilt,
                                            LaneState::kProven, LaneState::kInconclusive, LaneState::kRejected,
                                            LaneState::kFailed};

inline absl::string_view NameOf(LaneState state) {
  switch (state) {
    case LaneState::kAbsent:
      return "absent";
    case LaneState::kBuilding:
      return "building";
    case LaneState::kBuilt:
      return "built";
    case LaneState::kProven:
      return "proven";
    case LaneState::kInconclusive:
      return "inconclusive";
    case LaneState::kRejected:
      return "rejected";
    case LaneState::kFailed:
      return "failed";
  }
  return "";
}

inline bool IsVerdict(LaneState state) {
  return state == LaneState::kProven || state == LaneState::kInconclusive || state == LaneState::kRejected;
}

inline LaneState LaneStateOf(quantization::Verdict verdict) {
  switch (verdict) {
    case quantization::Verdict::kProven:
      return LaneState::kProven;
    case quantization::Verdict::kInconclusive:
      return LaneState::kInconclusive;
    case quantization::Verdict::kRejected:
      return LaneState::kRejected;
  }
  return LaneState::kFailed;
}

// Legal transitions:
//   absent -> building -> built -> proven | inconclusive | rejected
//   absent -> built (it was there already)
//   building -> rejected (and nothing to load)
//   building, built -> failed
//   building -> building (progress)
//   any -> absent (its files or its configuration changed; what was built is dropped)
inline bool MayFollow(LaneState from, LaneState to) {
  if (to == LaneState::kAbsent) return true;
  switch (from) {
    case LaneState::kAbsent:
      return to == LaneState::kBuilding || to == LaneState::kBuilt;
    case LaneState::kBuilding:
      return to == LaneState::kBuilding || to == LaneState::kBuilt || to == LaneState::kRejected ||
             to == LaneState::kFailed;
    case LaneState::kBuilt:
      return IsVerdict(to) || to == LaneState::kFailed;
    default:
      return false;
  }
}

struct Lane {
  LaneState state = LaneState::kAbsent;
  std::string reason;                                  // of every state but building
  quantization::Progress progress;                     // while building
  std::shared_ptr<const quantization::Report> report;  // with a verdict, where there is one
};

// "int8 is being built (calibrate, 42 %)", "int8 was rejected: it is not faster", ...: for messages.
std::string Describe(const Lane& lane);

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_LANE_H_
