// What an evaluation came to, as a message.
#ifndef TANDEM_SERVER_ADMIN_EVALUATION_MESSAGES_H_
#define TANDEM_SERVER_ADMIN_EVALUATION_MESSAGES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/tandem/admin/v1/admin.pb.h"
#include "server/models/files_to_evaluate.h"

namespace tandem::admin {

// `line` is what `tandem-model evaluate` says of `variants`, in their order: an Evaluation in its JSON form, in which
// files stand for variants. INTERNAL when it is none.
absl::StatusOr<v1::Evaluation> EvaluationOf(const std::string& line, const std::vector<models::VariantFile>& variants);

}  // namespace tandem::admin

#endif  // TANDEM_SERVER_ADMIN_EVALUATION_MESSAGES_H_
