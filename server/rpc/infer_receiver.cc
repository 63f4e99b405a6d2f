#include "server/rpc/infer_receiver.h"

#include <pthread.h>

#include <chrono>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/sync/unseen_order.h"

namespace tandem::rpc {
namespace {

constexpr int kPosted = 64;
constexpr int kPostedStreams = 4;
constexpr size_t kMaxIdle = 256;

std::string RandomPrefix() {
  std::random_device random;
  return absl::StrCat(absl::Hex(random(), absl::kZeroPad8), "-");
}

uint64_t RandomStart() {
  std::random_device random;
  return uint64_t{random()} << 32;
}

}  // namespace

InferReceiver::InferReceiver(InferenceService& service, std::unique_ptr<grpc::ServerCompletionQueue> queue,
                             models::Registry& registry, scheduling::Dispatcher& dispatcher,
                             scheduling::InlineRunner& inline_runner, const shared_memory::Regions* regions,
                             shadow::Runner* shadow_runner, shadow::Outcomes* outcomes, RequestLog* log)
    : service_(service),
      queue_(std::move(queue)),
      context_{.registry = registry,
               .dispatcher = dispatcher,
               .inline_runner = inline_runner,
               .regions = regions,
               .refused = refused_,
               .arrived = arrived_,
               .ended = ended_,
               .id_prefix = RandomPrefix(),
               .shadow_runner = shadow_runner,
               .outcomes = outcomes,
               .next_draw = RandomStart(),
               .log = log},
      streams_(service, *queue_, context_) {}

InferReceiver::~InferReceiver() { Stop(); }

void InferReceiver::Start() {
  for (int i = 0; i < kPosted; ++i) PostAnother();
  for (int i = 0; i < kPostedStreams; ++i) PostAnotherStream();
  thread_ = std::thread(&InferReceiver::Loop, this);
}

void InferReceiver::StopAccepting() {
  MutexLock lock(mutex_);
  if (!std::exchange(accepting_, false)) return;
  drain_alarm_.Set(queue_.get(), std::chrono::system_clock::now(), &drain_tag_);
}

void InferReceiver::Stop() {
  if (!thread_.joinable()) return;
  StopAccepting();
  {
    MutexLock lock(mutex_);
    while (!all_ended_) none_busy_.Wait(mutex_);
  }
  queue_->Shutdown();
  thread_.join();
}

void InferReceiver::Loop() {
  pthread_setname_np(pthread_self(), "receiver");
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) Handle(*static_cast<Tag*>(tag), ok);
}

void InferReceiver::Handle(const Tag& tag, bool ok) {
  if (tag.stream != nullptr) {
    if (tag.event == CallEvent::kArrived && ok) PostAnotherStream();
    streams_.Handle(tag, ok);
    CheckForEnd();
    return;
  }
  if (tag.unary == nullptr) {
    streams_.Drain();
    return;
  }
  UnaryCall* call = tag.unary;
  UnseenOrderEnds(call);
  switch (tag.event) {
    case CallEvent::kArrived:
      if (!ok) {  // shutting down: the call never started and reports nothing more
        Forget(call);
        return;
      }
      PostAnother();
      arrived_.Add(1);
      call->Arrived();
      return;
    case CallEvent::kRead:
    case CallEvent::kWritten:
      return;  // of streams
    case CallEvent::kDone:
      if (call->Done()) Recycle(call);
      return;
    case CallEvent::kFinished:
      if (call->Finished()) Recycle(call);
      return;
  }
}

void InferReceiver::PostAnother() {
  MutexLock lock(mutex_);  // against Shutdown between the check and the request
  if (!accepting_) return;
  std::unique_ptr<UnaryCall> call;
  if (idle_.empty()) {
    call = std::make_unique<UnaryCall>(context_);
  } else {
    call = std::move(idle_.back());
    idle_.pop_back();
  }
  call->Reset();
  UnaryCall& posted = *call;
  busy_.emplace(call.get(), std::move(call));
  service_.RequestModelInfer(&posted.server_context(), &posted.request_buffer(), &posted.writer(), queue_.get(),
                             queue_.get(), posted.arrived_tag());
}

void InferReceiver::PostAnotherStream() {
  MutexLock lock(mutex_);
  if (accepting_) streams_.Post();
}

void InferReceiver::Recycle(UnaryCall* call) {
  ended_.Add(1);
  call->Release();
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(busy_.find(call)->second));
  Forget(call);
}

void InferReceiver::Forget(UnaryCall* call) {
  busy_.erase(call);
  CheckForEnd();
}

void InferReceiver::CheckForEnd() {
  if (!busy_.empty() || !streams_.empty()) return;
  // While calls are accepted some are always posted: this is the end.
  MutexLock lock(mutex_);
  all_ended_ = true;
  none_busy_.NotifyAll();
}

}  // namespace tandem::rpc
