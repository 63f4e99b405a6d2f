// Inputs for a model from the command line: shapes, arrays from files, random values.
#ifndef TANDEM_ENGINE_TOOL_INPUTS_H_
#define TANDEM_ENGINE_TOOL_INPUTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/model.h"
#include "engine/npz/npz.h"

namespace tandem::engine {

// One shape an input: as `overrides` ("NAME:1,3,224,224") say, else the declared one with the first free dimension set
// to `batch` and the others to 1.
absl::StatusOr<std::vector<Shape>> ChooseShapes(const Model& model, const std::vector<std::string>& overrides,
                                                int batch);

// Normally distributed floats, integers from 1 to 49, deterministic.
Tensor RandomTensor(DataType type, const Shape& shape, uint32_t seed);

// The arrays called as the model's inputs, in order; an error names one that is missing or of another type.
absl::StatusOr<std::vector<Tensor>> SelectInputs(const Model& model, const NamedTensors& tensors);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_TOOL_INPUTS_H_
