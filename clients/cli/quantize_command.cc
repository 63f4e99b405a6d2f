#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/cli/commands.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/progress_bar.h"
#include "clients/cli/text.h"

namespace tandem::cli {
namespace {

struct QuantizeOptions {
  std::string model;
  int64_t version = 0;
  bool anew = false;
  bool cancel = false;
  std::string why;
};

absl::Status Cancel(Connection& connection, const QuantizeOptions& options) {
  v1::CancelQuantizeRequest request;
  request.set_model(options.model);
  request.set_version(options.version);
  *request.mutable_note() = connection.Note(options.why);
  v1::CancelQuantizeResponse response;
  return connection.Call(&v1::Admin::Stub::CancelQuantize, request, response);
}

void Show(const v1::Variant& result) {
  std::string text = absl::StrCat("int8 is ", result.state());
  if (!result.reason().empty()) absl::StrAppend(&text, ": ", result.reason());
  if (result.verdict().has_loss()) absl::StrAppend(&text, "\n", LossText(result.verdict().loss()));
  if (result.verdict().speedup() > 0) {
    absl::StrAppendFormat(&text, "\n%.2f times as fast as fp32", result.verdict().speedup());
  }
  std::puts(text.c_str());
}

absl::Status Quantize(Connection& connection, const QuantizeOptions& options) {
  if (options.cancel) return Cancel(connection, options);
  v1::QuantizeRequest request;
  request.set_model(options.model);
  request.set_version(options.version);
  request.set_anew(options.anew);
  *request.mutable_note() = connection.Note(options.why);
  grpc::ClientContext context;
  const auto reader = connection.Prepared(context).Quantize(&context, request);
  // The server ends the stream when the build ends.
  const Interrupt interrupt([&] { Cancel(connection, options).IgnoreError(); });
  v1::QuantizeResponse message;
  v1::Variant result;
  {
    ProgressBar bar;
    while (reader->Read(&message)) {
      if (message.has_result()) result = message.result();
      if (connection.options().json) {
        PrintJsonLine(message);
      } else if (message.has_progress()) {
        bar.Show(message.progress());
      }
    }
  }
  absl::Status status = connection.ToStatus(reader->Finish());
  if (status.ok() && !connection.options().json) Show(result);
  return status;
}

}  // namespace

void AddQuantize(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand(
      "quantize", "Build the int8 sibling of a model from the samples beside it, and show how far that is");
  const auto options = std::make_shared<QuantizeOptions>();
  command->add_option("MODEL", options->model, "The model's name")->required();
  command->add_option("--version", options->version, "The version [the newest that serves]")->type_name("N");
  command->add_flag("--anew", options->anew, "Build even if there is a sibling already");
  command->add_flag("--cancel", options->cancel, "End the build that runs, as Ctrl-C does");
  command->add_option("--why", options->why, "What for, for the history")->type_name("TEXT");
  command->callback(
      [&chosen, options] { chosen = [options](Connection& connection) { return Quantize(connection, *options); }; });
}

}  // namespace tandem::cli
