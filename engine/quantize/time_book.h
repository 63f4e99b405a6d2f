// TimeBook: what was measured while a model was quantized, by what was timed.
//
// Times differ from run to run, and with them the choice of layers. With a book that was kept, quantizing the same
// model again on the same CPU rests on the same times and so makes the same choice. Belongs to one thread.
#ifndef TANDEM_ENGINE_QUANTIZE_TIME_BOOK_H_
#define TANDEM_ENGINE_QUANTIZE_TIME_BOOK_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tandem::engine {

class TimeBook {
 public:
  using Times = std::vector<double>;

  TimeBook() = default;
  // What ToText wrote. DATA_LOSS for anything else.
  static absl::StatusOr<TimeBook> FromText(absl::string_view text);
  std::string ToText() const;

  // The `count` times kept under `key`; when there are none, those that `measure` takes, which are kept.
  absl::StatusOr<Times> Get(const std::string& key, size_t count,
                            const std::function<absl::StatusOr<Times>()>& measure);

  // Whether anything was measured since the book was made.
  bool has_news() const { return has_news_; }

 private:
  std::map<std::string, Times> times_;
  bool has_news_ = false;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_TIME_BOOK_H_
