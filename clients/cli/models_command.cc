#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/cli/commands.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace tandem::cli {
namespace {

struct ModelsOptions {
  std::string model;
  std::string why;
};

std::string RouteCell(const v1::RouteState& route) {
  return absl::StrCat(RouteText(route.effective()), route.has_override() ? ", overridden" : "");
}

// The state, and whether the route compares the version with the one that serves.
std::string StateText(const v1::Model& model, const v1::Version& version) {
  const bool candidate = model.route().effective().candidate_version() == version.number();
  return absl::StrCat(version.state(), candidate ? ", candidate" : "");
}

std::string Int8Cell(const v1::Version& version) {
  for (const v1::Variant& variant : version.variants()) {
    if (variant.name() != "int8") continue;
    if (!variant.has_progress()) return variant.state();
    return absl::StrFormat("%s (%s, %.0f %%)", variant.state(), variant.progress().stage(),
                           variant.progress().done() * 100);
  }
  return "-";
}

absl::Status List(Connection& connection) {
  v1::ListModelsResponse response;
  absl::Status status = connection.Call(&v1::Admin::Stub::ListModels, v1::ListModelsRequest(), response);
  if (!status.ok()) return status;
  if (connection.options().json) {
    PrintJson(response);
    return status;
  }
  Table table({"MODEL", "VERSION", "STATE", "ROUTE", "ANSWERS", "INT8", "REASON"});
  for (const v1::Model& model : response.models()) {
    for (const v1::Version& version : model.versions()) {
      table.Add({model.name(), absl::StrCat(version.number()), StateText(model, version), RouteCell(model.route()),
                 version.answering_variant().empty() ? "-" : version.answering_variant(), Int8Cell(version),
                 version.reason()});
    }
  }
  std::fputs(table.ToText(TerminalWidth()).c_str(), stdout);
  return status;
}

void AppendVariant(const v1::Variant& variant, std::string& text) {
  absl::StrAppend(&text, "  ", variant.name(), "  ", variant.state());
  if (variant.loaded()) absl::StrAppend(&text, ", ", BytesText(variant.weight_bytes()), " of weights");
  if (!variant.reason().empty()) absl::StrAppend(&text, "\n        ", variant.reason());
  const v1::Verdict& verdict = variant.verdict();
  if (verdict.has_loss()) absl::StrAppend(&text, "\n        ", LossText(verdict.loss()));
  if (verdict.speedup() > 0) absl::StrAppendFormat(&text, "\n        %.2f times as fast as fp32", verdict.speedup());
  if (verdict.int8_layers() > 0) {
    absl::StrAppendFormat(&text, "\n        %d layers in int8, %d in fp32, by the method %s", verdict.int8_layers(),
                          verdict.fp32_layers(), verdict.method());
  }
  absl::StrAppend(&text, "\n");
}

std::string StatusText(const v1::Model& model) {
  std::string text = absl::StrCat("model ", model.name(), "\nroute ", RouteText(model.route().effective()), "\n");
  if (const std::string& problem = model.route().candidate_problem(); !problem.empty()) {
    absl::StrAppend(&text, "      the candidate takes no part: ", problem, "\n");
  }
  if (model.route().has_override()) {
    const v1::Author& author = model.route().override().author();
    absl::StrAppend(&text, "      set by ", author.who(), " at ", TimeText(author.when()),
                    author.why().empty() ? "" : absl::StrCat(": ", author.why()), "\n      config.yaml has ",
                    RouteText(model.route().desired()), "\n");
  }
  for (const v1::Version& version : model.versions()) {
    absl::StrAppend(&text, "version ", version.number(), " is ", StateText(model, version));
    if (!version.reason().empty()) absl::StrAppend(&text, ": ", version.reason());
    if (!version.answering_variant().empty()) absl::StrAppend(&text, ", answers in ", version.answering_variant());
    absl::StrAppend(&text, "\n");
    for (const v1::Variant& variant : version.variants()) AppendVariant(variant, text);
  }
  return text;
}

// Shows a response that has one model.
template <typename Response>
absl::Status Show(const Connection& connection, const absl::Status& status, const Response& response) {
  if (!status.ok()) return status;
  if (connection.options().json) {
    PrintJson(response);
  } else {
    std::fputs(StatusText(response.model()).c_str(), stdout);
  }
  return status;
}

absl::Status Status(Connection& connection, const ModelsOptions& options) {
  v1::GetModelRequest request;
  request.set_model(options.model);
  v1::GetModelResponse response;
  return Show(connection, connection.Call(&v1::Admin::Stub::GetModel, request, response), response);
}

absl::Status Load(Connection& connection, const ModelsOptions& options) {
  v1::LoadModelRequest request;
  request.set_model(options.model);
  *request.mutable_note() = connection.Note(options.why);
  v1::LoadModelResponse response;
  return Show(connection, connection.Call(&v1::Admin::Stub::LoadModel, request, response), response);
}

absl::Status Unload(Connection& connection, const ModelsOptions& options) {
  v1::UnloadModelRequest request;
  request.set_model(options.model);
  *request.mutable_note() = connection.Note(options.why);
  v1::UnloadModelResponse response;
  absl::Status status = connection.Call(&v1::Admin::Stub::UnloadModel, request, response);
  if (status.ok() && connection.options().json) PrintJson(response);
  return status;
}

using Action = absl::Status (*)(Connection&, const ModelsOptions&);

void AddOne(CLI::App& models, Command& chosen, const char* name, const char* help, Action action, bool changes) {
  CLI::App* command = models.add_subcommand(name, help);
  const auto options = std::make_shared<ModelsOptions>();
  command->add_option("MODEL", options->model, "The model's name")->required();
  if (changes) command->add_option("--why", options->why, "What for, for the history")->type_name("TEXT");
  command->callback([&chosen, options, action] {
    chosen = [options, action](Connection& connection) { return action(connection, *options); };
  });
}

}  // namespace

void AddModels(CLI::App& app, Command& chosen) {
  CLI::App* models = app.add_subcommand("models", "What is loaded, and load and unload it");
  models->require_subcommand(1);
  models->add_subcommand("list", "Every version of every model")->callback([&chosen] { chosen = List; });
  AddOne(*models, chosen, "status", "All about one model", Status, false);
  AddOne(*models, chosen, "load", "Load a model, or load it again after it failed or was unloaded", Load, true);
  AddOne(*models, chosen, "unload", "Take a model out of service until it is loaded again", Unload, true);
}

}  // namespace tandem::cli
