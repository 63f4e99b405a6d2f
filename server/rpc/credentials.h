// Credentials of a gRPC port: plain text, or TLS from PEM files that are read again when they change.
//
// Replace a certificate and its key together, as by renaming a folder or a symbolic link to it: new connections get
// the new one within seconds, open ones go on.
#ifndef TANDEM_SERVER_RPC_CREDENTIALS_H_
#define TANDEM_SERVER_RPC_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tandem::rpc {

struct TlsFiles {
  std::string certificate;  // of the server, and the chain to its root; empty: plain text
  std::string key;          // its private key, without a password
  std::string client_ca;    // if set, clients must show a certificate that one of these has signed
};

// INVALID_ARGUMENT names the file that cannot be read, is no PEM, or does not fit the other.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(const TlsFiles& files);

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_CREDENTIALS_H_
