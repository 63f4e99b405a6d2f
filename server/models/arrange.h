// Arrange: which of a model's loaded versions serve, which stay warm for a rollback. A pure function.
#ifndef TANDEM_SERVER_MODELS_ARRANGE_H_
#define TANDEM_SERVER_MODELS_ARRANGE_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "config/model_config.h"

namespace tandem::models {

// What the owner wants of a model.
struct Wishes {
  config::VersionPolicy policy;
  int64_t keep_previous = 1;
  std::set<int64_t> present;  // the versions whose files are there
  // Serves beside those that the policy wants, which it is none of; 0: none.
  int64_t candidate = 0;

  // How many versions are to serve.
  size_t Count() const;
  // Whether the policy lets `number` serve.
  bool Allows(int64_t number) const;
};

struct LoadedVersion {
  int64_t number = 0;
  bool serves = false;
};

struct Arrangement {
  std::set<int64_t> serve;
  std::set<int64_t> keep;  // warm; what is in neither goes
};

// The newest that are allowed, present and not `rejected` (rolled back from) serve, and the candidate beside them.
// While there is none of these, what served before goes on as long as its files are there. The newest `keep_previous`
// of the others are kept.
Arrangement Arrange(const std::vector<LoadedVersion>& loaded, const Wishes& wishes, const std::set<int64_t>& rejected);

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_ARRANGE_H_
