#include "server/rpc/credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/status.h"

namespace tandem::rpc {
namespace {

// How often the files are looked at.
constexpr unsigned kRefreshSeconds = 1;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

absl::StatusOr<File> Open(const std::string& path) {
  File file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (file != nullptr) return file;
  return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be read: ", std::strerror(errno)));
}

// gRPC would tell of a bad file at the first handshake, and only the client.
absl::StatusOr<Certificate> ReadCertificate(const std::string& path) {
  TANDEM_ASSIGN_OR_RETURN(const File file, Open(path));
  Certificate certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
  ERR_clear_error();
  if (certificate != nullptr) return certificate;
  return absl::InvalidArgumentError(absl::StrCat(path, ": expected a certificate in PEM format"));
}

absl::StatusOr<Key> ReadKey(const std::string& path) {
  TANDEM_ASSIGN_OR_RETURN(const File file, Open(path));
  // Never asks the terminal for a password.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  Key key(PEM_read_PrivateKey(file.get(), nullptr, no_password, nullptr), &EVP_PKEY_free);
  ERR_clear_error();
  if (key != nullptr) return key;
  return absl::InvalidArgumentError(absl::StrCat(path, ": expected a private key in PEM format, without a password"));
}

absl::Status Check(const TlsFiles& files) {
  TANDEM_ASSIGN_OR_RETURN(const Certificate certificate, ReadCertificate(files.certificate));
  TANDEM_ASSIGN_OR_RETURN(const Key key, ReadKey(files.key));
  const bool fits = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!fits) {
    return absl::InvalidArgumentError(
        absl::StrCat(files.key, ": is not the key of the certificate ", files.certificate));
  }
  return files.client_ca.empty() ? absl::OkStatus() : ReadCertificate(files.client_ca).status();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(const TlsFiles& files) {
  if (files.certificate.empty()) return grpc::InsecureServerCredentials();
  TANDEM_RETURN_IF_ERROR(Check(files));
  namespace tls = grpc::experimental;
  tls::TlsServerCredentialsOptions options(std::make_shared<tls::FileWatcherCertificateProvider>(
      files.key, files.certificate, files.client_ca, kRefreshSeconds));
  options.watch_identity_key_cert_pairs();
  if (!files.client_ca.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return tls::TlsServerCredentials(options);
}

}  // namespace tandem::rpc
