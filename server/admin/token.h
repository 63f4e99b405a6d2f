// Token: the secret that callers of the admin port show with every call, as `authorization: Bearer TOKEN`.
#ifndef TANDEM_SERVER_ADMIN_TOKEN_H_
#define TANDEM_SERVER_ADMIN_TOKEN_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tandem::admin {

class Token {
 public:
  // Admits everybody.
  Token() = default;
  // The contents of `file` but for white space around them. INVALID_ARGUMENT when they are too short to be a secret or
  // could not be sent, NOT_FOUND when the file cannot be read.
  static absl::StatusOr<Token> Read(const std::string& file);

  // UNAUTHENTICATED unless `authorization`, the header's value or nothing, shows the token. Takes the same time however
  // much of it is right.
  absl::Status Check(absl::string_view authorization) const;

 private:
  explicit Token(std::string header) : header_(std::move(header)) {}

  std::string header_;  // as it must be sent; empty: none is asked for
};

}  // namespace tandem::admin

#endif  // TANDEM_SERVER_ADMIN_TOKEN_H_
