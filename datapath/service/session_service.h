// sluice.relay.v1.SessionService over the session model.
//
// A request is read on gRPC's thread, carried out on the control thread, and answered from there; no thread waits.
// ApplySessions has one batch of a stream on its way at a time, so a client that does not read its answers is not read
// from either. WatchEvents reads from the event log as fast as the client takes it; what the log no longer has is told
// as missed.
//
// Threads: gRPC's. All that it is made of outlives it; the server that has it is stopped before.

#ifndef SLUICE_DATAPATH_SERVICE_SESSION_SERVICE_H_
#define SLUICE_DATAPATH_SERVICE_SESSION_SERVICE_H_

#include "datapath/service/control_loop.h"
#include "datapath/session/session_model.h"
#include "sluice/relay/v1/session_service.grpc.pb.h"

namespace sluice::service {

class SessionService final : public relay::v1::SessionService::CallbackService {
 public:
  SessionService(ControlLoop& loop, session::SessionModel& model) : loop_(loop), model_(model) {}

  grpc::ServerUnaryReactor* CreateSession(grpc::CallbackServerContext* context,
                                          const relay::v1::CreateSessionRequest* request,
                                          relay::v1::CreateSessionResponse* response) override;
  grpc::ServerUnaryReactor* UpdateSession(grpc::CallbackServerContext* context,
                                          const relay::v1::UpdateSessionRequest* request,
                                          relay::v1::UpdateSessionResponse* response) override;
  grpc::ServerUnaryReactor* DeleteSession(grpc::CallbackServerContext* context,
                                          const relay::v1::DeleteSessionRequest* request,
                                          relay::v1::DeleteSessionResponse* response) override;
  grpc::ServerUnaryReactor* GetSession(grpc::CallbackServerContext* context,
                                       const relay::v1::GetSessionRequest* request,
                                       relay::v1::GetSessionResponse* response) override;
  grpc::ServerUnaryReactor* ListSessions(grpc::CallbackServerContext* context,
                                         const relay::v1::ListSessionsRequest* request,
                                         relay::v1::ListSessionsResponse* response) override;
  grpc::ServerBidiReactor<relay::v1::ApplySessionsRequest, relay::v1::ApplySessionsResponse>* ApplySessions(
      grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<relay::v1::WatchEventsResponse>* WatchEvents(
      grpc::CallbackServerContext* context, const relay::v1::WatchEventsRequest* request) override;

 private:
  ControlLoop& loop_;
  session::SessionModel& model_;
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_SESSION_SERVICE_H_
