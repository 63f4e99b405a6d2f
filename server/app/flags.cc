#include "server/app/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/version.h"

namespace tandem::app {
namespace {

using config::Arity;
using config::ServerConfig;
using config::Setting;

constexpr int kUsageError = 2;

constexpr char kDescription[] =
    "tandemd - serve ONNX models on CPUs\n\n"
    "Serves trained models over gRPC (the KServe v2 protocol as Triton's clients speak it). Models are named as "
    "files,\n"
    "each served under its base name as version 1, or found in repositories.";

constexpr char kFooter[] = R"(
REPOSITORY
  DIR/MODEL/VERSION/model.onnx   one version; VERSION is a positive number
  DIR/MODEL/VERSION/int8/        optional: a ready-made int8 sibling, model.onnx and perhaps report.json
  DIR/MODEL/samples/inputs.npz   optional, with labels.npy beside it: an int8 sibling is built from them
  DIR/MODEL/config.yaml          optional: max_batch_size, max_delay, max_queue_size, version_policy, keep_previous,
                                 quantization, route, outcomes

CONFIGURATION FILE
  --config FILE is YAML with the names of the options, dashes written as underscores, and `models` for the files:
    model_repository: [/models]
    grpc_address: 0.0.0.0:8001
  A flag wins over the file. Unknown keys are errors.

ENDPOINTS
  gRPC   inference.GRPCInferenceService, grpc.health.v1.Health, reflection
  HTTP   /metrics (Prometheus), /livez, /readyz
  admin  tandem.admin.v1.Admin, which tandemctl speaks, grpc.health.v1.Health, reflection

SIGNALS
  SIGTERM, SIGINT   stop being ready, finish what is in flight (--drain-timeout), close, exit with 0; a second one ends
                    the process at once

EXIT STATUS
  0  stopped by a signal     1  could not start, e.g. an address is in use     2  wrong usage or configuration

EXAMPLES
  tandemd mnist.onnx
  tandemd --model-repository /models --strict-readiness --log-format json
  tandemd mnist.onnx --grpc-address 127.0.0.1:0 --ready-file /run/tandem/ready.json)";

// What the flags said, in the order of the settings: each key with its values.
using Given = std::vector<std::pair<const Setting<ServerConfig>*, std::vector<std::string>>>;

std::string FlagName(const std::string& key) { return absl::StrCat("--", absl::StrReplaceAll(key, {{"_", "-"}})); }

void AddFlag(CLI::App& app, const Setting<ServerConfig>& setting, Given& given) {
  const Setting<ServerConfig>* key = &setting;
  if (setting.arity == Arity::kSwitch) {
    app.add_flag_callback(
        FlagName(setting.key),
        [key, &given] {
          given.push_back({key, {"true"}});
        },
        setting.help);
    return;
  }
  const bool positional = setting.key == "models";
  CLI::Option* option = app.add_option_function<std::vector<std::string>>(
      positional ? setting.value_name : FlagName(setting.key),
      [key, &given](const std::vector<std::string>& values) {
        given.push_back({key, values});
      },
      setting.help);
  option->type_name(positional ? "" : setting.value_name);
  if (!positional) option->allow_extra_args(false);
  if (setting.arity == Arity::kOne) option->expected(1)->take_last();
}

absl::Status ApplyGiven(const Given& given, ServerConfig& config) {
  for (const auto& [setting, values] : given) {
    if (setting->clear) setting->clear(config);
    for (const std::string& value : values) {
      const absl::Status status = setting->set(config, value);
      if (status.ok()) continue;
      const std::string name = setting->key == "models" ? setting->value_name : FlagName(setting->key);
      return absl::InvalidArgumentError(absl::StrCat(name, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status ApplyFile(const std::string& file, ServerConfig& config) {
  if (file.empty()) return absl::OkStatus();
  auto text = config::ReadFile(file);
  if (!text.ok()) return text.status();
  return config::ApplyYaml(config::ServerSettings(), *text, file, config);
}

// Files named by the operator must be there, and no two may want one name.
absl::Status CheckFiles(const ServerConfig& config) {
  std::set<std::string> names;
  for (const std::string& file : config.models) {
    if (!std::filesystem::is_regular_file(file)) return absl::NotFoundError(absl::StrCat(file, ": no such file"));
    const std::string name = std::filesystem::path(file).stem().string();
    if (!names.insert(name).second) {
      return absl::InvalidArgumentError(absl::StrCat(file, ": another file is served as model ", name, " already"));
    }
  }
  for (const std::string& folder : config.model_repositories) {
    if (!std::filesystem::is_directory(folder)) {
      return absl::NotFoundError(absl::StrCat("--model-repository: ", folder, " is not a folder"));
    }
  }
  return absl::OkStatus();
}

// CLI11 reports an unknown flag only as "not expected".
std::string Suggestion(const CLI::App& app) {
  std::vector<std::string> known = {"--config", "--help", "--version"};
  for (const auto& setting : config::ServerSettings()) known.push_back(FlagName(setting.key));
  for (const std::string& word : app.remaining()) {
    const std::string name = word.substr(0, word.find('='));
    if (name.rfind("--", 0) != 0) continue;
    const std::string nearest = config::Nearest(name, known);
    return absl::StrCat("unknown option ", name, nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?"));
  }
  return "";
}

Exit UsageError(absl::string_view message) {
  return {kUsageError, absl::StrCat("tandemd: ", message, "\nTry tandemd --help.\n")};
}

}  // namespace

std::variant<ServerConfig, Exit> ParseFlags(int argc, const char* const* argv) {
  CLI::App app(kDescription, "tandemd");
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  app.allow_extras();
  app.set_version_flag("--version", absl::StrCat("tandemd ", kTandemVersion), "Print the version and exit");
  std::string file;
  app.add_option("--config", file, "YAML file with any of these options; flags win")->type_name("FILE");
  Given given;
  for (const auto& setting : config::ServerSettings()) AddFlag(app, setting, given);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Exit{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return Exit{0, absl::StrCat("tandemd ", kTandemVersion, "\n")};
  } catch (const CLI::ParseError& error) {
    return UsageError(error.what());
  }
  if (const std::string unknown = Suggestion(app); !unknown.empty()) return UsageError(unknown);

  ServerConfig config;
  absl::Status status = ApplyFile(file, config);
  if (status.ok()) status = ApplyGiven(given, config);
  if (status.ok()) status = config::Validate(config);
  if (status.ok()) status = CheckFiles(config);
  if (!status.ok()) return UsageError(status.message());
  return config;
}

}  // namespace tandem::app
