// Job: a request that was answered, to be answered by the other variant, or by another version, as well.
#ifndef TANDEM_SERVER_SHADOW_JOB_H_
#define TANDEM_SERVER_SHADOW_JOB_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/tensor.h"
#include "server/evidence/ledgers.h"
#include "server/models/version.h"
#include "server/sync/time.h"

namespace tandem::shadow {

// The bytes of a request and of its answer, kept after both have been dealt with.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // As batching::Request::Gather.
  virtual void Gather(int i, size_t offset, size_t size, void* destination) const = 0;
  // The bytes of the answer's output `k`, as many as its type and shape take; not aligned.
  virtual const char* Answer(size_t k) const = 0;
};

// An output that the client was sent.
struct AnsweredOutput {
  int output = 0;  // index of the model's output
  engine::DataType type = engine::DataType::kUndefined;
  engine::Shape shape;
};

struct Job {
  models::VersionHandle version;  // with both variants, unless there is a candidate
  models::Precision answered_by = models::Precision::kFp32;
  models::VersionHandle candidate;  // another version, whose fp32 is to answer as well as that of `version`, or null
  std::unique_ptr<const Exchange> exchange;
  std::vector<engine::Shape> shapes;    // of the inputs
  std::vector<AnsweredOutput> answers;  // in the order of Exchange::Answer
  std::string id;                       // where the answer is kept for its outcome; else empty
  size_t bytes = 0;                     // memory that it holds
  Duration took{0};                     // the request's share of its batch
  Time answered{};
  // Run whatever else there is to do: part of the share that is compared in any case.
  bool must_run = false;

  bool candidate_answered() const { return answered_by == models::Precision::kInt8; }
  const models::Variant& variant() const { return candidate_answered() ? *version->int8 : *version->fp32; }
  const models::VersionHandle& other_version() const { return candidate != nullptr ? candidate : version; }
  const models::Variant& other() const {
    if (candidate != nullptr) return *candidate->fp32;
    return answered_by == models::Precision::kFp32 ? *version->int8 : *version->fp32;
  }
};

inline evidence::Pair PairOf(const Job& job) {
  const models::Version& version = *job.version;
  if (job.candidate == nullptr) return evidence::VariantsOf(version.model_name, version.number);
  return evidence::VersionsOf(version.model_name, version.number, job.candidate->number);
}

}  // namespace tandem::shadow

#endif  // TANDEM_SERVER_SHADOW_JOB_H_
