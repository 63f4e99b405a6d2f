// Writes protobuf bytes by hand: what no generated class would write, too.
#ifndef TANDEM_TESTS_SERVER_RPC_WIRE_BUILDER_H_
#define TANDEM_TESTS_SERVER_RPC_WIRE_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/rpc/wire_reader.h"

namespace tandem::rpc {

inline std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

inline std::string Field(uint32_t number, const std::string& payload) {
  return Varint(number << 3 | 2) + Varint(payload.size()) + payload;
}

inline std::string Number(uint32_t number, uint64_t value) { return Varint(number << 3) + Varint(value); }

template <typename T>
std::string Raw(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

inline std::string PackedVarints(const std::vector<int64_t>& values) {
  std::string bytes;
  for (int64_t value : values) bytes += Varint(static_cast<uint64_t>(value));
  return bytes;
}

// `bytes` cut into blocks of `size` bytes, an empty one in between.
inline std::vector<absl::string_view> Cut(const std::string& bytes, size_t size) {
  std::vector<absl::string_view> blocks;
  for (size_t at = 0; at < bytes.size(); at += size) {
    blocks.push_back(absl::string_view(bytes).substr(at, size));
    blocks.push_back("");
  }
  return blocks;
}

// An InferInputTensor.
inline std::string InputTensor(const std::string& name, const std::string& datatype, const std::vector<int64_t>& shape,
                               const std::string& contents = "") {
  return Field(1, name) + Field(2, datatype) + Field(3, PackedVarints(shape)) +
         (contents.empty() ? "" : Field(5, contents));
}

}  // namespace tandem::rpc

#endif  // TANDEM_TESTS_SERVER_RPC_WIRE_BUILDER_H_
