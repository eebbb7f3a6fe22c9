// sluice.relay.v1.RelayService: the relay as a whole, for operators and controllers.
//
// Requests are checked on gRPC's thread and carried out on the control thread; captures are written by a thread of
// their own (session_capture.h).
//
// Threads: gRPC's. All that it is made of outlives it; the server that has it is stopped before.

#ifndef SLUICE_DATAPATH_SERVICE_RELAY_SERVICE_H_
#define SLUICE_DATAPATH_SERVICE_RELAY_SERVICE_H_

#include <functional>
#include <utility>

#include "datapath/service/capture_service.h"
#include "datapath/service/control_loop.h"
#include "datapath/service/datapath.h"
#include "datapath/service/relay_report.h"
#include "datapath/session/session_model.h"
#include "sluice/relay/v1/relay_service.grpc.pb.h"

namespace sluice::service {

class RelayService final : public relay::v1::RelayService::CallbackService {
 public:
  // `on_admission(bool)` is called when the relay begins or ceases to take new sessions, on the control thread.
  RelayService(ControlLoop& loop, session::SessionModel& model, Datapath& datapath, RelayReport& report,
               CaptureService& captures, std::function<void(bool)> on_admission)
      : loop_(loop),
        model_(model),
        datapath_(datapath),
        report_(report),
        captures_(captures),
        on_admission_(std::move(on_admission)) {}

  grpc::ServerUnaryReactor* GetRelay(grpc::CallbackServerContext* context, const relay::v1::GetRelayRequest* request,
                                     relay::v1::GetRelayResponse* response) override;
  grpc::ServerWriteReactor<relay::v1::WatchStatsResponse>* WatchStats(
      grpc::CallbackServerContext* context, const relay::v1::WatchStatsRequest* request) override;
  grpc::ServerUnaryReactor* DrainRelay(grpc::CallbackServerContext* context,
                                       const relay::v1::DrainRelayRequest* request,
                                       relay::v1::DrainRelayResponse* response) override;
  grpc::ServerUnaryReactor* UndrainRelay(grpc::CallbackServerContext* context,
                                         const relay::v1::UndrainRelayRequest* request,
                                         relay::v1::UndrainRelayResponse* response) override;
  grpc::ServerUnaryReactor* ExplainPacket(grpc::CallbackServerContext* context,
                                          const relay::v1::ExplainPacketRequest* request,
                                          relay::v1::ExplainPacketResponse* response) override;
  grpc::ServerUnaryReactor* StartCapture(grpc::CallbackServerContext* context,
                                         const relay::v1::StartCaptureRequest* request,
                                         relay::v1::StartCaptureResponse* response) override;
  grpc::ServerUnaryReactor* StopCapture(grpc::CallbackServerContext* context,
                                        const relay::v1::StopCaptureRequest* request,
                                        relay::v1::StopCaptureResponse* response) override;

 private:
  void Admit(bool admit, const session::Moment& now);

  ControlLoop& loop_;
  session::SessionModel& model_;
  Datapath& datapath_;
  RelayReport& report_;
  CaptureService& captures_;
  const std::function<void(bool)> on_admission_;
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_RELAY_SERVICE_H_
