#include "clients/cli/connection.h"

#include <pwd.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "clients/cpp/channel.h"

namespace tandem::cli {
namespace {

std::string UserName() {
  const passwd* user = getpwuid(geteuid());
  return user != nullptr ? user->pw_name : absl::StrCat(geteuid());
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

}  // namespace

v1::Admin::Stub& Connection::Prepared(grpc::ClientContext& context) {
  if (stub_ == nullptr) {
    stub_ = v1::Admin::NewStub(ChannelTo(options_.address));
  }
  if (!options_.token.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", options_.token));
  return *stub_;
}

std::shared_ptr<grpc::Channel> Connection::ChannelTo(const std::string& address) const {
  return client::OpenChannel(address, options_.credentials, options_.server_name);
}

absl::Status Connection::ToStatus(const grpc::Status& status) const {
  return ToStatus(status, absl::StrCat(options_.address, " (--address)"));
}

absl::Status Connection::ToStatus(const grpc::Status& status, const std::string& server) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  const std::string& message = status.error_message();
  // gRPC's own words, when there was nobody to say anything.
  const bool unreachable =
      code == absl::StatusCode::kUnavailable &&
      (absl::StrContains(message, "failed to connect") || absl::StrContains(message, "DNS resolution failed"));
  return absl::Status(code, unreachable ? absl::StrCat("cannot reach ", server, ": ", message) : message);
}

v1::ChangeNote Connection::Note(const std::string& why) const {
  v1::ChangeNote note;
  note.set_who(absl::StrCat(UserName(), "@", HostName()));
  note.set_why(why);
  return note;
}

}  // namespace tandem::cli
