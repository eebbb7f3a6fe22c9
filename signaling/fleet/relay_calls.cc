#include "signaling/fleet/relay_calls.h"

namespace sluice::fleet {

using relay::v1::ApplySessionsRequest;
using relay::v1::ApplySessionsResponse;

ApplyCall::ApplyCall(const CallHome& home, Handlers handlers)
    : loop_(home.loop),
      token_(home.open_calls->Open()),
      handlers_(std::make_shared<const Handlers>(std::move(handlers))) {}

ApplyCall* ApplyCall::Start(const CallHome& home, relay::v1::SessionService::Stub& stub, Handlers handlers) {
  auto* call = new ApplyCall(home, std::move(handlers));
  stub.async()->ApplySessions(&call->context_, call);
  // Batches are sent from the loop, outside of gRPC's callbacks: the hold keeps the call until Release.
  call->AddHold();
  call->StartRead(&call->response_);
  call->StartCall();
  return call;
}

void ApplyCall::Send(ApplySessionsRequest request) {
  request_ = std::move(request);
  StartWrite(&request_);
}

void ApplyCall::Release() {
  context_.TryCancel();
  RemoveHold();
}

void ApplyCall::OnWriteDone(bool ok) {
  if (ok) loop_.Post([handlers = handlers_] { handlers->on_sent(); });
}

void ApplyCall::OnReadDone(bool ok) {
  if (!ok) {
    loop_.Post([handlers = handlers_] { handlers->on_broken(); });
    return;
  }
  loop_.Post([handlers = handlers_, response = std::make_shared<ApplySessionsResponse>(std::move(response_))] {
    handlers->on_results(*response);
  });
  response_.Clear();
  StartRead(&response_);
}

void ApplyCall::OnDone(const grpc::Status& status) {
  loop_.Post([this, status = process::FromGrpcStatus(status)] {
    handlers_->on_end(status);
    delete this;
  });
}

}  // namespace sluice::fleet
