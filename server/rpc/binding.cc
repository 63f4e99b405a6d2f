#include "server/rpc/binding.h"

#include <algorithm>
#include <limits>
#include <utility>

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

// The region that a tensor is in, when it reaches as far.
absl::StatusOr<shared_memory::RegionHandle> BindMemory(const InferRequest::Memory& memory,
                                                       const shared_memory::Regions* regions) {
  if (regions == nullptr) {
    return absl::PermissionDeniedError("shared memory is off: the server was not started with --shared-memory");
  }
  TANDEM_ASSIGN_OR_RETURN(shared_memory::RegionHandle region, regions->Find(memory.region));
  TANDEM_RETURN_IF_ERROR(region->CheckRange(memory.offset, memory.byte_size));
  return region;
}

absl::Status CheckBytes(const TensorSpec& spec, const Shape& shape, size_t expected, uint64_t given) {
  if (given == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("expected ", expected, " bytes for ", WireName(spec.type),
                                                 engine::ToString(shape), ", got ", given));
}

absl::Status BindShared(const InferRequest::Input& input, const TensorSpec& spec, const shared_memory::Regions* regions,
                        size_t bytes, InputBytes& target) {
  TANDEM_ASSIGN_OR_RETURN(target.region, BindMemory(input.memory, regions));
  target.region_offset = input.memory.offset;
  if (bytes > regions->options().max_input_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("expected at most ", regions->options().max_input_bytes,
                                                   " bytes (max_message_size), got ", bytes));
  }
  return CheckBytes(spec, input.shape, bytes, input.memory.byte_size);
}

// `raw`: the input's place among raw_input_contents, if there are any.
absl::Status BindBytes(Blocks blocks, const InferRequest& request, const InferRequest::Input& input, size_t raw,
                       const TensorSpec& spec, const shared_memory::Regions* regions, InputBytes& target) {
  TANDEM_ASSIGN_OR_RETURN(const size_t bytes, BytesOf(spec, input.shape));
  if (!input.memory.region.empty()) return BindShared(input, spec, regions, bytes, target);
  if (!request.raw.empty()) {
    target.raw = request.raw[raw];
    return CheckBytes(spec, input.shape, bytes, target.raw.length);
  }
  const int64_t elements = static_cast<int64_t>(bytes / engine::SizeOf(spec.type));
  TANDEM_ASSIGN_OR_RETURN(target.decoded, DecodeContents(blocks, input.contents, spec.type, elements));
  target.is_raw = false;
  return absl::OkStatus();
}

// Each input has its values in one place.
absl::Status CheckPlaces(const InferRequest& request) {
  size_t in_message = 0;
  for (const InferRequest::Input& input : request.inputs) {
    const bool shared = !input.memory.region.empty();
    if (!shared) ++in_message;
    if (input.contents.empty() || (request.raw.empty() && !shared)) continue;
    return absl::InvalidArgumentError(absl::StrCat("input ", Quoted(input.name),
                                                   ": values are given both in contents and in ",
                                                   shared ? "shared memory" : "raw_input_contents"));
  }
  if (request.raw.empty() || request.raw.size() == in_message) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "expected ", in_message, " raw_input_contents, one an input in the message, got ", request.raw.size()));
}

absl::Status BindInputs(Blocks blocks, const InferRequest& request, const std::vector<TensorSpec>& specs,
                        const shared_memory::Regions* regions, std::vector<Shape>& shapes, Binding& binding) {
  shapes.resize(specs.size());
  binding.inputs.resize(specs.size());
  absl::InlinedVector<bool, 4> given(specs.size(), false);
  size_t raw = 0;
  for (const InferRequest::Input& input : request.inputs) {
    const int at = Find(specs, input.name);
    if (at < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown input ", Quoted(input.name), "; the model has ", NamesOf(specs)));
    }
    if (given[at]) return absl::InvalidArgumentError(absl::StrCat("input ", Quoted(input.name), " is given twice"));
    given[at] = true;
    absl::Status status = CheckDatatype(specs[at], input.datatype);
    if (status.ok()) status = CheckShape(specs[at], input.shape);
    if (status.ok()) status = BindBytes(blocks, request, input, raw, specs[at], regions, binding.inputs[at]);
    if (!status.ok()) return engine::WithContext(status, absl::StrCat("input ", Quoted(input.name)));
    shapes[at] = input.shape;
    if (input.memory.region.empty()) ++raw;
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    if (given[i]) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("input ", Quoted(specs[i].name), " is missing; the model has ", NamesOf(specs)));
  }
  return absl::OkStatus();
}

absl::Status BindOutputs(const InferRequest& request, const std::vector<TensorSpec>& specs,
                         const shared_memory::Regions* regions, Binding& binding) {
  for (size_t i = 0; request.outputs.empty() && i < specs.size(); ++i) {
    binding.outputs.push_back({.index = static_cast<int>(i)});
  }
  for (const InferRequest::Output& output : request.outputs) {
    const int at = Find(specs, output.name);
    if (at < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown output ", Quoted(output.name), "; the model has ", NamesOf(specs)));
    }
    for (const BoundOutput& earlier : binding.outputs) {
      if (earlier.index != at) continue;
      return absl::InvalidArgumentError(absl::StrCat("output ", Quoted(output.name), " is asked for twice"));
    }
    BoundOutput& bound = binding.outputs.emplace_back(BoundOutput{.index = at});
    if (output.memory.region.empty()) continue;
    auto region = BindMemory(output.memory, regions);
    if (!region.ok()) return engine::WithContext(region.status(), absl::StrCat("output ", Quoted(output.name)));
    bound.region = *std::move(region);
    bound.region_offset = output.memory.offset;
    bound.region_bytes = output.memory.byte_size;
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
                  const shared_memory::Regions* regions, std::vector<Shape>& shapes, Binding& binding) {
  TANDEM_RETURN_IF_ERROR(CheckPlaces(request));
  TANDEM_RETURN_IF_ERROR(BindInputs(blocks, request, model.inputs(), regions, shapes, binding));
  TANDEM_RETURN_IF_ERROR(BindOutputs(request, model.outputs(), regions, binding));
  if (shares_batch) TANDEM_RETURN_IF_ERROR(BindRows(model.inputs(), shapes, binding));
  return engine::CheckInputShapes(model, shapes);
}

}  // namespace tandem::rpc
