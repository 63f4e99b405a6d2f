#include "server/admin/token.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "config/settings.h"
#include "engine/sha256.h"
#include "engine/status.h"

namespace tandem::admin {
namespace {

constexpr size_t kShortestToken = 16;

std::string Header(absl::string_view token) { return absl::StrCat("Bearer ", token); }

// Compares hashes, so that not even the length can be told from the time.
bool Equal(absl::string_view a, absl::string_view b) {
  const std::string hash_a = engine::Sha256Of(a), hash_b = engine::Sha256Of(b);
  unsigned difference = 0;
  for (size_t i = 0; i < hash_a.size(); ++i) difference |= static_cast<unsigned>(hash_a[i] ^ hash_b[i]);
  return difference == 0;
}

}  // namespace

absl::StatusOr<Token> Token::Read(const std::string& file) {
  TANDEM_ASSIGN_OR_RETURN(const std::string text, config::ReadFile(file));
  const absl::string_view token = absl::StripAsciiWhitespace(text);
  if (token.size() < kShortestToken) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": a token has ", kShortestToken, " characters at least, this one ", token.size()));
  }
  if (!std::all_of(token.begin(), token.end(), absl::ascii_isgraph)) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": a token has printable ASCII characters without spaces only"));
  }
  return Token(Header(token));
}

absl::Status Token::Check(absl::string_view authorization) const {
  if (header_.empty() || Equal(authorization, header_)) return absl::OkStatus();
  return absl::UnauthenticatedError(
      authorization.empty() ? "the admin service of this server asks for a token (authorization: Bearer ...)"
                            : "this is not the token of this server's admin service");
}

}  // namespace tandem::admin
