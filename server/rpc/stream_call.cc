#include "server/rpc/stream_call.h"

#include <iterator>
#include <string>
#include <utility>

#include "server/rpc/infer_response.h"
#include "server/sync/unseen_order.h"

namespace tandem::rpc {
namespace {

// What one stream may have in the server before reading pauses: enough for the largest batches of small requests.
constexpr int kMaxRequests = 128;
constexpr size_t kMaxBytes = 16 << 20;

grpc::Slice SliceOf(const std::string& text) { return grpc::Slice(text.data(), text.size()); }

}  // namespace

struct StreamCall::Slot final : Responder {
  explicit Slot(StreamCall& owner) : stream(owner), infer(owner.context_, *this) {}

  void Respond(absl::StatusOr<grpc::Slice> answer) override {
    if (answer.ok()) {
      const grpc::Slice parts[] = {SliceOf(StreamHead(answer->size())), *std::move(answer)};
      message = grpc::ByteBuffer(parts, 2);
    } else {
      const std::string text(answer.status().message());
      const grpc::Slice error = SliceOf(EncodeStreamError(text, infer.id()));
      message = grpc::ByteBuffer(&error, 1);
    }
    stream.Send(*this);
  }

  StreamCall& stream;
  InferCall infer;
  grpc::ByteBuffer message;  // the answer
  size_t bytes = 0;          // of the request
};

StreamCall::StreamCall(InferContext& context) : context_(context) {
  for (size_t event = 0; event < std::size(tags_); ++event) {
    tags_[event] = {.stream = this, .event = static_cast<CallEvent>(event)};
  }
  server_context_.AsyncNotifyWhenDone(TagOf(CallEvent::kDone));
}

StreamCall::~StreamCall() { context_.ended.Add(unended_); }

bool StreamCall::Handle(CallEvent event, bool ok) {
  UnseenOrderEnds(this);
  switch (event) {
    case CallEvent::kArrived:
      if (!ok) return true;  // shutting down: the call never started and reports nothing more
      arrived_ = true;
      // gRPC makes the map when it is first asked for it, which requests that are answered at once would do at once.
      server_context_.client_metadata();
      ReadMore();
      break;
    case CallEvent::kRead:
      Read(ok);
      break;
    case CallEvent::kWritten:
      Written(ok);
      break;
    case CallEvent::kDone:
      Done();
      break;
    case CallEvent::kFinished:
      finished_ = true;
      break;
  }
  return done_ && finished_ && reading_ == nullptr;
}

void StreamCall::ReadMore() {
  if (reading_ != nullptr) return;
  {
    MutexLock lock(mutex_);
    if (no_more_ || draining_ || gone_ || requests_ >= kMaxRequests || bytes_ >= kMaxBytes) return;
  }
  reading_ = &FreeSlot();
  stream_.Read(&reading_->infer.request_buffer(), TagOf(CallEvent::kRead));
}

StreamCall::Slot& StreamCall::FreeSlot() {
  if (idle_.empty()) return *slots_.emplace_back(std::make_unique<Slot>(*this));
  Slot& slot = *idle_.back();
  idle_.pop_back();
  return slot;
}

void StreamCall::Read(bool ok) {
  Slot& slot = *std::exchange(reading_, nullptr);
  slot.bytes = ok ? slot.infer.request_buffer().Length() : 0;
  std::optional<grpc::Status> end;
  {
    MutexLock lock(mutex_);
    if (ending_) return;  // what comes behind the end is not answered
    if (ok) {
      ++requests_;
      bytes_ += slot.bytes;
    } else {
      no_more_ = true;
      end = End();
    }
  }
  if (end.has_value()) Finish(*end);
  if (!ok) return;
  ++unended_;
  context_.arrived.Add(1);
  slot.infer.Arrived(server_context_);
  ReadMore();
}

void StreamCall::Send(Slot& slot) {
  bool first = false;
  std::optional<grpc::Status> end;
  {
    MutexLock lock(mutex_);
    if (gone_) {
      Leave(slot);
      end = End();
    } else {
      to_send_.push_back(&slot);
      first = to_send_.size() == 1;
    }
  }
  // The first one is written by whoever brought it, and nobody else writes or ends before that is reported. Else the
  // stream may be gone already.
  if (first) Write(slot);
  if (end.has_value()) Finish(*end);
}

void StreamCall::Written(bool ok) {
  std::deque<Slot*> sent;
  Slot* next = nullptr;
  std::optional<grpc::Status> end;
  {
    MutexLock lock(mutex_);
    if (!ok) gone_ = true;
    do {
      sent.push_back(to_send_.front());
      Leave(*to_send_.front());
      to_send_.pop_front();
    } while (gone_ && !to_send_.empty());
    if (!to_send_.empty()) next = to_send_.front();
    end = End();
  }
  for (Slot* slot : sent) Release(*slot);
  if (next != nullptr) Write(*next);
  if (end.has_value()) Finish(*end);
  ReadMore();
}

void StreamCall::Done() {
  done_ = true;
  if (!server_context_.IsCancelled()) return;
  std::optional<grpc::Status> end;
  {
    MutexLock lock(mutex_);
    gone_ = true;
    end = End();
  }
  if (end.has_value()) return Finish(*end);
  for (const auto& slot : slots_) slot->infer.Cancel();
}

void StreamCall::Drain() {
  if (!arrived_) return;
  std::optional<grpc::Status> end;
  {
    MutexLock lock(mutex_);
    draining_ = true;
    end = End();
  }
  if (end.has_value()) Finish(*end);
}

void StreamCall::Leave(const Slot& slot) {
  --requests_;
  bytes_ -= slot.bytes;
}

void StreamCall::Release(Slot& slot) {
  slot.infer.Release();
  slot.message.Clear();
  idle_.push_back(&slot);
  --unended_;
  context_.ended.Add(1);
}

std::optional<grpc::Status> StreamCall::End() {
  if (ending_ || requests_ > 0 || !(no_more_ || draining_ || gone_)) return std::nullopt;
  ending_ = true;
  if (gone_) return grpc::Status(grpc::StatusCode::CANCELLED, "the client has gone");
  if (no_more_) return grpc::Status::OK;
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is shutting down");
}

void StreamCall::Write(Slot& slot) {
  UnseenOrderBegins(this);
  stream_.Write(slot.message, TagOf(CallEvent::kWritten));
}

void StreamCall::Finish(const grpc::Status& status) {
  UnseenOrderBegins(this);
  stream_.Finish(status, TagOf(CallEvent::kFinished));
}

}  // namespace tandem::rpc
