#include <google/protobuf/struct.pb.h>
#include <grpcpp/create_channel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "clients/cli/commands.h"
#include "clients/cli/load.h"
#include "clients/cli/table.h"
#include "clients/cli/text.h"
#include "proto/inference.grpc.pb.h"

namespace tandem::cli {
namespace {

using inference::GRPCInferenceService;

// Variants take turns of this length, so that what else the machine does hits all alike.
constexpr std::chrono::seconds kTurn(1);

struct BenchOptions {
  std::string model;
  std::string address = "127.0.0.1:8001";
  std::string variant;  // empty: all that answer
  int clients = 8;
  int seconds = 5;
  std::vector<std::string> shapes;  // NAME:DIMS
};

// What is wrong with a shape on the command line; empty: nothing.
std::string CheckShape(const std::string& text) {
  Shapes ignored;
  return std::string(AddShape(text, ignored).message());
}

// What a request is sent to, in the order in which they take turns.
using Results = std::vector<std::pair<std::string, LoadResult>>;

absl::Status ToStatus(const grpc::Status& status, const BenchOptions& options) {
  return Connection::ToStatus(status, absl::StrCat(options.address, " (--grpc-address)"));
}

absl::StatusOr<std::vector<std::string>> Variants(GRPCInferenceService::Stub& stub, const BenchOptions& options) {
  if (!options.variant.empty()) return std::vector<std::string>{options.variant};
  inference::ModelConfigRequest request;
  request.set_name(options.model);
  inference::ModelConfigResponse response;
  grpc::ClientContext context;
  const absl::Status status = ToStatus(stub.ModelConfig(&context, request, &response), options);
  if (!status.ok()) return status;
  const auto& parameters = response.config().parameters();
  const auto found = parameters.find("variants");
  if (found == parameters.end()) return absl::UnimplementedError("the server does not tell which variants answer");
  return std::vector<std::string>(absl::StrSplit(found->second.string_value(), ','));
}

absl::StatusOr<Results> Measure(const Connection& connection, const BenchOptions& options) {
  Shapes shapes;
  for (const std::string& shape : options.shapes) {
    if (absl::Status status = AddShape(shape, shapes); !status.ok()) return status;
  }
  const auto stub = GRPCInferenceService::NewStub(connection.ChannelTo(options.address));
  inference::ModelMetadataRequest asked;
  asked.set_name(options.model);
  inference::ModelMetadataResponse metadata;
  grpc::ClientContext context;
  if (absl::Status status = ToStatus(stub->ModelMetadata(&context, asked, &metadata), options); !status.ok()) {
    return status;
  }
  absl::StatusOr<inference::ModelInferRequest> request = RandomRequest(metadata, shapes);
  if (!request.ok()) return request.status();
  const absl::StatusOr<std::vector<std::string>> variants = Variants(*stub, options);
  if (!variants.ok()) return variants.status();
  Results results;
  for (const std::string& variant : *variants) results.emplace_back(variant, LoadResult());
  for (int turn = 0; turn < options.seconds; ++turn) {
    for (auto& [variant, result] : results) {
      (*request->mutable_parameters())["variant"].set_string_param(variant);
      SendLoad(*stub, *request, options.clients, kTurn, result);
    }
  }
  for (auto& [variant, result] : results) {
    std::sort(result.seconds.begin(), result.seconds.end());
    if (result.seconds.empty()) return absl::UnavailableError(absl::StrCat(variant, ": ", result.error));
  }
  return results;
}

double RateOf(const LoadResult& result) { return static_cast<double>(result.seconds.size()) / result.total_seconds; }

google::protobuf::Struct JsonOf(const Results& results) {
  google::protobuf::Struct all;
  for (const auto& [variant, result] : results) {
    auto& fields = *(*all.mutable_fields())[variant].mutable_struct_value()->mutable_fields();
    fields["requests_per_second"].set_number_value(RateOf(result));
    fields["p50_ms"].set_number_value(result.Quantile(0.5) * 1e3);
    fields["p99_ms"].set_number_value(result.Quantile(0.99) * 1e3);
    fields["max_ms"].set_number_value(result.Quantile(1) * 1e3);
    fields["requests"].set_number_value(static_cast<double>(result.seconds.size()));
    fields["failed"].set_number_value(static_cast<double>(result.failed));
  }
  return all;
}

absl::Status Bench(Connection& connection, const BenchOptions& options) {
  const absl::StatusOr<Results> results = Measure(connection, options);
  if (!results.ok()) return results.status();
  if (connection.options().json) {
    PrintJson(JsonOf(*results));
    return absl::OkStatus();
  }
  Table table({"VARIANT", "REQUESTS/S", "P50", "P99", "MAX", "REQUESTS", "FAILED", "WHY"});
  for (const auto& [variant, result] : *results) {
    const auto ms = [&result = result](double share) {
      return absl::StrFormat("%.3g ms", result.Quantile(share) * 1e3);
    };
    table.Add({variant, absl::StrFormat("%.1f", RateOf(result)), ms(0.5), ms(0.99), ms(1),
               absl::StrCat(result.seconds.size()), absl::StrCat(result.failed), result.error});
  }
  std::fputs(table.ToText(TerminalWidth()).c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace

void AddBench(CLI::App& app, Command& chosen) {
  CLI::App* command = app.add_subcommand("bench", "Send random requests to the public port and time the answers");
  const auto options = std::make_shared<BenchOptions>();
  command->add_option("MODEL", options->model, "The model's name")->required();
  command->add_option("--grpc-address", options->address, "The server's public address [127.0.0.1:8001]")
      ->type_name("HOST:PORT")
      ->envname("TANDEM_GRPC_ADDRESS");
  command->add_option("--variant", options->variant, "fp32 or int8 [both, in turns of a second]")
      ->type_name("NAME")
      ->check(CLI::IsMember({"fp32", "int8"}));
  command->add_option("--clients", options->clients, "Requests that are in flight together [8]")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  command->add_option("--seconds", options->seconds, "How long, for each variant [5]")
      ->type_name("N")
      ->check(CLI::Range(1, 86400));
  command->add_option("--shape", options->shapes, "An input's shape, as pixels:1,3,224,224; may be repeated")
      ->type_name("NAME:DIMS")
      ->check(CheckShape)
      ->allow_extra_args(false);
  command->callback(
      [&chosen, options] { chosen = [options](Connection& connection) { return Bench(connection, *options); }; });
}

}  // namespace tandem::cli
