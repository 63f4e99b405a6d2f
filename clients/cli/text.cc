#include "clients/cli/text.h"

#include <google/protobuf/util/json_util.h>

#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace tandem::cli {
namespace {

std::string ToJson(const google::protobuf::Message& message, bool indented) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = indented;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  return status.ok() ? text : "{}";
}

double WeightOf(const v1::Route& route, const std::string& variant) {
  const auto weight = route.weights().find(variant);
  return weight == route.weights().end() ? 0 : weight->second;
}

}  // namespace

std::string BytesText(int64_t bytes) {
  const double size = static_cast<double>(bytes);
  if (bytes >= int64_t{1} << 30) return absl::StrFormat("%.2f GB", size / (1 << 30));
  if (bytes >= 1 << 20) return absl::StrFormat("%.2f MB", size / (1 << 20));
  if (bytes >= 1 << 10) return absl::StrFormat("%.1f KB", size / (1 << 10));
  return absl::StrCat(bytes, " B");
}

std::string ShareText(double share) { return absl::StrFormat("%.3g %%", share * 100); }

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(time.seconds()), absl::LocalTimeZone());
}

std::string RouteText(const v1::Route& route) {
  if (route.candidate_version() != 0) {
    const double share = route.mode() == "split" ? route.candidate_weight() : route.shadow_rate();
    return absl::StrCat(route.mode(), " (version ", route.candidate_version(), " ", ShareText(share), ")");
  }
  if (route.mode() == "split") return absl::StrCat("split (int8 ", ShareText(WeightOf(route, "int8")), ")");
  if (route.mode() == "fp32" || route.mode() == "int8") return route.mode();
  return absl::StrCat(route.mode(), " (shadow ", ShareText(route.shadow_rate()), ")");
}

std::string LossText(const v1::Loss& loss) {
  if (loss.metric() == "sqnr") {
    return absl::StrFormat("%.1f dB of signal over noise (%.1f to %.1f; at least %.1f) on %d samples", loss.value(),
                           loss.lower_bound(), loss.upper_bound(), loss.budget(), loss.samples());
  }
  return absl::StrCat(ShareText(loss.value()),
                      loss.metric() == "top1" ? " of accuracy lost (" : " of answers changed (",
                      ShareText(loss.lower_bound()), " to ", ShareText(loss.upper_bound()), "; budget ",
                      ShareText(loss.budget()), ") on ", loss.samples(), " samples");
}

absl::StatusOr<double> ParseShare(absl::string_view text) {
  absl::string_view number = text;
  const double scale = absl::ConsumeSuffix(&number, "%") ? 0.01 : 1;
  double value = 0;
  if (absl::SimpleAtod(number, &value) && value * scale >= 0 && value * scale <= 1) return value * scale;
  return absl::InvalidArgumentError(absl::StrCat("expected a share such as 0.05 or 5%, not \"", text, "\""));
}

void PrintJson(const google::protobuf::Message& message) { std::fputs(ToJson(message, true).c_str(), stdout); }

void PrintJsonLine(const google::protobuf::Message& message) {
  std::puts(ToJson(message, false).c_str());
  std::fflush(stdout);
}

}  // namespace tandem::cli
