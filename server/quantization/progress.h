// What `tandem-model quantize --output json` says while it works: one JSON object a line.
#ifndef TANDEM_SERVER_QUANTIZATION_PROGRESS_H_
#define TANDEM_SERVER_QUANTIZATION_PROGRESS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace tandem::quantization {

struct Progress {
  std::string stage;        // calibrate, ranges, repair, search, judge or write; empty before the first line
  double done = 0;          // of the stage, in [0, 1]
  double seconds_left = 0;  // an estimate
};

// The progress that `line` reports; nothing for other events and for what is not understood.
std::optional<Progress> ParseProgress(absl::string_view line);

}  // namespace tandem::quantization

#endif  // TANDEM_SERVER_QUANTIZATION_PROGRESS_H_
