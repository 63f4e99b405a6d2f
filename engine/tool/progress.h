// Progress: tells how far the work is: to programs a line of JSON each time; to people one line that is written over
// and over, or where there is no terminal to do so on, one line a stage.
#ifndef TANDEM_ENGINE_TOOL_PROGRESS_H_
#define TANDEM_ENGINE_TOOL_PROGRESS_H_

#include <chrono>
#include <string>

#include "absl/strings/string_view.h"

namespace tandem::engine {

class Progress {
 public:
  // `method`: named with the stages; empty when there is one only.
  Progress(bool json, std::string method);
  // Ends the line that was written over.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` of the stage, from 0 to 1. May be called often.
  void operator()(absl::string_view stage, double done);

 private:
  using Clock = std::chrono::steady_clock;

  void TellAsJson(double done, double elapsed) const;

  const bool json_;
  const std::string method_;
  const bool in_place_;
  bool shown_ = false;
  std::string stage_;
  Clock::time_point begun_, told_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_TOOL_PROGRESS_H_
