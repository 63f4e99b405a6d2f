// A request that records its answer.
#ifndef TANDEM_TESTS_SERVER_BATCHING_FAKE_REQUEST_H_
#define TANDEM_TESTS_SERVER_BATCHING_FAKE_REQUEST_H_

#include <optional>

#include "server/batching/request.h"

namespace tandem::batching {

class FakeRequest final : public Request {
 public:
  explicit FakeRequest(int64_t rows_, engine::Shape row_shape = {4}) {
    rows = rows_;
    engine::Shape shape = {rows_};
    shape.insert(shape.end(), row_shape.begin(), row_shape.end());
    shapes.push_back(shape);
    bytes = 16;
  }

  void Gather(int, size_t, size_t, void*) const override {}
  void Answer(const absl::Status& status, const Results*, metrics::RequestTimes,
              metrics::VersionMetrics::Shard& shard) override {
    shard.RequestDone(status.code(), {});
    answer = status;
  }

  std::optional<absl::Status> answer;
};

}  // namespace tandem::batching

#endif  // TANDEM_TESTS_SERVER_BATCHING_FAKE_REQUEST_H_
