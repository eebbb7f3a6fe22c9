#include "signaling/fleet/relay_calls.h"

namespace sluice::fleet {

using relay::v1::ApplySessionsRequest;

ApplyCall::ApplyCall(const CallHome& home, Handlers handlers)
    : token_(home.open_calls->Open()), handlers_(std::move(handlers)) {}

ApplyCall* ApplyCall::Start(const CallHome& home, relay::v1::SessionService::Stub& stub, Handlers handlers) {
  auto* const call = new ApplyCall(home, std::move(handlers));
  call->stream_ = stub.PrepareAsyncApplySessions(&call->context_, &home.loop.completions());
  call->stream_->StartCall(call->started_);
  return call;
}

void ApplyCall::Send(const ApplySessionsRequest& request) {
  writing_ = true;
  if (open_) {
    stream_->Write(request, written_);
  } else {
    first_ = request;
  }
}

void ApplyCall::Release() {
  context_.TryCancel();
  released_ = true;
  FinishIfDone();
}

void ApplyCall::OnStarted(bool ok) {
  if (!ok) {
    writing_ = false;
    return OnRead(false);
  }
  open_ = true;
  stream_->Read(&response_, read_);
  if (writing_) stream_->Write(first_, written_);
}

void ApplyCall::OnWritten(bool ok) {
  writing_ = false;
  FinishIfDone();
  if (ok && !released_) handlers_.on_sent();
}

void ApplyCall::OnRead(bool ok) {
  if (ok) {
    handlers_.on_results(response_);
    stream_->Read(&response_, read_);
    return;
  }
  broken_ = true;
  if (released_) return FinishIfDone();
  handlers_.on_broken();
}

void ApplyCall::FinishIfDone() {
  if (!released_ || !broken_ || writing_) return;
  stream_->Finish(&status_, finished_);
}

void ApplyCall::OnFinished(bool) {
  handlers_.on_end(process::FromGrpcStatus(status_));
  delete this;
}

}  // namespace sluice::fleet
