#include "server/app/evidence_sample.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "server/routing/choose_variant.h"

namespace tandem::app {

metrics::EvidenceSample SampleOf(const evidence::Pair& pair, const evidence::Summary& summary) {
  return {.model = pair.model,
          .version = absl::StrCat(pair.candidate.version),
          .verdict = std::string(NameOf(summary.standing.verdict)),
          .comparisons = static_cast<double>(summary.comparisons),
          .duplicates = static_cast<double>(summary.duplicates),
          .dropped = static_cast<double>(summary.dropped),
          .agreement = summary.agreement,
          .relative_error = summary.relative_error,
          .latency_ratio = summary.latency_ratio,
          .attempt = static_cast<double>(summary.standing.attempt)};
}

double Int8WeightOf(const models::Version& version) {
  return routing::Int8Weight(
      version.route, {.loaded = version.int8 != nullptr, .lane = version.lane, .auto_state = version.auto_state});
}

}  // namespace tandem::app
