#include "datapath/service/session_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "datapath/service/apply_stream.h"
#include "datapath/service/event_stream.h"
#include "datapath/service/from_proto.h"
#include "datapath/service/to_proto.h"
#include "datapath/service/unary.h"

namespace sluice::service {
namespace {

constexpr int32_t kDefaultPage = 100;
constexpr int32_t kMaxPage = 1000;

// The session of a response, from what the model says.
template <typename Response>
absl::Status Answer(const absl::StatusOr<session::SessionState>& state, Response* response) {
  if (!state.ok()) return state.status();
  // A session that was not there has no state.
  if (!state->session_id.empty()) ToProto(*state, *response->mutable_session());
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* SessionService::CreateSession(grpc::CallbackServerContext* context,
                                                        const relay::v1::CreateSessionRequest* request,
                                                        relay::v1::CreateSessionResponse* response) {
  absl::StatusOr<session::SessionSpec> spec = FromProto(request->session());
  if (!spec.ok()) return RefuseUnary(context, spec.status());
  return RunUnary(loop_, context, [this, request, response, spec = *std::move(spec)](const session::Moment& now) {
    return Answer(model_.CreateSession(FromProto(request->writer()), spec, now), response);
  });
}

grpc::ServerUnaryReactor* SessionService::UpdateSession(grpc::CallbackServerContext* context,
                                                        const relay::v1::UpdateSessionRequest* request,
                                                        relay::v1::UpdateSessionResponse* response) {
  absl::StatusOr<session::SessionSpec> spec = FromProto(request->session());
  if (!spec.ok()) return RefuseUnary(context, spec.status());
  return RunUnary(loop_, context, [this, request, response, spec = *std::move(spec)](const session::Moment& now) {
    return Answer(model_.UpdateSession(FromProto(request->writer()), spec, request->allow_missing(), now), response);
  });
}

grpc::ServerUnaryReactor* SessionService::DeleteSession(grpc::CallbackServerContext* context,
                                                        const relay::v1::DeleteSessionRequest* request,
                                                        relay::v1::DeleteSessionResponse* response) {
  return RunUnary(loop_, context, [this, request, response](const session::Moment& now) {
    return Answer(model_.DeleteSession(FromProto(request->writer()), request->session_id(), now), response);
  });
}

grpc::ServerUnaryReactor* SessionService::GetSession(grpc::CallbackServerContext* context,
                                                     const relay::v1::GetSessionRequest* request,
                                                     relay::v1::GetSessionResponse* response) {
  return RunUnary(loop_, context, [this, request, response](const session::Moment& now) {
    return Answer(model_.GetSession(request->session_id(), now), response);
  });
}

grpc::ServerUnaryReactor* SessionService::ListSessions(grpc::CallbackServerContext* context,
                                                       const relay::v1::ListSessionsRequest* request,
                                                       relay::v1::ListSessionsResponse* response) {
  if (request->page_size() < 0 || request->page_size() > kMaxPage) {
    return RefuseUnary(
        context, absl::InvalidArgumentError(absl::StrCat("page_size is ", request->page_size(), ", allowed is 0 (",
                                                         kDefaultPage, ") to ", kMaxPage)));
  }
  const int32_t limit = request->page_size() == 0 ? kDefaultPage : request->page_size();
  return RunUnary(loop_, context, [this, request, response, limit](const session::Moment& now) {
    const session::SessionModel::Page page =
        model_.ListSessions(request->page_token(), static_cast<size_t>(limit), request->identity_only(), now);
    for (const session::SessionState& state : page.sessions) ToProto(state, *response->add_sessions());
    response->set_next_page_token(page.next);
    return absl::OkStatus();
  });
}

grpc::ServerBidiReactor<relay::v1::ApplySessionsRequest, relay::v1::ApplySessionsResponse>*
SessionService::ApplySessions(grpc::CallbackServerContext*) {
  return new ApplyStream(loop_, model_);
}

grpc::ServerWriteReactor<relay::v1::WatchEventsResponse>* SessionService::WatchEvents(
    grpc::CallbackServerContext*, const relay::v1::WatchEventsRequest* request) {
  return EventStream::Start(model_.events(), request->resume_token());
}

}  // namespace sluice::service
