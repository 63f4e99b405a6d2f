// Books of times in a folder, one for each model, CPU and number of threads.
#ifndef TANDEM_ENGINE_TOOL_KEPT_TIMES_H_
#define TANDEM_ENGINE_TOOL_KEPT_TIMES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "engine/quantize/time_book.h"

namespace tandem::engine {

class KeptTimes {
 public:
  // `folder`: empty for the cache folder. Where nothing can be read or written nothing is kept.
  KeptTimes(const std::string& folder, absl::string_view model_sha256, absl::string_view method, int threads);

  TimeBook& book() { return book_; }
  // Keeps what was measured.
  void Save() const;

 private:
  std::string folder_;  // of this book; empty: there is none
  TimeBook book_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_TOOL_KEPT_TIMES_H_
