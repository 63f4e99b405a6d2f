#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clients/cli/commands.h"
#include "clients/cli/text.h"

namespace tandem::cli {
namespace {

struct RouteOptions {
  std::string model;
  std::string mode;
  std::vector<std::string> weights;  // VARIANT=SHARE
  std::string shadow_rate;
  int64_t candidate = 0;
  std::string candidate_weight;
  bool force = false;
  int64_t to_version = 0;
  std::string why;
};

// Shows a response that has a route.
template <typename Response>
absl::Status Show(const Connection& connection, const absl::Status& status, const Response& response) {
  if (!status.ok()) return status;
  if (connection.options().json) {
    PrintJson(response);
    return status;
  }
  const v1::RouteState& route = response.route();
  std::string text = RouteText(route.effective());
  if (!route.candidate_problem().empty())
    absl::StrAppend(&text, "\nthe candidate takes no part: ", route.candidate_problem());
  if (route.has_override()) {
    const v1::Author& author = route.override().author();
    absl::StrAppend(&text, "\nset by ", author.who(), " at ", TimeText(author.when()),
                    author.why().empty() ? "" : absl::StrCat(": ", author.why()), "\nconfig.yaml has ",
                    RouteText(route.desired()));
  }
  std::puts(text.c_str());
  return status;
}

absl::Status Get(Connection& connection, const RouteOptions& options) {
  v1::GetRouteRequest request;
  request.set_model(options.model);
  v1::GetRouteResponse response;
  return Show(connection, connection.Call(&v1::Admin::Stub::GetRoute, request, response), response);
}

// What is wrong with a share on the command line; empty: nothing.
std::string CheckShare(const std::string& text) {
  const absl::StatusOr<double> share = ParseShare(text);
  return share.ok() ? "" : std::string(share.status().message());
}

std::pair<std::string, std::string> SplitWeight(absl::string_view text) {
  return absl::StrSplit(text, absl::MaxSplits('=', 1));
}

std::string CheckWeight(const std::string& text) { return CheckShare(SplitWeight(text).second); }

absl::Status AddWeight(absl::string_view text, v1::Route& route) {
  const std::pair<std::string, std::string> parts = SplitWeight(text);
  const absl::StatusOr<double> share = ParseShare(parts.second);
  if (!share.ok()) return share.status();
  if (!route.mutable_weights()->insert({parts.first, *share}).second) {
    return absl::InvalidArgumentError(absl::StrCat("--weight: ", parts.first, " is given twice"));
  }
  return absl::OkStatus();
}

absl::Status Set(Connection& connection, const RouteOptions& options) {
  v1::SetRouteRequest request;
  request.set_model(options.model);
  request.mutable_route()->set_mode(options.mode);
  for (const std::string& weight : options.weights) {
    if (absl::Status status = AddWeight(weight, *request.mutable_route()); !status.ok()) return status;
  }
  if (!options.shadow_rate.empty()) {
    const absl::StatusOr<double> share = ParseShare(options.shadow_rate);
    if (!share.ok()) return share.status();
    request.mutable_route()->set_shadow_rate(*share);
  }
  request.mutable_route()->set_candidate_version(options.candidate);
  if (!options.candidate_weight.empty()) {
    const absl::StatusOr<double> share = ParseShare(options.candidate_weight);
    if (!share.ok()) return share.status();
    request.mutable_route()->set_candidate_weight(*share);
  }
  *request.mutable_note() = connection.Note(options.why);
  v1::SetRouteResponse response;
  return Show(connection, connection.Call(&v1::Admin::Stub::SetRoute, request, response), response);
}

absl::Status Clear(Connection& connection, const RouteOptions& options) {
  v1::ClearRouteRequest request;
  request.set_model(options.model);
  *request.mutable_note() = connection.Note(options.why);
  v1::ClearRouteResponse response;
  return Show(connection, connection.Call(&v1::Admin::Stub::ClearRoute, request, response), response);
}

// Shows a response that has a version.
template <typename Response>
absl::Status ShowVersion(const Connection& connection, const absl::Status& status, const Response& response) {
  if (!status.ok()) return status;
  if (connection.options().json) {
    PrintJson(response);
  } else {
    const v1::Version& version = response.version();
    std::puts(absl::StrCat("version ", version.number(), " answers in ", version.answering_variant()).c_str());
  }
  return status;
}

absl::Status Promote(Connection& connection, const RouteOptions& options) {
  v1::PromoteRequest request;
  request.set_model(options.model);
  request.set_force(options.force);
  *request.mutable_note() = connection.Note(options.why);
  v1::PromoteResponse response;
  return ShowVersion(connection, connection.Call(&v1::Admin::Stub::Promote, request, response), response);
}

absl::Status Rollback(Connection& connection, const RouteOptions& options) {
  v1::RollbackRequest request;
  request.set_model(options.model);
  request.set_to_version(options.to_version);
  *request.mutable_note() = connection.Note(options.why);
  v1::RollbackResponse response;
  return ShowVersion(connection, connection.Call(&v1::Admin::Stub::Rollback, request, response), response);
}

absl::Status Demote(Connection& connection, const RouteOptions& options) {
  v1::DemoteRequest request;
  request.set_model(options.model);
  *request.mutable_note() = connection.Note(options.why);
  v1::DemoteResponse response;
  return ShowVersion(connection, connection.Call(&v1::Admin::Stub::Demote, request, response), response);
}

using Action = absl::Status (*)(Connection&, const RouteOptions&);

// A command about one model; its options are filled in place.
std::pair<CLI::App*, std::shared_ptr<RouteOptions>> AddOne(CLI::App& app, Command& chosen, const char* name,
                                                           const char* help, Action action) {
  CLI::App* command = app.add_subcommand(name, help);
  const auto options = std::make_shared<RouteOptions>();
  command->add_option("MODEL", options->model, "The model's name")->required();
  command->callback([&chosen, options, action] {
    chosen = [options, action](Connection& connection) { return action(connection, *options); };
  });
  return {command, options};
}

void AddWhy(CLI::App* command, RouteOptions& options) {
  command->add_option("--why", options.why, "What for, for the history")->type_name("TEXT");
}

}  // namespace

void AddRoute(CLI::App& app, Command& chosen) {
  CLI::App* route = app.add_subcommand("route", "How requests choose between fp32 and int8, or between two versions");
  route->require_subcommand(1);
  AddOne(*route, chosen, "show", "The route of a model, and who set it", Get);
  const auto [set, set_options] =
      AddOne(*route, chosen, "set", "Override the route of a model's config.yaml on this server", Set);
  set->add_option("MODE", set_options->mode, "fp32, int8, split, shadow or auto")
      ->required()
      ->check(CLI::IsMember({"fp32", "int8", "split", "shadow", "auto"}));
  set->add_option("--weight", set_options->weights, "split: the share of a variant, as int8=10%; may be repeated")
      ->type_name("VARIANT=SHARE")
      ->check(CheckWeight)
      ->allow_extra_args(false);
  set->add_option("--shadow-rate", set_options->shadow_rate, "shadow and auto: the share that is compared")
      ->type_name("SHARE")
      ->check(CheckShare);
  set->add_option("--candidate", set_options->candidate,
                  "split and shadow between versions: the one beside the newest other one")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  set->add_option("--candidate-weight", set_options->candidate_weight,
                  "split between versions: the share that the candidate answers")
      ->type_name("SHARE")
      ->check(CheckShare);
  AddWhy(set, *set_options);
  const auto [clear, clear_options] = AddOne(*route, chosen, "clear", "Go by config.yaml again", Clear);
  AddWhy(clear, *clear_options);
  const auto [promote, promote_options] =
      AddOne(app, chosen, "promote", "By the route auto, let int8 answer, and watch it", Promote);
  promote->add_flag("--force", promote_options->force, "Even if it is not proven; the history says so");
  AddWhy(promote, *promote_options);
  const auto [demote, demote_options] =
      AddOne(app, chosen, "demote", "By the route auto, let fp32 answer again", Demote);
  AddWhy(demote, *demote_options);
  const auto [rollback, rollback_options] =
      AddOne(app, chosen, "rollback", "Let the version before the one that serves take its place", Rollback);
  rollback->add_option("--to", rollback_options->to_version, "The version to go back to [the one before]")
      ->type_name("N");
  AddWhy(rollback, *rollback_options);
}

}  // namespace tandem::cli
