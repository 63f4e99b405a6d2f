// What the public service tells about a version, as messages.
#ifndef TANDEM_SERVER_RPC_MODEL_MESSAGES_H_
#define TANDEM_SERVER_RPC_MODEL_MESSAGES_H_

#include <cstdint>
#include <vector>

#include "proto/inference.pb.h"
#include "server/models/state.h"
#include "server/models/version.h"

namespace tandem::rpc {

inference::ModelMetadataResponse MetadataOf(const models::Version& version, const std::vector<int64_t>& numbers);
inference::ModelConfig ConfigOf(const models::Version& version);
inference::ModelStatistics StatisticsOf(const models::Version& version);
// READY, UNAVAILABLE, LOADING or UNLOADING.
const char* IndexState(models::State state);

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_MODEL_MESSAGES_H_
