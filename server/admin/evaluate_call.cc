// Evaluate of the admin service.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/admin/admin_service.h"
#include "server/admin/evaluation_messages.h"
#include "server/admin/messages.h"

namespace tandem::admin {
namespace {

using quantization::Evaluation;
using Stream = grpc::ServerReaderWriter<v1::EvaluateResponse, v1::EvaluateRequest>;

// More than these at a time are not compared.
constexpr int kMostVersions = 8;

absl::Status CheckSubject(const v1::EvaluateRequest& first) {
  if (!first.has_subject()) return absl::InvalidArgumentError("the first message has no subject");
  if (first.subject().versions_size() <= kMostVersions) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("at most ", kMostVersions, " versions are scored at a time"));
}

// Takes in the samples and labels that the caller sends, if it does.
absl::Status ReceiveSamples(Stream& stream, Evaluation& evaluation) {
  v1::EvaluateRequest message;
  while (stream.Read(&message)) {
    switch (message.part_case()) {
      case v1::EvaluateRequest::kSamples:
        TANDEM_RETURN_IF_ERROR(evaluation.Append(Evaluation::Part::kSamples, message.samples()));
        break;
      case v1::EvaluateRequest::kLabels:
        TANDEM_RETURN_IF_ERROR(evaluation.Append(Evaluation::Part::kLabels, message.labels()));
        break;
      default:
        return absl::InvalidArgumentError("a message behind the first has neither samples nor labels");
    }
  }
  return absl::OkStatus();
}

quantization::EvaluationFiles FilesOf(const models::FilesToEvaluate& found) {
  quantization::EvaluationFiles files{.models = {}, .samples = found.samples_file, .labels = found.labels_file};
  for (const models::VariantFile& variant : found.variants) files.models.push_back(variant.file);
  return files;
}

}  // namespace

grpc::Status AdminService::Evaluate(Context* context, Stream* stream) {
  return Answer(*context, [&]() -> absl::Status {
    v1::EvaluateRequest first;
    if (!stream->Read(&first)) return absl::InvalidArgumentError("no message came");
    TANDEM_RETURN_IF_ERROR(CheckSubject(first));
    const v1::EvaluationSubject& subject = first.subject();
    TANDEM_ASSIGN_OR_RETURN(
        const models::FilesToEvaluate found,
        parts_.loader.FindToEvaluate(subject.model(),
                                     std::vector<int64_t>(subject.versions().begin(), subject.versions().end())));
    TANDEM_ASSIGN_OR_RETURN(const auto evaluation, parts_.evaluator.Begin());
    TANDEM_RETURN_IF_ERROR(ReceiveSamples(*stream, *evaluation));
    if (context->IsCancelled()) return absl::CancelledError("the caller has left");
    v1::EvaluateResponse message;
    TANDEM_ASSIGN_OR_RETURN(const std::string line,
                            evaluation->Run(FilesOf(found), [&](const quantization::Progress& progress) {
                              *message.mutable_progress() = MessageOf(progress);
                              return stream->Write(message) && !context->IsCancelled();
                            }));
    TANDEM_ASSIGN_OR_RETURN(*message.mutable_result(), EvaluationOf(line, found.variants));
    stream->Write(message);
    return absl::OkStatus();
  });
}

}  // namespace tandem::admin
