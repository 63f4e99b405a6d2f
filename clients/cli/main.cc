// tandemctl: looks at a running server and changes it, through its admin port.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "clients/cli/commands.h"
#include "clients/cli/connection.h"
#include "clients/cli/replicas.h"
#include "clients/cpp/channel.h"

namespace {

using tandem::cli::Command;
using tandem::cli::Connection;
using tandem::cli::Options;
using tandem::client::TlsFiles;

constexpr int kFailed = 1;
constexpr int kUsageError = 2;

constexpr char kDescription[] = "tandemctl - look at a running tandemd and change it";

constexpr char kFooter[] = R"(
ENVIRONMENT
  TANDEM_ADDRESS   the server's admin address, where --address is not given
  TANDEM_TOKEN     the token that the server asks for (tandemd --admin-token-file)
  TANDEM_TLS_CA, TANDEM_TLS_CERT, TANDEM_TLS_KEY   files, where --tls-ca, --tls-cert and --tls-key are not given

EXIT STATUS
  0  done     1  refused or failed; one line on standard error says why     2  wrong usage

EXAMPLES
  tandemctl models list
  tandemctl quantize mnist
  tandemctl evaluate mnist --samples test.npz --labels test.npy
  tandemctl route set mnist split --weight int8=10% --why "first try"
  tandemctl history mnist --output json
  tandemctl models list --all --address tandem-replicas:8003)";

// Messages of servers may have several lines.
std::string OneLine(absl::string_view text) { return absl::StrReplaceAll(text, {{"\n", " "}, {"\r", " "}}); }

int Fail(int code, absl::string_view message, absl::string_view hint = "") {
  std::fputs(absl::StrCat("tandemctl: ", OneLine(message), "\n", hint).c_str(), stderr);
  return code;
}

void AddTls(CLI::App& app, TlsFiles& files) {
  app.add_option("--tls-ca", files.ca, "Speak TLS, with a server whose certificate one of these has signed")
      ->type_name("FILE")
      ->envname("TANDEM_TLS_CA");
  app.add_option("--tls-cert", files.cert, "Certificate to show to a server that asks for one")
      ->type_name("FILE")
      ->envname("TANDEM_TLS_CERT");
  app.add_option("--tls-key", files.key, "Private key of that certificate")
      ->type_name("FILE")
      ->envname("TANDEM_TLS_KEY");
}

// Fills `options` and `chosen` from the command line; returns the exit code when that is all there is to do, or -1.
int Parse(CLI::App& app, int argc, char** argv, Options& options) {
  std::string output = "text";
  TlsFiles tls;
  app.add_option("--address", options.address, "The server's admin address [127.0.0.1:8003]")
      ->type_name("HOST:PORT")
      ->envname("TANDEM_ADDRESS");
  app.add_flag("--all", options.all,
               "Ask every server that the address stands for: all that DNS has, all of a list with commas");
  AddTls(app, tls);
  app.add_option("--output", output, "text, for people, or json, for programs [text]")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::CallForVersion&) {
    std::puts("tandemctl " TANDEM_VERSION);
    return 0;
  } catch (const CLI::ParseError& error) {
    return Fail(kUsageError, error.what(), "Try tandemctl --help.\n");
  }
  if (tls.ca.empty() && !(tls.cert.empty() && tls.key.empty())) {
    return Fail(kUsageError, "--tls-cert and --tls-key are for TLS, which --tls-ca asks for");
  }
  if (!tls.ca.empty()) {
    const auto credentials = tandem::client::CredentialsOf(tls);
    if (!credentials.ok()) return Fail(kUsageError, credentials.status().message());
    options.credentials = *credentials;
  }
  options.json = output == "json";
  const char* token = std::getenv("TANDEM_TOKEN");
  if (token != nullptr) options.token = token;
  return -1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kDescription, "tandemctl");
  app.set_version_flag("--version", "tandemctl " TANDEM_VERSION, "Print the version and exit");
  app.require_subcommand(1);
  app.fallthrough();  // options of tandemctl may follow a command; commands inherit this
  app.get_formatter()->column_width(34);
  Command chosen;
  tandem::cli::AddModels(app, chosen);
  tandem::cli::AddQuantize(app, chosen);
  tandem::cli::AddEvaluate(app, chosen);
  tandem::cli::AddRoute(app, chosen);
  tandem::cli::AddCompare(app, chosen);
  tandem::cli::AddBench(app, chosen);
  tandem::cli::AddHealth(app, chosen);
  tandem::cli::AddHistory(app, chosen);
  tandem::cli::AddCompletion(app, chosen);
  app.footer(kFooter);  // not of its commands
  Options options;
  if (const int code = Parse(app, argc, argv, options); code >= 0) return code;
  Connection connection(options);
  const absl::Status status = options.all ? tandem::cli::RunOnAll(options, chosen) : chosen(connection);
  return status.ok() ? 0 : Fail(kFailed, status.message());
}
