// Candidacies: which versions routes compare with which: opens the evidence about both, and lets go of it when they are
// compared no more. It is kept, and taken up again when they are.
//
// Belongs to the loader's thread.
#ifndef TANDEM_SERVER_SHADOW_CANDIDACIES_H_
#define TANDEM_SERVER_SHADOW_CANDIDACIES_H_

#include <cstdint>
#include <map>
#include <string>

#include "config/model_config.h"
#include "server/evidence/ledgers.h"
#include "server/models/registry.h"

namespace tandem::shadow {

class Candidacies {
 public:
  // Both must outlive it.
  Candidacies(const models::Registry& registry, evidence::Ledgers& ledgers) : registry_(registry), ledgers_(ledgers) {}

  // What is loaded of `model` and its route may have changed; `settings` have the budgets.
  void Follow(const std::string& model, const config::QuantizationConfig& settings);
  // A version has ended.
  void Ends(const std::string& model, int64_t version);

 private:
  void Close(const std::string& model);

  const models::Registry& registry_;
  evidence::Ledgers& ledgers_;
  std::map<std::string, evidence::Pair> open_;  // by model
};

}  // namespace tandem::shadow

#endif  // TANDEM_SERVER_SHADOW_CANDIDACIES_H_
