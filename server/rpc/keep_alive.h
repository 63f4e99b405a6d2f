// How both ports look after connections on which nothing happens.
#ifndef TANDEM_SERVER_RPC_KEEP_ALIVE_H_
#define TANDEM_SERVER_RPC_KEEP_ALIVE_H_

#include <grpcpp/server_builder.h>

namespace tandem::rpc {

// A client that was cut off without a word is noticed, and one that pings is not taken for an attacker: by default gRPC
// allows a ping every five minutes, and closes the connections of clients that watch them more closely.
void KeepAlive(grpc::ServerBuilder& builder);

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_KEEP_ALIVE_H_
