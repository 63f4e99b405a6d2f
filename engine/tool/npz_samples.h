// Samples out of an .npz archive, read one at a time: memory does not grow with the archive.
//
// An array called as an input holds samples along its first axis; arrays NAME.0, NAME.1, ... hold one sample each, as
// the model takes it.
#ifndef TANDEM_ENGINE_TOOL_NPZ_SAMPLES_H_
#define TANDEM_ENGINE_TOOL_NPZ_SAMPLES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/model.h"
#include "engine/quantize/samples.h"

namespace tandem::engine {

// Errors name the file and the array: missing, of another type or shape, of another count than the others, empty.
absl::StatusOr<std::unique_ptr<Samples>> OpenNpzSamples(const std::string& path, const std::vector<TensorSpec>& inputs);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_TOOL_NPZ_SAMPLES_H_
