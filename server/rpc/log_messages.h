// The log's settings as the inference protocol's LogSettings has them, by Triton's names.
#ifndef TANDEM_SERVER_RPC_LOG_MESSAGES_H_
#define TANDEM_SERVER_RPC_LOG_MESSAGES_H_

#include "absl/status/status.h"
#include "proto/inference.pb.h"
#include "server/settings/log_settings.h"

namespace tandem::rpc {

inference::LogSettingsResponse LogMessageOf(const settings::LogSettings& log);

// Does what `request` asks for: log_verbose_level (0, or more: debug), log_info and log_warning set the level; a kind
// that is on turns on the graver ones. INVALID_ARGUMENT names a setting that is unknown, cannot be changed or has a
// value of another kind; nothing is changed then.
absl::Status ApplyLogMessage(const inference::LogSettingsRequest& request, settings::LogSettings& log);

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_LOG_MESSAGES_H_
