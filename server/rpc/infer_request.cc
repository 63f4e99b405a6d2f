#include "server/rpc/infer_request.h"

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
        TANDEM_RETURN_IF_ERROR(TensorParameter(reader.Payload(), input.name));
      } else if (reader.Is(5, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(CheckCount(input.contents.size(), "contents"));
        input.contents.push_back(reader.Payload());
      }
    }
    return Done(reader, "InferInputTensor");
  }

  absl::Status Output(const Range& range, absl::string_view& name) {
    WireReader reader(blocks_, range);
    while (reader.Next()) {
      if (reader.Is(1, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(Text(reader, name));
      } else if (reader.Is(2, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(TensorParameter(reader.Payload(), name));
      }
    }
    return Done(reader, "InferRequestedOutputTensor");
  }

  // A map entry: key = 1, value = 2 (InferParameter). `value` is empty where none was given.
  struct Entry {
    absl::string_view key;
    Range value;
  };
  absl::Status MapEntry(const Range& range, Entry& entry) {
    WireReader reader(blocks_, range);
    while (reader.Next()) {
      if (reader.Is(1, WireType::kBytes)) {
        TANDEM_RETURN_IF_ERROR(Text(reader, entry.key));
      } else if (reader.Is(2, WireType::kBytes)) {
        entry.value = reader.Payload();
      }
    }
    return Done(reader, "parameters");
  }

  absl::Status RequestParameter(const Range& range) {
    Entry entry;
    TANDEM_RETURN_IF_ERROR(MapEntry(range, entry));
    if (entry.key != "variant") return absl::OkStatus();
    WireReader reader(blocks_, entry.value);
    bool is_text = false;
    while (reader.Next()) {
      is_text = reader.Is(3, WireType::kBytes);
      if (is_text) TANDEM_RETURN_IF_ERROR(Text(reader, request_.variant));
    }
    TANDEM_RETURN_IF_ERROR(Done(reader, "InferParameter"));
    if (is_text && !request_.variant.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("parameter \"variant\": expected a string such as \"fp32\"");
  }

  absl::Status TensorParameter(const Range& range, absl::string_view tensor) {
    Entry entry;
    TANDEM_RETURN_IF_ERROR(MapEntry(range, entry));
    if (entry.key == "classification" || entry.key == "shared_memory_region") {
      return absl::UnimplementedError(
          absl::StrCat("tensor ", Quoted(tensor), ": the ", entry.key, " extension is not served"));
    }
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
