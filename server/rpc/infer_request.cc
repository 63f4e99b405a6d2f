#include "server/rpc/infer_request.h"

#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/status.h"

namespace tandem::rpc {
namespace {

// More of any of these than a model could have: refused before they cost memory.
constexpr size_t kMaxTensors = 4096;
constexpr size_t kMaxRank = 64;
// Names, versions, ids and parameter values.
constexpr size_t kMaxTextBytes = 1 << 16;

class Parser {
 public:
  Parser(Blocks blocks, InferRequest& request) : blocks_(blocks), request_(request) {}

  absl::Status Request() {
    WireReader reader(blocks_, Whole(blocks_));
    while (reader.Next()) {
      if (reader.type() != WireType::kBytes) continue;
      TANDEM_RETURN_IF_ERROR(RequestField(reader));
    }
    return Done(reader, "ModelInferRequest");
  }

 private:
  absl::Status RequestField(WireReader& reader) {
    switch (reader.field()) {
      case 1:
        return Text(reader, request_.model_name);
      case 2:
        return Text(reader, request_.model_version);
      case 3:
        return Text(reader, request_.id);
      case 4:
        return RequestParameter(reader.Payload());
      case 5:
        TANDEM_RETURN_IF_ERROR(CheckCount(request_.inputs.size(), "inputs"));
        return Input(reader.Payload(), request_.inputs.emplace_back());
      case 6:
        TANDEM_RETURN_IF_ERROR(CheckCount(request_.outputs.size(), "outputs"));
        return Output(reader.Payload(), request_.outputs.emplace_back());
      case 7:
        TANDEM_RETURN_IF_ERROR(CheckCount(request_.raw.size(), "raw_input_contents"));
        request_.raw.push_back(reader.Payload());
        return absl::OkStatus();
      default:
        return absl::OkStatus();
    }
  }

