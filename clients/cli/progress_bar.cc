#include "clients/cli/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tandem::cli {
namespace {

constexpr size_t kBarWidth = 20;
constexpr char kClearLine[] = "\r\033[K";

}  // namespace

std::string BarText(const v1::BuildProgress& progress) {
  const double done = std::clamp(progress.done(), 0.0, 1.0);
  const auto full = static_cast<size_t>(done * kBarWidth);
  std::string text = absl::StrCat("[", std::string(full, '#'), std::string(kBarWidth - full, '.'), "] ",
                                  progress.stage(), absl::StrFormat(" %.0f %%", done * 100));
  if (progress.seconds_left() > 0) absl::StrAppendFormat(&text, ", %.0f s left", progress.seconds_left());
  return text;
}

ProgressBar::ProgressBar() : terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (shown_) std::fputs(kClearLine, stderr);
}

void ProgressBar::Show(const v1::BuildProgress& progress) {
  if (!terminal_) return;
  std::fputs(absl::StrCat(kClearLine, BarText(progress)).c_str(), stderr);
  shown_ = true;
}

}  // namespace tandem::cli
