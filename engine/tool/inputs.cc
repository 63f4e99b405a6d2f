#include "engine/tool/inputs.h"

#include <cstring>
#include <map>
#include <random>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "engine/ops/op.h"
#include "engine/status.h"

namespace tandem::engine {

namespace {

absl::StatusOr<std::pair<std::string, Shape>> ParseOverride(const std::string& text) {
  // Names may hold colons themselves: the last one counts.
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("--shape ", text, ": expected NAME:1,3,224,224"));
  }
  Shape shape;
  for (absl::string_view part : absl::StrSplit(text.substr(colon + 1), ',', absl::SkipEmpty())) {
    int64_t dim = 0;
    if (!absl::SimpleAtoi(part, &dim) || dim < 0) {
      return absl::InvalidArgumentError(absl::StrCat("--shape ", text, ": '", part, "' is no dimension"));
    }
    shape.push_back(dim);
  }
  return std::make_pair(text.substr(0, colon), std::move(shape));
}

}  // namespace

absl::StatusOr<std::vector<Shape>> ChooseShapes(const Model& model, const std::vector<std::string>& overrides,
                                                int batch) {
  std::map<std::string, Shape> given;
  for (const std::string& text : overrides) {
    TANDEM_ASSIGN_OR_RETURN(auto parsed, ParseOverride(text));
    given.insert(std::move(parsed));
  }
  std::vector<Shape> shapes;
  for (const TensorSpec& input : model.inputs()) {
    if (auto it = given.find(input.name); it != given.end()) {
      shapes.push_back(it->second);
      given.erase(it);
      continue;
    }
    Shape shape = input.shape;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == kUnknownDim) shape[i] = i == 0 ? batch : 1;
    }
    shapes.push_back(std::move(shape));
  }
  if (!given.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--shape: the model has no input '", given.begin()->first, "'"));
  }
  TANDEM_RETURN_IF_ERROR(CheckInputShapes(model, shapes));
  return shapes;
}

Tensor RandomTensor(DataType type, const Shape& shape, uint32_t seed) {
  Tensor tensor(type, shape);
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int> small(1, 49);
  if (type == DataType::kFloat16 || type == DataType::kBFloat16) {
    auto* bits = static_cast<uint16_t*>(tensor.data());
    for (int64_t i = 0; i < tensor.num_elements(); ++i) {
      bits[i] = type == DataType::kFloat16 ? FloatToHalf(normal(generator)) : FloatToBFloat16(normal(generator));
    }
    return tensor;
  }
  const absl::Status status =
      Dispatch<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, bool>(
          type, [&](auto t) {
            using T = decltype(t);
            for (T& value : tensor.mutable_values<T>()) {
              value =
                  std::is_floating_point_v<T> ? static_cast<T>(normal(generator)) : static_cast<T>(small(generator));
            }
            return absl::OkStatus();
          });
  TANDEM_CHECK(status.ok(), NameOf(type));
  return tensor;
}

absl::StatusOr<std::vector<Tensor>> SelectInputs(const Model& model, const NamedTensors& tensors) {
  std::vector<Tensor> inputs;
  for (const TensorSpec& input : model.inputs()) {
    auto it = tensors.find(input.name);
    if (it == tensors.end())
      return absl::InvalidArgumentError(absl::StrCat("no array for the input '", input.name, "'"));
    if (it->second.type() != input.type) {
      return absl::InvalidArgumentError(absl::StrCat("input '", input.name, "' is ", NameOf(input.type),
                                                     "; the array is ", NameOf(it->second.type())));
    }
    inputs.push_back(it->second);
  }
  return inputs;
}

}  // namespace tandem::engine
