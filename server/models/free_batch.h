// Loading a model so that its requests may share batches, even one that was exported for a batch of one.
#ifndef TANDEM_SERVER_MODELS_FREE_BATCH_H_
#define TANDEM_SERVER_MODELS_FREE_BATCH_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/model.h"

namespace tandem::models {

// The model of an ONNX file. One that fixes its batch to 1 takes any number of rows (engine::ModelOptions::free_batch)
// when it then gives the rows that it gave, one at a time and together; else it stays as it is. Only one copy of the
// weights is held at a time.
absl::StatusOr<std::shared_ptr<const engine::Model>> LoadFreeingBatch(const std::string& file);

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_FREE_BATCH_H_
