#include "server/rpc/wire_reader.h"

#include <algorithm>
#include <cstring>

namespace tandem::rpc {

Range Whole(Blocks blocks) {
  Range range;
  for (absl::string_view block : blocks) range.length += block.size();
  return range;
}

void CopyRange(Blocks blocks, const Range& range, char* to) {
  size_t block = range.block;
  size_t offset = range.offset;
  for (size_t left = range.length; left > 0; ++block, offset = 0) {
    const size_t n = std::min(left, blocks[block].size() - offset);
    std::memcpy(to, blocks[block].data() + offset, n);
    to += n;
    left -= n;
  }
}

Range SubRange(Blocks blocks, const Range& range, size_t offset, size_t length) {
  Range part{range.block, range.offset + offset, length};
  while (length > 0 && part.offset >= blocks[part.block].size()) part.offset -= blocks[part.block++].size();
  return part;
}

const char* Contiguous(Blocks blocks, const Range& range) {
  if (range.length == 0) return "";
  if (range.length > blocks[range.block].size() - range.offset) return nullptr;
  return blocks[range.block].data() + range.offset;
}

WireReader::WireReader(Blocks blocks, const Range& range) : blocks_(blocks), block_(range.block) {
  remaining_ = range.length;
  if (remaining_ == 0) return;
  at_ = blocks[block_].data() + range.offset;
  end_ = blocks[block_].data() + blocks[block_].size();
}

void WireReader::Fail() {
  ok_ = false;
  remaining_ = 0;
  value_pending_ = false;
}

uint8_t WireReader::Byte() {
  if (remaining_ == 0) {
    Fail();
    return 0;
  }
  while (at_ == end_) {
    ++block_;
    at_ = blocks_[block_].data();
    end_ = at_ + blocks_[block_].size();
  }
  --remaining_;
  return static_cast<uint8_t>(*at_++);
}

void WireReader::Advance(size_t n) {
  if (n > remaining_) return Fail();
  remaining_ -= n;
  while (n > static_cast<size_t>(end_ - at_)) {
    n -= static_cast<size_t>(end_ - at_);
    ++block_;
    at_ = blocks_[block_].data();
    end_ = at_ + blocks_[block_].size();
  }
  at_ += n;
}

void WireReader::ReadBytes(char* to, size_t n) {
  if (n > remaining_) {
    std::memset(to, 0, n);
    return Fail();
  }
  if (static_cast<size_t>(end_ - at_) >= n) {
    std::memcpy(to, at_, n);
    at_ += n;
    remaining_ -= n;
    return;
  }
  for (size_t i = 0; i < n; ++i) to[i] = static_cast<char>(Byte());
}

uint64_t WireReader::ReadVarint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    const uint8_t byte = Byte();
    if (!ok_) return 0;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  Fail();
  return 0;
}

uint32_t WireReader::ReadFixed32() {
  uint32_t value = 0;
  ReadBytes(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

uint64_t WireReader::ReadFixed64() {
  uint64_t value = 0;
  ReadBytes(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

bool WireReader::Next() {
  if (value_pending_) SkipValue();
  if (AtEnd()) return false;
  const uint64_t tag = ReadVarint();
  const uint64_t type = tag & 7;
  const bool known_type = type == 0 || type == 1 || type == 2 || type == 5;
  if (!ok_ || tag > UINT32_MAX || tag >> 3 == 0 || !known_type) {
    Fail();
    return false;
  }
  field_ = static_cast<uint32_t>(tag >> 3);
  type_ = static_cast<WireType>(type);
  value_pending_ = true;
  return true;
}

void WireReader::SkipValue() {
  switch (type_) {
    case WireType::kVarint:
      Varint();
      break;
    case WireType::kFixed64:
      Advance(8);
      break;
    case WireType::kFixed32:
      Advance(4);
      break;
    case WireType::kBytes:
      Payload();
      break;
  }
  value_pending_ = false;
}

uint64_t WireReader::Varint() {
  value_pending_ = false;
  return ReadVarint();
}

uint32_t WireReader::Fixed32() {
  value_pending_ = false;
  return ReadFixed32();
}

uint64_t WireReader::Fixed64() {
  value_pending_ = false;
  return ReadFixed64();
}

Range WireReader::Payload() {
  value_pending_ = false;
  const uint64_t length = ReadVarint();
  if (!ok_ || length > remaining_) {
    Fail();
    return {};
  }
  if (length == 0) return {};
  // A range starts within a block, never at the end of one.
  while (at_ == end_) {
    ++block_;
    at_ = blocks_[block_].data();
    end_ = at_ + blocks_[block_].size();
  }
  const Range range{block_, static_cast<size_t>(at_ - blocks_[block_].data()), static_cast<size_t>(length)};
  Advance(static_cast<size_t>(length));
  return range;
}

}  // namespace tandem::rpc
