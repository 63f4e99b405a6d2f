// LogService: of the inference protocol on the admin port only LogSettings, which is read on the public port and may be
// changed here. Synchronous and thread-safe.
#ifndef TANDEM_SERVER_ADMIN_LOG_SERVICE_H_
#define TANDEM_SERVER_ADMIN_LOG_SERVICE_H_

#include <utility>

#include "proto/inference.grpc.pb.h"
#include "server/admin/token.h"
#include "server/settings/log_settings.h"

namespace tandem::admin {

class LogService final : public inference::GRPCInferenceService::Service {
 public:
  // `log` outlives the service.
  LogService(settings::LogSettings& log, Token token) : log_(log), token_(std::move(token)) {}

  grpc::Status LogSettings(grpc::ServerContext*, const inference::LogSettingsRequest*,
                           inference::LogSettingsResponse*) override;

 private:
  settings::LogSettings& log_;
  const Token token_;
};

}  // namespace tandem::admin

#endif  // TANDEM_SERVER_ADMIN_LOG_SERVICE_H_
