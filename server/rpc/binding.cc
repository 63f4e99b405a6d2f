#include "server/rpc/binding.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/status.h"
#include "server/rpc/datatype.h"
#include "server/rpc/typed_contents.h"

namespace tandem::rpc {
namespace {

using engine::Shape;
using engine::TensorSpec;

std::string NamesOf(const std::vector<TensorSpec>& specs) {
  return absl::StrJoin(specs, ", ",
                       [](std::string* out, const TensorSpec& spec) { absl::StrAppend(out, Quoted(spec.name)); });
}

// Index of the spec called `name`, or -1. Models have few tensors.
int Find(const std::vector<TensorSpec>& specs, absl::string_view name) {
  for (size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

// As it was given: a negative dimension is no free one here.
std::string Given(const Shape& shape) { return absl::StrCat("[", absl::StrJoin(shape, ","), "]"); }

absl::Status CheckShape(const TensorSpec& spec, const Shape& given) {
  bool fits = !spec.has_rank || spec.shape.size() == given.size();
  for (size_t d = 0; fits && d < given.size(); ++d) {
    fits = given[d] >= 0 && (!spec.has_rank || spec.shape[d] == engine::kUnknownDim || spec.shape[d] == given[d]);
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "expected shape ", spec.has_rank ? engine::ToString(spec.shape) : "of any rank", ", got ", Given(given)));
}

// Bytes of a tensor, or INVALID_ARGUMENT when they are more than any request could hold.
absl::StatusOr<size_t> BytesOf(const TensorSpec& spec, const Shape& shape) {
  constexpr uint64_t kMost = std::numeric_limits<int32_t>::max();
  uint64_t bytes = engine::SizeOf(spec.type);
  bool empty = false;
  for (int64_t dim : shape) empty |= dim == 0;
  if (empty) return 0;
  for (int64_t dim : shape) {
    if (static_cast<uint64_t>(dim) > kMost / bytes) {
      return absl::InvalidArgumentError(absl::StrCat("shape ", engine::ToString(shape), " is too large"));
    }
    bytes *= static_cast<uint64_t>(dim);
  }
  return static_cast<size_t>(bytes);
}

absl::Status CheckDatatype(const TensorSpec& spec, absl::string_view given) {
  if (spec.type == engine::DataType::kString || given == "BYTES") {
    return absl::InvalidArgumentError(
        absl::StrCat("BYTES tensors are not served; the model has ", WireName(spec.type)));
  }
  if (given == WireName(spec.type)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("expected datatype ", WireName(spec.type), ", got ", Quoted(given)));
}

absl::Status BindBytes(Blocks blocks, const InferRequest& request, size_t index, const TensorSpec& spec,
                       InputBytes& target) {
  const InferRequest::Input& input = request.inputs[index];
  TANDEM_ASSIGN_OR_RETURN(const size_t bytes, BytesOf(spec, input.shape));
  if (!request.raw.empty()) {
    target.raw = request.raw[index];
    if (target.raw.length == bytes) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("expected ", bytes, " bytes for ", WireName(spec.type),
                                                   engine::ToString(input.shape), ", got ", target.raw.length));
  }
  const int64_t elements = static_cast<int64_t>(bytes / engine::SizeOf(spec.type));
  TANDEM_ASSIGN_OR_RETURN(target.decoded, DecodeContents(blocks, input.contents, spec.type, elements));
  target.is_raw = false;
  return absl::OkStatus();
}

absl::Status CheckRawOrTyped(const InferRequest& request) {
  if (request.raw.empty()) return absl::OkStatus();
  for (const InferRequest::Input& input : request.inputs) {
    if (!input.contents.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("input ", Quoted(input.name), ": values are given both in contents and in raw_input_contents"));
    }
  }
  if (request.raw.size() == request.inputs.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("expected ", request.inputs.size(), " raw_input_contents, one an input, got ", request.raw.size()));
}

absl::Status BindInput(Blocks blocks, const InferRequest& request, size_t index, const TensorSpec& spec, Shape& shape,
                       InputBytes& bytes) {
  const InferRequest::Input& input = request.inputs[index];
  TANDEM_RETURN_IF_ERROR(CheckDatatype(spec, input.datatype));
  TANDEM_RETURN_IF_ERROR(CheckShape(spec, input.shape));
  shape = input.shape;
  return BindBytes(blocks, request, index, spec, bytes);
}

absl::Status BindInputs(Blocks blocks, const InferRequest& request, const std::vector<TensorSpec>& specs,
                        std::vector<Shape>& shapes, Binding& binding) {
  shapes.resize(specs.size());
  binding.inputs.resize(specs.size());
  absl::InlinedVector<bool, 4> given(specs.size(), false);
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const absl::string_view name = request.inputs[i].name;
    const int at = Find(specs, name);
    if (at < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown input ", Quoted(name), "; the model has ", NamesOf(specs)));
    }
    if (given[at]) return absl::InvalidArgumentError(absl::StrCat("input ", Quoted(name), " is given twice"));
    given[at] = true;
    const absl::Status status = BindInput(blocks, request, i, specs[at], shapes[at], binding.inputs[at]);
    if (!status.ok()) return engine::WithContext(status, absl::StrCat("input ", Quoted(name)));
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    if (given[i]) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("input ", Quoted(specs[i].name), " is missing; the model has ", NamesOf(specs)));
  }
  return absl::OkStatus();
}

