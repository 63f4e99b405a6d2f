// LogSettings: what the process logs, to be read and changed while it runs. Thread-safe.
#ifndef TANDEM_SERVER_SETTINGS_LOG_SETTINGS_H_
#define TANDEM_SERVER_SETTINGS_LOG_SETTINGS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tandem::settings {

class LogSettings {
 public:
  // `format`: text or json, which stays.
  explicit LogSettings(std::string format) : format_(std::move(format)) {}

  const std::string& format() const { return format_; }
  // debug, info, warning or error.
  std::string level() const;
  // INVALID_ARGUMENT when it is none of them.
  absl::Status SetLevel(absl::string_view level);

 private:
  const std::string format_;
};

}  // namespace tandem::settings

#endif  // TANDEM_SERVER_SETTINGS_LOG_SETTINGS_H_
