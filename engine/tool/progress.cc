#include "engine/tool/progress.h"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

namespace tandem::engine {

namespace {

constexpr std::chrono::milliseconds kTellEvery(200);

}  // namespace

Progress::Progress(bool json, std::string method)
    : json_(json), method_(std::move(method)), in_place_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (shown_) std::fprintf(stderr, "\r%30s\r", "");
}

void Progress::operator()(absl::string_view stage, double done) {
  const auto now = Clock::now();
  const bool begins = stage != stage_;
  if (begins) {
    stage_ = std::string(stage);
    begun_ = now;
  } else if (done < 1 && now - told_ < kTellEvery) {
    return;
  }
  told_ = now;
  if (json_) {
    TellAsJson(done, std::chrono::duration<double>(now - begun_).count());
  } else if (in_place_) {
    std::fprintf(stderr, "\r%-12s %-10s %3.0f %%", method_.c_str(), stage_.c_str(), 100 * done);
    shown_ = true;
  } else if (begins) {
    std::fprintf(stderr, "%s%s%s\n", method_.c_str(), method_.empty() ? "" : ": ", stage_.c_str());
  }
}

void Progress::TellAsJson(double done, double elapsed) const {
  nlohmann::ordered_json line = {{"event", "progress"}};
  if (!method_.empty()) line["method"] = method_;
  line["stage"] = stage_;
  line["done"] = done;
  line["seconds_left"] = done > 0 ? elapsed / done - elapsed : 0.0;
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

}  // namespace tandem::engine
