#include "server/metrics/utf8.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tandem::metrics {
namespace {

// Bytes of the well-formed sequence that `text`, which is not empty, begins with (The Unicode Standard, table 3-7); 0:
// there is none.
size_t SequenceLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // No longer form than needed, no surrogates, nothing above U+10FFFF.
  const unsigned lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// Nearly every exposition is.
bool IsAscii(absl::string_view text) {
  unsigned char bits = 0;
  for (char c : text) bits |= static_cast<unsigned char>(c);
  return bits < 0x80;
}

}  // namespace

std::string EscapeInvalidUtf8(std::string text) {
  if (IsAscii(text)) return text;
  absl::string_view exposition = text;
  std::string escaped;
  escaped.reserve(exposition.size());
  while (!exposition.empty()) {
    const size_t length = SequenceLength(exposition);
    if (length > 0) {
      escaped.append(exposition.data(), length);
    } else {
      absl::StrAppend(&escaped, "\\\\x", absl::Hex(static_cast<unsigned char>(exposition.front()), absl::kZeroPad2));
    }
    exposition.remove_prefix(length > 0 ? length : 1);
  }
  return escaped;
}

}  // namespace tandem::metrics
