// Ledgers: the ledgers of all pairs of variants, and their keeping. Thread-safe.
#ifndef TANDEM_SERVER_EVIDENCE_LEDGERS_H_
#define TANDEM_SERVER_EVIDENCE_LEDGERS_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/mutex.h"
#include "server/evidence/ledger.h"

namespace tandem::evidence {

// One side of a comparison.
struct Arm {
  int64_t version = 1;
  std::string variant;

  friend auto operator<=>(const Arm&, const Arm&) = default;
};

struct Pair {
  std::string model;
  Arm baseline, candidate;

  bool of_versions() const { return baseline.version != candidate.version; }

  friend auto operator<=>(const Pair&, const Pair&) = default;
};

// fp32 and int8 of one version.
Pair VariantsOf(const std::string& model, int64_t version);
// Two versions, both in fp32.
Pair VersionsOf(const std::string& model, int64_t baseline, int64_t candidate);
// "m/1/fp32/1/int8": what a pair is called where its evidence is kept.
std::string KeyOf(const Pair& pair);

// Where evidence is kept; each may be empty. `load` is called by Open, `save` by Save and Close, one call at a time.
struct Keeping {
  std::function<std::optional<std::string>(const std::string& key)> load;
  // Keeps all of `blobs` (key, value) or none.
  std::function<void(const std::vector<std::pair<std::string, std::string>>& blobs)> save;
  // Told of evidence that could not be taken over.
  std::function<void(const std::string&)> on_warning;
};

class Ledgers {
 public:
  explicit Ledgers(Keeping keeping = {}) : keeping_(std::move(keeping)) {}

  // The ledger of `pair` under these terms: the one that is open, what was kept, or a new one. One call at a time.
  std::shared_ptr<Ledger> Open(const Pair& pair, const Terms& terms);
  // Null when it is not open.
  std::shared_ptr<Ledger> Find(const Pair& pair) const;
  std::vector<std::pair<Pair, std::shared_ptr<Ledger>>> All() const;
  // Keeps what there is and lets go of it.
  void Close(const Pair& pair);
  // Keeps what has changed.
  void Save();

 private:
  const Keeping keeping_;
  Mutex save_mutex_;  // what is saved later is newer
  mutable Mutex mutex_;
  std::map<Pair, std::shared_ptr<Ledger>> open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tandem::evidence

#endif  // TANDEM_SERVER_EVIDENCE_LEDGERS_H_
