#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/evaluation_text.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/progress_bar.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"

namespace tandem::cli {
namespace {

// Of a file, in one message.
constexpr size_t kPiece = size_t{1} << 20;

struct EvaluateOptions {
  std::string model;
  std::vector<int64_t> versions;
  std::string samples;
  std::string labels;
};

using Stream = grpc::ClientReaderWriter<v1::EvaluateRequest, v1::EvaluateResponse>;
// Which field of a request a piece of a file goes into.
using Setter = void (*)(v1::EvaluateRequest&, std::string);

absl::Status CheckReadable(const std::string& path) {
  if (path.empty() || std::ifstream(path).peek() != std::ifstream::traits_type::eof()) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
}

// False when the server takes no more: the end of the call tells why.
bool Send(const std::string& path, Setter set, Stream& stream) {
  std::ifstream file(path, std::ios::binary);
  std::string piece(kPiece, '\0');
  while (file.read(piece.data(), kPiece) || file.gcount() > 0) {
    v1::EvaluateRequest request;
    set(request, piece.substr(0, static_cast<size_t>(file.gcount())));
    if (!stream.Write(request)) return false;
  }
  return true;
}

void SendAll(const EvaluateOptions& options, Stream& stream) {
  v1::EvaluateRequest request;
  request.mutable_subject()->set_model(options.model);
  request.mutable_subject()->mutable_versions()->Add(options.versions.begin(), options.versions.end());
  const Setter samples = [](v1::EvaluateRequest& message, std::string piece) { message.set_samples(std::move(piece)); };
  const Setter labels = [](v1::EvaluateRequest& message, std::string piece) { message.set_labels(std::move(piece)); };
  if (!stream.Write(request)) return;
  if (!options.samples.empty() && !Send(options.samples, samples, stream)) return;
  if (!options.labels.empty() && !Send(options.labels, labels, stream)) return;
  stream.WritesDone();
}

// Returns the last message's result.
v1::Evaluation Follow(const Connection& connection, Stream& stream) {
  v1::EvaluateResponse message;
  v1::Evaluation result;
  ProgressBar bar;
  while (stream.Read(&message)) {
    if (message.has_result()) result = message.result();
    if (connection.options().json) {
      PrintJsonLine(message);
    } else if (message.has_progress()) {
      bar.Show(message.progress());
    }
  }
  return result;
}

absl::Status Evaluate(Connection& connection, const EvaluateOptions& options) {
  for (const std::string& path : {options.samples, options.labels}) {
    if (absl::Status status = CheckReadable(path); !status.ok()) return status;
  }
  grpc::ClientContext context;
  const auto stream = connection.Prepared(context).Evaluate(&context);
  // The server ends an evaluation that nobody waits for.
  const Interrupt interrupt([&] { context.TryCancel(); });
  SendAll(options, *stream);
  const v1::Evaluation result = Follow(connection, *stream);
  absl::Status status = connection.ToStatus(stream->Finish());
  if (status.ok() && !connection.options().json) {
    std::fputs(EvaluationText(result, TerminalWidth()).c_str(), stdout);
  }
  return status;
}

}  // namespace

void AddEvaluate(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand(
      "evaluate", "Score the variants of a model on samples, beside each other: right answers, changes and times");
  const auto options = std::make_shared<EvaluateOptions>();
  command->add_option("MODEL", options->model, "The model's name")->required();
  command
      ->add_option("--version", options->versions,
                   "A version that is loaded; given several times, they are compared with the first [the newest that "
                   "serves]")
      ->type_name("N")
      ->allow_extra_args(false);
  CLI::Option* samples =
      command->add_option("--samples", options->samples, "Inputs by name, .npz [those beside the model on the server]")
          ->type_name("FILE");
  command->add_option("--labels", options->labels, "The class of each of these samples, .npy")
      ->type_name("FILE")
      ->needs(samples);
  command->callback(
      [&chosen, options] { chosen = [options](Connection& connection) { return Evaluate(connection, *options); }; });
}

}  // namespace tandem::cli
