// WireReader: walks one protobuf message that lies in several blocks of memory, without copying it.
//
// Made for hostile bytes: every length is checked against what is left, and after the first malformation ok() is false
// and nothing more is read. Follows https://protobuf.dev/programming-guides/encoding; groups are malformed.
//
//   WireReader reader(blocks, Whole(blocks));
//   while (reader.Next()) {
//     if (reader.Is(1, WireType::kBytes)) name = reader.Payload();
//   }
//   if (!reader.ok()) ...
//
// A field whose value is not read is skipped by the next Next.
#ifndef TANDEM_SERVER_RPC_WIRE_READER_H_
#define TANDEM_SERVER_RPC_WIRE_READER_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace tandem::rpc {

using Blocks = absl::Span<const absl::string_view>;

// Bytes that may run over block borders: `length` bytes from `offset` in block `block`.
struct Range {
  size_t block = 0;
  size_t offset = 0;
  size_t length = 0;
};

Range Whole(Blocks blocks);
// Copies the bytes of `range` to `to`.
void CopyRange(Blocks blocks, const Range& range, char* to);
// `length` bytes of `range` from `offset`, which must lie within it.
Range SubRange(Blocks blocks, const Range& range, size_t offset, size_t length);
// The bytes of `range` in place when they lie in one block, else null.
const char* Contiguous(Blocks blocks, const Range& range);

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

class WireReader {
 public:
  // `range` must lie within `blocks`.
  WireReader(Blocks blocks, const Range& range);

  // Goes to the next field; false at the end of the message and when it is malformed.
  bool Next();
  bool Is(uint32_t field, WireType type) const { return field_ == field && type_ == type; }
  uint32_t field() const { return field_; }
  WireType type() const { return type_; }

  // The value of the current field, which must be of that wire type and is read once.
  uint64_t Varint();
  uint32_t Fixed32();
  uint64_t Fixed64();
  Range Payload();

  // For packed fields: a reader over the payload reads values one after the other until AtEnd.
  bool AtEnd() const { return remaining_ == 0 || !ok_; }
  uint64_t ReadVarint();
  uint32_t ReadFixed32();
  uint64_t ReadFixed64();

  bool ok() const { return ok_; }

 private:
  uint8_t Byte();
  void ReadBytes(char* to, size_t n);
  void Advance(size_t n);
  void SkipValue();
  void Fail();

  Blocks blocks_;
  size_t block_ = 0;
  const char* at_ = nullptr;
  const char* end_ = nullptr;  // of the current block
  size_t remaining_ = 0;       // of the message
  uint32_t field_ = 0;
  WireType type_ = WireType::kVarint;
  bool value_pending_ = false;
  bool ok_ = true;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_WIRE_READER_H_
