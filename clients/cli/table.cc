#include "clients/cli/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tandem::cli {
namespace {

constexpr absl::string_view kGap = "  ";
constexpr absl::string_view kCut = "...";
// A column is still of use when it is this wide.
constexpr size_t kNarrowest = 8;

bool StartsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

// Characters, of UTF-8.
size_t WidthOf(absl::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), StartsCharacter));
}

// The first characters of `text`, `width` at most, the last of them showing when something is missing.
std::string Shortened(absl::string_view text, size_t width) {
  if (WidthOf(text) <= width) return std::string(text);
  size_t end = 0, characters = 0;
  while (end < text.size() && (!StartsCharacter(text[end]) || characters++ < width - kCut.size())) ++end;
  return absl::StrCat(text.substr(0, end), kCut);
}

}  // namespace

void Table::Add(std::vector<std::string> cells) {
  for (std::string& cell : cells) {
    std::replace_if(
        cell.begin(), cell.end(), [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); }, ' ');
  }
  rows_.push_back(std::move(cells));
}

std::string Table::ToText(size_t width) const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  while (width > 0) {
    const size_t total = std::accumulate(widths.begin(), widths.end(), (widths.size() - 1) * kGap.size());
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (total <= width || *widest <= kNarrowest) break;
    *widest = std::max(kNarrowest, *widest - std::min(*widest, total - width));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string cell = Shortened(row[i], widths[i]);
      absl::StrAppend(&line, i > 0 ? kGap : "", cell, std::string(widths[i] - WidthOf(cell), ' '));
    }
    absl::StripTrailingAsciiWhitespace(&line);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

size_t TerminalWidth() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace tandem::cli