absl::Status BindOutputs(const InferRequest& request, const std::vector<TensorSpec>& specs, Binding& binding) {
  for (size_t i = 0; request.outputs.empty() && i < specs.size(); ++i) binding.outputs.push_back(static_cast<int>(i));
  for (absl::string_view name : request.outputs) {
    const int at = Find(specs, name);
    if (at < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown output ", Quoted(name), "; the model has ", NamesOf(specs)));
    }
    for (int earlier : binding.outputs) {
      if (earlier == at)
        return absl::InvalidArgumentError(absl::StrCat("output ", Quoted(name), " is asked for twice"));
    }
    binding.outputs.push_back(at);
  }
  return absl::OkStatus();
}

absl::Status BindRows(const std::vector<TensorSpec>& specs, const std::vector<Shape>& shapes, Binding& binding) {
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (shapes[i].empty() || shapes[i][0] < 1) {
      return absl::InvalidArgumentError(absl::StrCat("input ", Quoted(specs[i].name), ": expected a batch of at least ",
                                                     "1 row, got shape ", engine::ToString(shapes[i])));
    }
    if (shapes[i][0] != shapes[0][0]) {
      return absl::InvalidArgumentError(absl::StrCat("input ", Quoted(specs[i].name), ": expected ", shapes[0][0],
                                                     " rows as in input ", Quoted(specs[0].name), ", got ",
                                                     shapes[i][0]));
    }
  }
  if (!shapes.empty()) binding.rows = shapes[0][0];
  return absl::OkStatus();
}

}  // namespace

void CopyInput(Blocks blocks, const InputBytes& input, size_t offset, size_t size, char* to) {
  if (input.is_raw) {
    CopyRange(blocks, SubRange(blocks, input.raw, offset, size), to);
  } else {
    input.decoded.copy(to, size, offset);
  }
}

absl::Status Bind(Blocks blocks, const InferRequest& request, const engine::Model& model, bool shares_batch,
                  std::vector<Shape>& shapes, Binding& binding) {
  TANDEM_RETURN_IF_ERROR(CheckRawOrTyped(request));
  TANDEM_RETURN_IF_ERROR(BindInputs(blocks, request, model.inputs(), shapes, binding));
  TANDEM_RETURN_IF_ERROR(BindOutputs(request, model.outputs(), binding));
  if (shares_batch) TANDEM_RETURN_IF_ERROR(BindRows(model.inputs(), shapes, binding));
  return engine::CheckInputShapes(model, shapes);
}

}  // namespace tandem::rpc
