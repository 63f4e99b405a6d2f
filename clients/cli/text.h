// Values as people read and write them, and messages as JSON.
#ifndef TANDEM_CLIENTS_CLI_TEXT_H_
#define TANDEM_CLIENTS_CLI_TEXT_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clients/cli/connection.h"

namespace tandem::cli {

// "1.12 MB".
std::string BytesText(int64_t bytes);
// "0.35 %".
std::string ShareText(double share);
// In the local time zone: "2026-11-25 13:05:09".
std::string TimeText(const google::protobuf::Timestamp& time);
// "split (int8 10 %)", "auto (shadow 5 %)", "shadow (version 8 5 %)": what counts for the mode.
std::string RouteText(const v1::Route& route);
// "0.05 % of top1 lost (-0.20 % to 0.32 %; budget 1 %) on 4096 samples".
std::string LossText(const v1::Loss& loss);

// "0.05" or "5%". INVALID_ARGUMENT unless it is in [0, 1].
absl::StatusOr<double> ParseShare(absl::string_view text);

// Indented, for one message; or on one line, for one of many. Fields have their names in admin.proto.
void PrintJson(const google::protobuf::Message& message);
void PrintJsonLine(const google::protobuf::Message& message);

}  // namespace tandem::cli

#endif  // TANDEM_CLIENTS_CLI_TEXT_H_
