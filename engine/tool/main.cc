// tandem-model: the engine without a server.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "engine/tool/commands.h"

namespace {

using namespace tandem::engine;  // NOLINT(google-build-using-namespace): this file is the tool's whole surface

void AddOutputFormat(CLI::App& command, bool& json) {
  command
      .add_option_function<std::string>(
          "--output", [&json](const std::string& format) { json = format == "json"; }, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
}

void AddEvaluate(CLI::App& app, EvaluateOptions& options, absl::Status& status) {
  CLI::App& command =
      *app.add_subcommand("evaluate", "Score a model on labelled samples, or several beside each other");
  command.add_option("MODEL", options.model, "ONNX file")->required();
  command.add_option("OTHER", options.others, "Others of the same inputs and outputs, each compared with the first");
  command.add_option("--samples", options.samples, "Inputs by name (.npz), samples along the first axis")->required();
  command.add_option("--labels", options.labels, "The class of each sample (.npy)");
  command.add_option("--threads", options.threads, "Threads a run may use")->check(CLI::Range(1, 1024));
  AddOutputFormat(command, options.json);
  command.callback([&] { status = Evaluate(options); });
}

void AddQuantize(CLI::App& app, QuantizeCommandOptions& options, absl::Status& status) {
  CLI::App& command = *app.add_subcommand("quantize", "Build an int8 sibling of a model and judge it");
  QuantizeOptions& quantize = options.quantize;
  command.add_option("MODEL", options.model, "ONNX file in fp32")->required();
  command.add_option("--samples", options.samples, "Inputs by name (.npz), samples along the first axis")->required();
  command.add_option("--labels", options.labels, "The class of each sample (.npy)");
  command.add_option("--out", options.out, "Folder for model.onnx, report.json and report.md")->required();
  command
      .add_option("--method", options.methods,
                  "How numbers are quantized; given several times, or all: they are compared on one page")
      ->check(CLI::IsMember({"integer", "fixed_point", "binary", "all"}))
      ->allow_extra_args(false)
      ->capture_default_str();
  command.add_option("--metric", quantize.metric, "How a loss is measured; default: by labels and outputs")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Metric>{
          {"top1", Metric::kTop1}, {"agreement", Metric::kAgreement}, {"sqnr", Metric::kSqnr}}));
  command.add_option("--max-loss", quantize.max_loss, "Budget of top1 (0.01) and agreement (0.05)")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--min-db", quantize.min_db, "Budget of sqnr")->capture_default_str();
  command.add_option("--confidence", quantize.confidence, "Of the bounds on the loss")
      ->check(CLI::Range(0.5, 0.9999))
      ->capture_default_str();
  command.add_option("--seed", quantize.seed, "Draws the samples that calibrate")->capture_default_str();
  command.add_option("--threads", quantize.threads, "Threads a run may use")->check(CLI::Range(1, 1024));
  command.add_option("--times", options.times,
                     "Folder that keeps the times of layers, so that the same is chosen again; default: a cache");
  AddOutputFormat(command, options.json);
  command.callback([&] { status = QuantizeModel(options); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Inspects, runs and times ONNX models with Tandem's engine, without a server.", "tandem-model");
  app.require_subcommand(1);
  absl::Status status;

  InspectOptions inspect;
  CLI::App* command = app.add_subcommand("inspect", "Show inputs, outputs and, on demand, the plan of a model");
  command->add_option("MODEL", inspect.model, "ONNX file")->required();
  command->add_flag("--steps", inspect.steps, "Also list the steps of the plan");
  command->add_option("--shape", inspect.shapes, "NAME:1,3,224,224: the shape of an input, for --steps");
  AddOutputFormat(*command, inspect.json);
  command->callback([&] { status = Inspect(inspect); });

  RunOptions run;
  command = app.add_subcommand("run", "Run a model once");
  command->add_option("MODEL", run.model, "ONNX file")->required();
  command->add_option("--inputs", run.inputs, "Arrays by input name (.npz)")->required();
  command->add_option("--outputs", run.outputs, "Where to write the outputs (.npz)")->required();
  command->add_option("--threads", run.threads, "Threads a run may use")->check(CLI::Range(1, 1024));
  command->callback([&] { status = RunOnce(run); });

  BenchOptions bench;
  command = app.add_subcommand("bench", "Time whole calls, copies in and out included");
  command->add_option("MODEL", bench.model, "ONNX file")->required();
  command->add_option("--variant", bench.variant, "fp32, or int8: quantized once and kept in the cache folder")
      ->capture_default_str();
  command->add_option("--samples", bench.samples, "Arrays by input name (.npz); random values when absent");
  command->add_option("--threads", bench.threads, "Threads a run may use")->check(CLI::Range(1, 1024));
  command->add_option("--batch", bench.batch, "Size of free first dimensions")->check(CLI::Range(1, 1 << 20));
  command->add_option("--shape", bench.shapes, "NAME:1,3,48,320: the shape of an input");
  command->add_option("--seconds", bench.seconds, "How long to measure")->capture_default_str();
  command->add_flag("--profile", bench.profile, "First list the time of each step");
  AddOutputFormat(*command, bench.json);
  command->callback([&] { status = Bench(bench); });

  QuantizeCommandOptions quantize;
  AddQuantize(app, quantize, status);
  EvaluateOptions evaluate;
  AddEvaluate(app, evaluate, status);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "tandem-model: %s\n", std::string(status.message()).c_str());
  return 1;
}
