// Quantized models that `bench` has made, kept by what they were made from.
#ifndef TANDEM_ENGINE_TOOL_INT8_CACHE_H_
#define TANDEM_ENGINE_TOOL_INT8_CACHE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/tensor.h"
#include "engine/tool/commands.h"

namespace tandem::engine {

// The path of `options.model` in int8: made now, or found under $XDG_CACHE_HOME/tandem (~/.cache/tandem) when it was
// made before from the same file and samples for the same CPU and `shapes`. Without samples, random inputs of `shapes`
// calibrate: for speed only.
absl::StatusOr<std::string> Int8Variant(const BenchOptions& options, const std::vector<Shape>& shapes);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_TOOL_INT8_CACHE_H_
