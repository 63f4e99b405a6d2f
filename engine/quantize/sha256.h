// SHA-256 (FIPS 180-4): names files by what they hold.
#ifndef TANDEM_ENGINE_QUANTIZE_SHA256_H_
#define TANDEM_ENGINE_QUANTIZE_SHA256_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tandem::engine {

class Sha256 {
 public:
  void Add(absl::string_view bytes);
  // The digest of all bytes so far, in lower-case hex; nothing may be added after it.
  std::string Finish();

 private:
  void Block(const unsigned char* block);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::string pending_;  // less than a block
  uint64_t length_ = 0;
};

// Of the bytes of all `paths`, one after the other.
absl::StatusOr<std::string> Sha256OfFiles(const std::vector<std::string>& paths);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_SHA256_H_
