#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace tandem::cli {
namespace {

struct HistoryOptions {
  std::string model;
  std::string kind;
  int64_t limit = 20;
  int64_t before_id = 0;
};

absl::Status History(Connection& connection, const HistoryOptions& options) {
  v1::GetHistoryRequest request;
  request.set_model(options.model);
  request.set_kind(options.kind);
  request.set_limit(options.limit);
  request.set_before_id(options.before_id);
  v1::GetHistoryResponse response;
  absl::Status status = connection.Call(&v1::Admin::Stub::GetHistory, request, response);
  if (!status.ok()) return status;
  if (connection.options().json) {
    PrintJson(response);
    return status;
  }
  Table table({"ID", "TIME", "MODEL", "VERSION", "KIND", "WHO", "WHY", "DETAIL"});
  for (const v1::Event& event : response.events()) {
    table.Add({absl::StrCat(event.id()), TimeText(event.author().when()), event.model(),
               event.version() == 0 ? "-" : absl::StrCat(event.version()), event.kind(), event.author().who(),
               event.author().why(), event.detail_json() == "{}" ? "" : event.detail_json()});
  }
  std::fputs(table.ToText(TerminalWidth()).c_str(), stdout);
  return status;
}

}  // namespace

void AddHistory(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("history", "What has happened, newest first");
  const auto options = std::make_shared<HistoryOptions>();
  command->add_option("MODEL", options->model, "Of this model alone");
  command->add_option("--kind", options->kind, "Only events of this kind: route, promote, published, int8, ...")
      ->type_name("KIND");
  command->add_option("--limit", options->limit, "How many, at most 1000 [20]")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  command->add_option("--before", options->before_id, "Only events older than the one with this id")->type_name("ID");
  command->callback(
      [&chosen, options] { chosen = [options](Connection& connection) { return History(connection, *options); }; });
}

}  // namespace tandem::cli
