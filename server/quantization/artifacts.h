// Artifacts: what quantizing a version left behind, a folder with a report.json and, unless the model is not fit for
// int8, the quantized model.onnx.
#ifndef TANDEM_SERVER_QUANTIZATION_ARTIFACTS_H_
#define TANDEM_SERVER_QUANTIZATION_ARTIFACTS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/quantization/report.h"

namespace tandem::quantization {

struct Artifact {
  std::string model_file;  // empty: rejected without having been built
  std::shared_ptr<const Report> report;
};

// The artifact in `folder`, the model's bytes checked against the report. NOT_FOUND when there is no report, DATA_LOSS
// when it is no report, or of another model.onnx than the one beside it.
absl::StatusOr<Artifact> ReadArtifact(const std::string& folder);

// A model.onnx that its owner put into `folder`: served as it is. The verdict is that of the report beside it if there
// is one, if it is of this very file and was reached on this CPU; else inconclusive, and the reason says why. Its
// SHA-256 is told either way.
Artifact ReadyMadeArtifact(const std::string& folder);

}  // namespace tandem::quantization

#endif  // TANDEM_SERVER_QUANTIZATION_ARTIFACTS_H_
