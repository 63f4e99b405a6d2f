#include "server/rpc/stream_receiver.h"

#include <utility>

namespace tandem::rpc {

void StreamReceiver::Post() {
  auto stream = std::make_unique<StreamCall>(context_);
  StreamCall& posted = *stream;
  streams_.emplace(&posted, std::move(stream));
  service_.RequestModelStreamInfer(&posted.server_context(), &posted.stream(), &queue_, &queue_, posted.arrived_tag());
}

void StreamReceiver::Handle(const Tag& tag, bool ok) {
  StreamCall* stream = tag.stream;
  if (stream->Handle(tag.event, ok)) {
    streams_.erase(stream);
  } else if (draining_) {
    stream->Drain();
  }
}

void StreamReceiver::Drain() {
  draining_ = true;
  for (const auto& [stream, owned] : streams_) stream->Drain();
}

}  // namespace tandem::rpc
