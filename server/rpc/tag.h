// Tag: what the receiver's completion queue hands back: which call an event is of.
#ifndef TANDEM_SERVER_RPC_TAG_H_
#define TANDEM_SERVER_RPC_TAG_H_

#include <cstdint>

namespace tandem::rpc {

class UnaryCall;

enum class CallEvent : uint8_t {
  kArrived,   // a client calls
  kDone,      // the call is closed or cancelled
  kFinished,  // its status is sent
};

struct Tag {
  UnaryCall* unary = nullptr;
  CallEvent event = CallEvent::kArrived;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_TAG_H_
