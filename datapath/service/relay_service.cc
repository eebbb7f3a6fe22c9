#include "datapath/service/relay_service.h"

#include <string>

#include "datapath/packet/drop_reason.h"
#include "datapath/service/explain_request.h"
#include "datapath/service/stats_stream.h"
#include "datapath/service/to_proto.h"
#include "datapath/service/unary.h"

namespace sluice::service {

grpc::ServerUnaryReactor* RelayService::GetRelay(grpc::CallbackServerContext* context,
                                                 const relay::v1::GetRelayRequest*,
                                                 relay::v1::GetRelayResponse* response) {
  return RunUnary(loop_, context, [this, response](const session::Moment& now) {
    report_.ToProto(now, *response->mutable_relay());
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<relay::v1::WatchStatsResponse>* RelayService::WatchStats(
    grpc::CallbackServerContext*, const relay::v1::WatchStatsRequest* request) {
  return new StatsStream(loop_, model_, report_, *request);
}

void RelayService::Admit(bool admit, const session::Moment& now) {
  model_.SetDraining(!admit, now);
  on_admission_(admit);
}

grpc::ServerUnaryReactor* RelayService::DrainRelay(grpc::CallbackServerContext* context,
                                                   const relay::v1::DrainRelayRequest*,
                                                   relay::v1::DrainRelayResponse*) {
  return RunUnary(loop_, context, [this](const session::Moment& now) {
    Admit(false, now);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* RelayService::UndrainRelay(grpc::CallbackServerContext* context,
                                                     const relay::v1::UndrainRelayRequest*,
                                                     relay::v1::UndrainRelayResponse*) {
  return RunUnary(loop_, context, [this](const session::Moment& now) {
    Admit(true, now);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* RelayService::ExplainPacket(grpc::CallbackServerContext* context,
                                                      const relay::v1::ExplainPacketRequest* request,
                                                      relay::v1::ExplainPacketResponse* response) {
  absl::StatusOr<std::vector<uint8_t>> frame = FrameOf(*request);
  if (!frame.ok()) return RefuseUnary(context, frame.status());
  return RunUnary(loop_, context, [this, response, frame = *std::move(frame)](const session::Moment&) {
    const worker::Explanation explanation = datapath_.Explain(frame);
    for (const std::string& step : explanation.steps) response->add_steps(step);
    response->set_forwarded(explanation.verdict == packet::DropReason::kNone);
    if (!response->forwarded()) response->set_drop_reason(std::string(packet::Name(explanation.verdict)));
    const session::SessionModel::FlowName flow = model_.NameOf(explanation.state);
    response->set_session_id(flow.session_id);
    response->set_stream_id(flow.stream_id);
    response->set_leg(flow.leg);
    if (explanation.new_source.is_set()) ToProto(explanation.new_source, *response->mutable_new_source());
    if (explanation.new_destination.is_set()) {
      ToProto(explanation.new_destination, *response->mutable_new_destination());
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* RelayService::StartCapture(grpc::CallbackServerContext* context,
                                                     const relay::v1::StartCaptureRequest* request,
                                                     relay::v1::StartCaptureResponse* response) {
  return RunUnary(loop_, context, [this, request, response](const session::Moment& now) {
    return captures_.Start(*request, now, *response);
  });
}

grpc::ServerUnaryReactor* RelayService::StopCapture(grpc::CallbackServerContext* context,
                                                    const relay::v1::StopCaptureRequest* request,
                                                    relay::v1::StopCaptureResponse* response) {
  return RunUnary(loop_, context, [this, request, response](const session::Moment&) {
    return captures_.Stop(request->capture_id(), *response);
  });
}

}  // namespace sluice::service
