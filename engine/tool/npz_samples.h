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
#include "engine/graph.h"
#include "engine/model.h"
#include "engine/quantize/samples.h"

namespace tandem::engine {

// Errors name the file and the array: missing, of another type or shape, of another count than the others, empty.
absl::StatusOr<std::unique_ptr<Samples>> OpenNpzSamples(const std::string& path, const std::vector<TensorSpec>& inputs);

// The inputs of `graph`, as OpenNpzSamples wants them.
std::vector<TensorSpec> InputSpecs(const Graph& graph);

// One class a sample, from an .npy of integers; an error when there are not `count` of them.
absl::StatusOr<std::vector<int64_t>> ReadLabels(const std::string& path, int64_t count);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_TOOL_NPZ_SAMPLES_H_
