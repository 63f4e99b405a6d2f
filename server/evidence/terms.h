// Terms: what evidence is about and what it has to show.
#ifndef TANDEM_SERVER_EVIDENCE_TERMS_H_
#define TANDEM_SERVER_EVIDENCE_TERMS_H_

#include <optional>
#include <string>

#include "config/model_config.h"
#include "server/evidence/comparison.h"
#include "server/quantization/report.h"

namespace tandem::evidence {

struct Terms {
  // The artifact. Evidence about another one, or under other budgets, is not taken over.
  std::string subject;
  std::optional<Metric> metric;   // unset: the one that suits the first outputs
  double changed_budget = 0.05;   // share of answers that may change
  double noise_budget = 0.01;     // share of the outputs' power that the difference may have: 20 dB
  double accuracy_budget = 0.01;  // share of answers that may turn from right to wrong, less those that turn right
  double alpha = 0.05;            // probability of a wrong verdict, over all attempts

  friend bool operator==(const Terms&, const Terms&) = default;
};

// By what the owner says and by what the artifact's report was judged by. Where accuracy has been proven on labels,
// more answers may change: 10 %.
Terms TermsFor(const config::QuantizationConfig& settings, const quantization::Report& report);

// Between two versions, by what the owner says alone. `subject` tells these files from others.
Terms TermsForVersions(const config::QuantizationConfig& settings, std::string subject);

}  // namespace tandem::evidence

#endif  // TANDEM_SERVER_EVIDENCE_TERMS_H_
