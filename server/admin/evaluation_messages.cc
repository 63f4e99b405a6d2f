#include "server/admin/evaluation_messages.h"

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"

namespace tandem::admin {

absl::StatusOr<v1::Evaluation> EvaluationOf(const std::string& line, const std::vector<models::VariantFile>& variants) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  v1::Evaluation evaluation;
  const auto parsed = google::protobuf::util::JsonStringToMessage(line, &evaluation, options);
  if (!parsed.ok() || evaluation.scores_size() != static_cast<int>(variants.size())) {
    return absl::InternalError(absl::StrCat("the evaluation ended without a result: \"", line.substr(0, 200), "\""));
  }
  for (size_t i = 0; i < variants.size(); ++i) {
    v1::Score& score = *evaluation.mutable_scores(static_cast<int>(i));
    score.set_version(variants[i].version);
    score.set_variant(std::string(models::NameOf(variants[i].precision)));
  }
  return evaluation;
}

}  // namespace tandem::admin
