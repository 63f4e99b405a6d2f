// Tag: what the receiver's completion queue hands back: which call an event is of.
#ifndef TANDEM_SERVER_RPC_TAG_H_
#define TANDEM_SERVER_RPC_TAG_H_

#include <cstdint>

namespace tandem::rpc {

class StreamCall;
class UnaryCall;

enum class CallEvent : uint8_t {
  kArrived,   // a client calls
  kRead,      // of streams: a request has arrived, or none will any more
  kWritten,   // of streams: an answer is sent
  kDone,      // the call is closed or cancelled
  kFinished,  // its status is sent
};

// One of the calls is set; neither: the server shuts down.
struct Tag {
  UnaryCall* unary = nullptr;
  StreamCall* stream = nullptr;
  CallEvent event = CallEvent::kArrived;
};

}  // namespace tandem::rpc

#endif  // TANDEM_SERVER_RPC_TAG_H_
