#include "server/rpc/infer_response.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace tandem::rpc {
namespace {

constexpr absl::string_view kVariantKey = "variant";

size_t VarintSize(uint64_t value) { return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7; }

// Every field number here is below 16: its tag is one byte.
size_t BytesFieldSize(size_t length) { return 1 + VarintSize(length) + length; }

// proto3 leaves empty strings out.
size_t TextFieldSize(absl::string_view text) { return text.empty() ? 0 : BytesFieldSize(text.size()); }

size_t ShapeSize(const engine::Shape& shape) {
  size_t size = 0;
  for (int64_t dim : shape) size += VarintSize(static_cast<uint64_t>(dim));
  return size;
}

size_t OutputSize(const OutputView& output) {
  return TextFieldSize(output.name) + TextFieldSize(output.datatype) +
         (output.shape.empty() ? 0 : BytesFieldSize(ShapeSize(output.shape)));
}

// parameters["variant"]: an InferParameter with string_param (3), in a map entry of key (1) and value (2).
size_t VariantEntrySize(absl::string_view variant) {
  return BytesFieldSize(kVariantKey.size()) + BytesFieldSize(BytesFieldSize(variant.size()));
}

class Writer {
 public:
  explicit Writer(char* to) : to_(to) {}

  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) *to_++ = static_cast<char>(value | 0x80);
    *to_++ = static_cast<char>(value);
  }
  // The tag and length of a length-delimited field.
  void Head(uint32_t field, size_t length) {
    *to_++ = static_cast<char>(field << 3 | 2);
    Varint(length);
  }
  void Bytes(uint32_t field, const void* data, size_t length) {
    Head(field, length);
    if (length > 0) std::memcpy(to_, data, length);
    to_ += length;
  }
  void Text(uint32_t field, absl::string_view text) {
    if (!text.empty()) Bytes(field, text.data(), text.size());
  }

 private:
  char* to_;
};

void EncodeOutput(const OutputView& output, Writer& writer) {
  writer.Head(5, OutputSize(output));
  writer.Text(1, output.name);
  writer.Text(2, output.datatype);
  if (output.shape.empty()) return;
  writer.Head(3, ShapeSize(output.shape));
  for (int64_t dim : output.shape) writer.Varint(static_cast<uint64_t>(dim));
}

}  // namespace

size_t EncodedSize(const InferResponse& response) {
  size_t size = TextFieldSize(response.model_name) + TextFieldSize(response.model_version) +
                TextFieldSize(response.id) + BytesFieldSize(VariantEntrySize(response.variant));
  for (const OutputView& output : response.outputs) {
    size += BytesFieldSize(OutputSize(output)) + BytesFieldSize(output.bytes);
  }
  return size;
}

std::vector<size_t> ValueOffsets(const InferResponse& response) {
  std::vector<size_t> offsets(response.outputs.size());
  // They are the last fields, in order.
  size_t end = EncodedSize(response);
  for (size_t i = offsets.size(); i-- > 0;) {
    offsets[i] = end - response.outputs[i].bytes;
    end -= BytesFieldSize(response.outputs[i].bytes);
  }
  return offsets;
}

void Encode(const InferResponse& response, char* to) {
  Writer writer(to);
  writer.Text(1, response.model_name);
  writer.Text(2, response.model_version);
  writer.Text(3, response.id);
  writer.Head(4, VariantEntrySize(response.variant));
  writer.Bytes(1, kVariantKey.data(), kVariantKey.size());
  writer.Head(2, BytesFieldSize(response.variant.size()));
  writer.Bytes(3, response.variant.data(), response.variant.size());
  for (const OutputView& output : response.outputs) EncodeOutput(output, writer);
  for (const OutputView& output : response.outputs) writer.Bytes(6, output.data, output.bytes);
}

std::string StreamHead(size_t size) {
  std::string head(1 + VarintSize(size), '\0');
  Writer(head.data()).Head(2, size);
  return head;
}

std::string EncodeStreamError(absl::string_view message, absl::string_view id) {
  // proto3 would leave out an empty text, and with it the fact that this is an error.
  if (message.empty()) message = "failed";
  std::string bytes(BytesFieldSize(message.size()) + BytesFieldSize(TextFieldSize(id)), '\0');
  Writer writer(bytes.data());
  writer.Text(1, message);
  writer.Head(2, TextFieldSize(id));
  writer.Text(3, id);
  return bytes;
}

}  // namespace tandem::rpc