  absl::Status Input(const Range& range, InferRequest::Input& input) {
    WireReader reader(blocks_, range);
    while (reader.Next()) {
      if (reader.Is(1, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(Text(reader, input.name));
      } else if (reader.Is(2, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(Text(reader, input.datatype));
      } else if (reader.Is(3, WireType::kBytes)) {
        WireReader dims(blocks_, reader.Payload());
        while (!dims.AtEnd()) TANDEM_RETURN_IF_ERROR(Dimension(dims.ReadVarint(), input.shape));
        TANDEM_RETURN_IF_ERROR(Done(dims, "shape"));
      } else if (reader.Is(3, WireType::kVarint)) {
        TANDEM_RETURN_IF_ERROR(Dimension(reader.Varint(), input.shape));
      } else if (reader.Is(4, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(TensorParameter(reader.Payload(), input.name, input.memory));
      } else if (reader.Is(5, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(CheckCount(input.contents.size(), "contents"));
        input.contents.push_back(reader.Payload());
      }
    }
    return Done(reader, "InferInputTensor");
  }

  absl::Status Output(const Range& range, InferRequest::Output& output) {
    WireReader reader(blocks_, range);
    while (reader.Next()) {
      if (reader.Is(1, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(Text(reader, output.name));
      } else if (reader.Is(2, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(TensorParameter(reader.Payload(), output.name, output.memory));
      }
    }
    return Done(reader, "InferRequestedOutputTensor");
  }

  // A map entry (key = 1, value = 2) whose value is an InferParameter: a text (3), or an int64 (2) or uint64 (5).
  struct Parameter {
    absl::string_view key;
    std::optional<absl::string_view> text;
    std::optional<uint64_t> number;  // only if it is not negative
  };
  absl::Status ReadParameter(const Range& range, Parameter& parameter) {
    WireReader reader(blocks_, range);
    while (reader.Next()) {
      if (reader.Is(1, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(Text(reader, parameter.key));
      } else if (reader.Is(2, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(Value(reader.Payload(), parameter));
      }
    }
    return Done(reader, "parameters");
  }

  absl::Status Value(const Range& range, Parameter& parameter) {
    WireReader reader(blocks_, range);
    while (reader.Next()) {  // of several choices the last one counts
      parameter.text.reset();
      parameter.number.reset();
      if (reader.Is(3, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(Text(reader, parameter.text.emplace()));
      } else if (reader.Is(2, WireType::kVarint)) {
        const auto number = static_cast<int64_t>(reader.Varint());
        if (number >= 0) parameter.number = static_cast<uint64_t>(number);
      } else if (reader.Is(5, WireType::kVarint)) {
        parameter.number = reader.Varint();
      }
    }
    return Done(reader, "InferParameter");
  }

  absl::Status RequestParameter(const Range& range) {
    Parameter parameter;
    TANDEM_RETURN_IF_ERROR(ReadParameter(range, parameter));
    if (parameter.key == "variant") {
      request_.variant = parameter.text.value_or("");
      if (!request_.variant.empty()) return absl::OkStatus();
      return absl::InvalidArgumentError("parameter \"variant\": expected a string such as \"fp32\"");
    }
    if (parameter.key == "routing_key") {
      request_.routing_key = parameter.text.value_or("");
      if (!request_.routing_key.empty()) return absl::OkStatus();
      return absl::InvalidArgumentError("parameter \"routing_key\": expected a string that is not empty");
    }
    if (parameter.key == "priority") return Number(parameter, request_.priority);
    if (parameter.key == "timeout") return Number(parameter, request_.timeout_us);
    return absl::OkStatus();
  }

  static absl::Status Number(const Parameter& parameter, uint64_t& number) {
    if (!parameter.number.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("parameter ", Quoted(parameter.key), ": expected an integer of at least 0"));
    }
    number = *parameter.number;
    return absl::OkStatus();
  }

  absl::Status TensorParameter(const Range& range, absl::string_view tensor, InferRequest::Memory& memory) {
    Parameter parameter;
    TANDEM_RETURN_IF_ERROR(ReadParameter(range, parameter));
    if (parameter.key == "classification") {
      return absl::UnimplementedError(
          absl::StrCat("tensor ", Quoted(tensor), ": the classification extension is not served"));
    }
    if (parameter.key == "shared_memory_region") {
      memory.region = parameter.text.value_or("");
      if (!memory.region.empty()) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat("parameter ", Quoted(parameter.key), ": expected a name"));
    }
    if (parameter.key == "shared_memory_offset") return Number(parameter, memory.offset);
    if (parameter.key == "shared_memory_byte_size") return Number(parameter, memory.byte_size);
    return absl::OkStatus();
  }

  absl::Status Dimension(uint64_t value, engine::Shape& shape) {
    if (shape.size() >= kMaxRank) {
      return absl::InvalidArgumentError(absl::StrCat("a shape has more than ", kMaxRank, " dimensions"));
    }
    shape.push_back(static_cast<int64_t>(value));
    return absl::OkStatus();
  }

  absl::Status Text(WireReader& reader, absl::string_view& text) {
    const Range range = reader.Payload();
    if (range.length > kMaxTextBytes) {
      return absl::InvalidArgumentError(absl::StrCat("a name or parameter of ", range.length, " bytes is too long"));
    }
    if (const char* data = Contiguous(blocks_, range)) {
      text = absl::string_view(data, range.length);
      return absl::OkStatus();
    }
    request_.straddling.push_back(std::make_unique<std::string>(range.length, '\0'));
    std::string& copy = *request_.straddling.back();
    CopyRange(blocks_, range, copy.data());
    text = copy;
    return absl::OkStatus();
  }

  static absl::Status CheckCount(size_t count, absl::string_view what) {
    if (count < kMaxTensors) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxTensors, " ", what));
  }

  static absl::Status Done(const WireReader& reader, absl::string_view message) {
    if (reader.ok()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("malformed request: ", message, " is not valid protobuf"));
  }

  Blocks blocks_;
  InferRequest& request_;
};

}  // namespace

absl::Status ParseInferRequest(Blocks blocks, InferRequest& request) { return Parser(blocks, request).Request(); }

std::string Quoted(absl::string_view text) {
  constexpr size_t kShown = 120;
  const std::string escaped = absl::CHexEscape(text.substr(0, kShown));
  return absl::StrCat("\"", escaped, text.size() > kShown ? "..." : "", "\"");
}

}  // namespace tandem::rpc
