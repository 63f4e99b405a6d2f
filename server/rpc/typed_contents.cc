#include "server/rpc/typed_contents.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/status.h"
#include "server/rpc/datatype.h"

namespace tandem::rpc {
namespace {

using engine::DataType;

// How one datatype is written: the field of InferTensorContents, its wire type, and the range of its integers.
struct Encoding {
  uint32_t field = 0;
  absl::string_view field_name;
  WireType wire = WireType::kVarint;
  bool is_signed = false;
  int64_t low = 0;
  uint64_t high = 0;
};

template <typename T>
Encoding Signed(uint32_t field, absl::string_view name) {
  return {field,
          name,
          WireType::kVarint,
          true,
          std::numeric_limits<T>::min(),
          static_cast<uint64_t>(std::numeric_limits<T>::max())};
}

template <typename T>
Encoding Unsigned(uint32_t field, absl::string_view name) {
  return {field, name, WireType::kVarint, false, 0, std::numeric_limits<T>::max()};
}

absl::StatusOr<Encoding> EncodingOf(DataType type) {
  switch (type) {
    case DataType::kBool:
      return Encoding{1, "bool_contents", WireType::kVarint, false, 0, 1};
    case DataType::kInt8:
      return Signed<int8_t>(2, "int_contents");
    case DataType::kInt16:
      return Signed<int16_t>(2, "int_contents");
    case DataType::kInt32:
      return Signed<int32_t>(2, "int_contents");
    case DataType::kInt64:
      return Signed<int64_t>(3, "int64_contents");
    case DataType::kUInt8:
      return Unsigned<uint8_t>(4, "uint_contents");
    case DataType::kUInt16:
      return Unsigned<uint16_t>(4, "uint_contents");
    case DataType::kUInt32:
      return Unsigned<uint32_t>(4, "uint_contents");
    case DataType::kUInt64:
      return Unsigned<uint64_t>(5, "uint64_contents");
    case DataType::kFloat32:
      return Encoding{6, "fp32_contents", WireType::kFixed32};
    case DataType::kFloat64:
      return Encoding{7, "fp64_contents", WireType::kFixed64};
    default:
      return absl::InvalidArgumentError(
          absl::StrCat(WireName(type), " values must be given in raw_input_contents, not in contents"));
  }
}

class Decoder {
 public:
  Decoder(Blocks blocks, DataType type, const Encoding& encoding, size_t elements)
      : blocks_(blocks), type_(type), size_(engine::SizeOf(type)), encoding_(encoding), elements_(elements) {}

  absl::Status Message(const Range& range) {
    WireReader reader(blocks_, range);
    while (reader.Next()) {
      if (reader.field() > 8) continue;
      if (reader.field() != encoding_.field) {
        return absl::InvalidArgumentError(absl::StrCat(WireName(type_), " values belong in ", encoding_.field_name));
      }
      if (reader.type() == WireType::kBytes) {
        TANDEM_RETURN_IF_ERROR(Packed(reader.Payload()));
      } else if (reader.type() == encoding_.wire) {
        TANDEM_RETURN_IF_ERROR(Value(One(reader)));
      }
    }
    return reader.ok() ? absl::OkStatus() : absl::InvalidArgumentError("malformed contents");
  }

  size_t count() const { return bytes_.size() / size_; }
  std::string Take() { return std::move(bytes_); }

 private:
  absl::Status Packed(const Range& range) {
    if (encoding_.wire != WireType::kVarint) {
      if (range.length % size_ != 0) return absl::InvalidArgumentError("malformed contents");
      if (range.length / size_ > elements_ - count()) return TooMany();
      const size_t at = bytes_.size();
      bytes_.resize(at + range.length);
      CopyRange(blocks_, range, bytes_.data() + at);
      return absl::OkStatus();
    }
    WireReader values(blocks_, range);
    while (!values.AtEnd()) {
      const uint64_t value = values.ReadVarint();
      if (values.ok()) TANDEM_RETURN_IF_ERROR(Value(value));
    }
    return values.ok() ? absl::OkStatus() : absl::InvalidArgumentError("malformed contents");
  }

  uint64_t One(WireReader& reader) const {
    if (encoding_.wire == WireType::kFixed32) return reader.Fixed32();
    if (encoding_.wire == WireType::kFixed64) return reader.Fixed64();
    return reader.Varint();
  }

  // Appends one value, given as its bits: floats as they are, integers widened to 64 bits.
  absl::Status Value(uint64_t bits) {
    if (count() >= elements_) return TooMany();
    if (encoding_.wire == WireType::kVarint && type_ != DataType::kBool) TANDEM_RETURN_IF_ERROR(CheckFits(bits));
    if (type_ == DataType::kBool) bits = bits != 0;
    // Little-endian: the low bytes are the narrower value.
    bytes_.append(reinterpret_cast<const char*>(&bits), size_);
    return absl::OkStatus();
  }

  absl::Status CheckFits(uint64_t bits) const {
    const int64_t value = static_cast<int64_t>(bits);
    const bool fits = encoding_.is_signed ? value >= encoding_.low && value <= static_cast<int64_t>(encoding_.high)
                                          : bits <= encoding_.high;
    if (fits) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "value ", encoding_.is_signed ? absl::StrCat(value) : absl::StrCat(bits), " does not fit ", WireName(type_)));
  }

  absl::Status TooMany() const {
    return absl::InvalidArgumentError(
        absl::StrCat("expected ", elements_, " values in ", encoding_.field_name, ", got more"));
  }

  Blocks blocks_;
  const DataType type_;
  const size_t size_;
  const Encoding& encoding_;
  const size_t elements_;
  std::string bytes_;
};

}  // namespace

absl::StatusOr<std::string> DecodeContents(Blocks blocks, absl::Span<const Range> contents, DataType type,
                                           int64_t elements) {
  TANDEM_ASSIGN_OR_RETURN(const Encoding encoding, EncodingOf(type));
  Decoder decoder(blocks, type, encoding, static_cast<size_t>(elements));
  for (const Range& range : contents) TANDEM_RETURN_IF_ERROR(decoder.Message(range));
  if (decoder.count() != static_cast<size_t>(elements)) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected ", elements, " values in ", encoding.field_name, ", got ", decoder.count()));
  }
  return decoder.Take();
}

}  // namespace tandem::rpc
