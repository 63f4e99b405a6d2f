#include "clients/cli/replicas.h"

#include <netdb.h>

#include <cstdio>
#include <memory>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace tandem::cli {
namespace {

struct HostPort {
  std::string host;
  std::string port;
};

// "HOST:PORT", with brackets around a host that has colons.
absl::StatusOr<HostPort> Split(absl::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || colon == 0 || colon + 1 == address.size()) {
    return absl::InvalidArgumentError(absl::StrCat("--address: expected HOST:PORT, not \"", address, "\""));
  }
  absl::string_view host = address.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return HostPort{std::string(host), std::string(address.substr(colon + 1))};
}

absl::Status Resolve(const HostPort& name, std::set<std::string>& found) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(name.host.c_str(), name.port.c_str(), &hints, &list);
  if (error != 0) return absl::NotFoundError(absl::StrCat("--address: ", name.host, ": ", gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, freeaddrinfo);
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    char host[NI_MAXHOST];
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    found.insert(entry->ai_family == AF_INET6 ? absl::StrCat("[", host, "]:", name.port)
                                              : absl::StrCat(host, ":", name.port));
  }
  return absl::OkStatus();
}

// How to call one of the replicas of `options`, whose certificate has the name that was asked for.
Options At(const Options& options, const std::string& replica) {
  Options one = options;
  one.address = replica;
  // A list has no one name.
  const auto name = Split(options.address);
  if (name.ok() && !absl::StrContains(options.address, ",")) one.server_name = name->host;
  return one;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ReplicasOf(const std::string& addresses) {
  std::set<std::string> found;
  for (const absl::string_view address : absl::StrSplit(addresses, ',')) {
    const auto name = Split(address);
    if (!name.ok()) return name.status();
    if (absl::Status status = Resolve(*name, found); !status.ok()) return status;
  }
  return std::vector<std::string>(found.begin(), found.end());
}

absl::Status RunOnAll(const Options& options, const Command& command) {
  const auto replicas = ReplicasOf(options.address);
  if (!replicas.ok()) return replicas.status();
  std::vector<std::string> failures;
  for (const std::string& replica : *replicas) {
    std::printf(options.json ? "{\"replica\": \"%s\"}\n" : "%s\n", replica.c_str());
    Connection connection(At(options, replica));
    const absl::Status status = command(connection);
    std::fflush(stdout);
    if (!status.ok()) failures.push_back(absl::StrCat(replica, ": ", status.message()));
  }
  if (failures.empty()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(failures.size(), " of ", replicas->size(), " replicas failed: ", absl::StrJoin(failures, "; ")));
}

}  // namespace tandem::cli
