#include "server/admin/admin_service.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/status.h"
#include "server/admin/admitted.h"
#include "server/admin/messages.h"

namespace tandem::admin {
namespace {

using models::LaneState;

// How soon a follower sees that a build has come further.
constexpr Duration kFollowInterval = std::chrono::milliseconds(100);
constexpr size_t kLongestWho = 200;
constexpr size_t kLongestWhy = 1000;
constexpr int64_t kEventsOfAnAnswer = 100;

}  // namespace

absl::Status AdminService::Admit(const Context& context) const { return Admitted(context, token_); }

absl::StatusOr<state::Author> AdminService::AuthorOf(const Context& context, const v1::ChangeNote& note) const {
  if (note.who().size() > kLongestWho || note.why().size() > kLongestWhy) {
    return absl::InvalidArgumentError(
        absl::StrCat("note: `who` has at most ", kLongestWho, " bytes and `why` ", kLongestWhy));
  }
  return state::Author{.who = note.who().empty() ? context.peer() : note.who(), .why = note.why(), .when = absl::Now()};
}

absl::Status AdminService::Record(const std::string& model, int64_t version, const char* kind,
                                  const state::Author& author, const std::string& detail) {
  // Behind what the change has brought about already.
  const absl::Status written = parts_.writer.Write(
      {.events = {{.model = model, .version = version, .kind = kind, .author = author, .detail = detail}}});
  return engine::WithContext(written, "it was done, but is missing in the history");
}

grpc::Status AdminService::ListModels(Context* context, const v1::ListModelsRequest*,
                                      v1::ListModelsResponse* response) {
  return Answer(*context, [&] {
    for (v1::Model& model : ModelMessages(parts_.registry, parts_.routes)) *response->add_models() = std::move(model);
    return absl::OkStatus();
  });
}

grpc::Status AdminService::GetModel(Context* context, const v1::GetModelRequest* request,
                                    v1::GetModelResponse* response) {
  return Answer(*context, [&]() -> absl::Status {
    TANDEM_ASSIGN_OR_RETURN(*response->mutable_model(), ModelMessage(request->model(), parts_.registry, parts_.routes));
    return absl::OkStatus();
  });
}

grpc::Status AdminService::LoadModel(Context* context, const v1::LoadModelRequest* request,
                                     v1::LoadModelResponse* response) {
  return Answer(*context, [&]() -> absl::Status {
    TANDEM_ASSIGN_OR_RETURN(const state::Author author, AuthorOf(*context, request->note()));
    TANDEM_RETURN_IF_ERROR(parts_.loader.Load(request->model()));
    TANDEM_RETURN_IF_ERROR(Record(request->model(), 0, "load", author));
    TANDEM_ASSIGN_OR_RETURN(*response->mutable_model(), ModelMessage(request->model(), parts_.registry, parts_.routes));
    return absl::OkStatus();
  });
}

grpc::Status AdminService::UnloadModel(Context* context, const v1::UnloadModelRequest* request,
                                       v1::UnloadModelResponse*) {
  return Answer(*context, [&]() -> absl::Status {
    TANDEM_ASSIGN_OR_RETURN(const state::Author author, AuthorOf(*context, request->note()));
    TANDEM_RETURN_IF_ERROR(parts_.loader.Unload(request->model()));
    return Record(request->model(), 0, "unload", author);
  });
}

grpc::Status AdminService::Rollback(Context* context, const v1::RollbackRequest* request,
                                    v1::RollbackResponse* response) {
  return Answer(*context, [&]() -> absl::Status {
    const std::string& model = request->model();
    TANDEM_ASSIGN_OR_RETURN(const state::Author author, AuthorOf(*context, request->note()));
    TANDEM_ASSIGN_OR_RETURN(const int64_t number, parts_.loader.Rollback(model, request->to_version()));
    TANDEM_RETURN_IF_ERROR(Record(model, number, "rollback", author));
    TANDEM_ASSIGN_OR_RETURN(const models::VersionHandle version, parts_.registry.Find(model, absl::StrCat(number)));
    *response->mutable_version() = Shown(*version);
    return absl::OkStatus();
  });
}

grpc::Status AdminService::Quantize(Context* context, const v1::QuantizeRequest* request,
                                    grpc::ServerWriter<v1::QuantizeResponse>* writer) {
  return Answer(*context, [&]() -> absl::Status {
    const std::string& model = request->model();
    TANDEM_ASSIGN_OR_RETURN(const state::Author author, AuthorOf(*context, request->note()));
    TANDEM_ASSIGN_OR_RETURN(const int64_t version, parts_.loader.Quantize(model, request->version(), request->anew()));
    TANDEM_RETURN_IF_ERROR(Record(model, version, "quantize", author));
    return Follow(*context, model, version, *writer);
  });
}

absl::Status AdminService::Follow(const Context& context, const std::string& model, int64_t version,
                                  grpc::ServerWriter<v1::QuantizeResponse>& writer) {
  v1::QuantizeResponse message;
  message.set_version(version);
  std::string last;
  do {
    const auto handle = parts_.registry.Find(model, absl::StrCat(version));
    if (!handle.ok()) return absl::AbortedError(handle.status().message());
    const models::Lane& lane = (*handle)->lane;
    if (lane.state == LaneState::kFailed) return absl::AbortedError(Describe(lane));
    if (lane.state == LaneState::kAbsent) return absl::CancelledError(Describe(lane));
    if (IsVerdict(lane.state)) {
      *message.mutable_result() = Int8MessageOf(**handle);
      writer.Write(message);
      return absl::OkStatus();
    }
    *message.mutable_progress() = MessageOf(lane.progress);
    if (std::string bytes = message.SerializeAsString(); bytes != last) {
      last = std::move(bytes);
      writer.Write(message);
    }
    if (context.IsCancelled()) return absl::CancelledError("the caller has left");
  } while (WaitForProgress());
  return absl::UnavailableError("the server is shutting down");
}

bool AdminService::WaitForProgress() {
  MutexLock lock(mutex_);
  if (!stopping_) stop_.WaitUntil(mutex_, Now() + kFollowInterval);
  return !stopping_;
}

grpc::Status AdminService::CancelQuantize(Context* context, const v1::CancelQuantizeRequest* request,
                                          v1::CancelQuantizeResponse*) {
  return Answer(*context, [&]() -> absl::Status {
    TANDEM_ASSIGN_OR_RETURN(const state::Author author, AuthorOf(*context, request->note()));
    TANDEM_ASSIGN_OR_RETURN(const int64_t version, parts_.loader.CancelQuantize(request->model(), request->version()));
    return Record(request->model(), version, "cancel_quantize", author);
  });
}

void AdminService::Realign(const std::string& model, const config::RouteConfig& before,
                           const config::RouteConfig& after) {
  if (before.candidate_version == after.candidate_version) return;
  // The change has been made; the route that is shown says what a candidate lacks.
  parts_.loader.Realign(model, after.candidate_version).IgnoreError();
}

grpc::Status AdminService::GetRoute(Context* context, const v1::GetRouteRequest* request,
                                    v1::GetRouteResponse* response) {
  return Answer(*context, [&]() -> absl::Status {
    TANDEM_ASSIGN_OR_RETURN(const routing::RouteState route, parts_.routes.Get(request->model()));
    *response->mutable_route() = MessageOf(request->model(), route, parts_.registry);
    return absl::OkStatus();
  });
}

grpc::Status AdminService::SetRoute(Context* context, const v1::SetRouteRequest* request,
                                    v1::SetRouteResponse* response) {
  return Answer(*context, [&]() -> absl::Status {
    TANDEM_ASSIGN_OR_RETURN(const state::Author author, AuthorOf(*context, request->note()));
    TANDEM_ASSIGN_OR_RETURN(const routing::RouteState before, parts_.routes.Get(request->model()));
    TANDEM_ASSIGN_OR_RETURN(const config::RouteConfig route, RouteOf(request->route(), before.desired));
    if (route.between_versions()) {
      TANDEM_RETURN_IF_ERROR(config::Validate(route));
      TANDEM_RETURN_IF_ERROR(parts_.loader.CheckCandidate(request->model(), route.candidate_version));
    }
    TANDEM_RETURN_IF_ERROR(parts_.routes.Override(request->model(), {.route = route, .author = author}));
    Realign(request->model(), before.effective(), route);
    TANDEM_ASSIGN_OR_RETURN(const routing::RouteState after, parts_.routes.Get(request->model()));
    *response->mutable_route() = MessageOf(request->model(), after, parts_.registry);
    return absl::OkStatus();
  });
}

grpc::Status AdminService::ClearRoute(Context* context, const v1::ClearRouteRequest* request,
                                      v1::ClearRouteResponse* response) {
  return Answer(*context, [&]() -> absl::Status {
    TANDEM_ASSIGN_OR_RETURN(const state::Author author, AuthorOf(*context, request->note()));
    const auto before = parts_.routes.Get(request->model());
    TANDEM_RETURN_IF_ERROR(parts_.routes.Clear(request->model(), author));
    const auto after = parts_.routes.Get(request->model());
    // The override may have been all that was left of the model.
    if (before.ok() && after.ok()) Realign(request->model(), before->effective(), after->effective());
    if (after.ok()) *response->mutable_route() = MessageOf(request->model(), *after, parts_.registry);
    return absl::OkStatus();
  });
}

grpc::Status AdminService::GetHistory(Context* context, const v1::GetHistoryRequest* request,
                                      v1::GetHistoryResponse* response) {
  return Answer(*context, [&]() -> absl::Status {
    parts_.writer.Write({}).IgnoreError();  // what was lost is in the log
    TANDEM_ASSIGN_OR_RETURN(
        const std::vector<state::Event> events,
        parts_.store.History({.model = request->model(),
                              .kind = request->kind(),
                              .before_id = request->before_id(),
                              .limit = request->limit() == 0 ? kEventsOfAnAnswer : request->limit()}));
    for (const state::Event& event : events) *response->add_events() = MessageOf(event);
    return absl::OkStatus();
  });
}

void AdminService::Stop() {
  parts_.evaluator.Stop();
  MutexLock lock(mutex_);
  stopping_ = true;
  stop_.NotifyAll();
}

}  // namespace tandem::admin
