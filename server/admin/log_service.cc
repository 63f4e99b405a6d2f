#include "server/admin/log_service.h"

#include "server/admin/admitted.h"
#include "server/rpc/log_messages.h"
#include "server/rpc/status.h"

namespace tandem::admin {

grpc::Status LogService::LogSettings(grpc::ServerContext* context, const inference::LogSettingsRequest* request,
                                     inference::LogSettingsResponse* response) {
  absl::Status status = Admitted(*context, token_);
  if (status.ok()) status = rpc::ApplyLogMessage(*request, log_);
  if (status.ok()) *response = rpc::LogMessageOf(log_);
  return rpc::ToGrpc(status);
}

}  // namespace tandem::admin
