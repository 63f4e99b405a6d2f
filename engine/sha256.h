// SHA-256 (FIPS 180-4), for telling files apart by what is in them.
#ifndef TANDEM_ENGINE_SHA256_H_
#define TANDEM_ENGINE_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tandem::engine {

// Fed piece by piece.
class Sha256 {
 public:
  void Add(absl::string_view bytes);
  // The digest as lower-case hexadecimal; once, at the end.
  std::string Finish();

 private:
  void Block(const unsigned char* block);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> pending_{};
  size_t pending_size_ = 0;
  uint64_t total_ = 0;
};

std::string Sha256Of(absl::string_view bytes);
// NOT_FOUND when the file cannot be read.
absl::StatusOr<std::string> Sha256OfFile(const std::string& path);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_SHA256_H_
