// gRPC's asynchronous calls on the fleet's loop: each starts there, and what comes back is told there. The calls own
// themselves; the context that they hand out serves to cancel them, also after their end.
//
// Threads: the loop.
#ifndef SLUICE_SIGNALING_FLEET_RELAY_CALLS_H_
#define SLUICE_SIGNALING_FLEET_RELAY_CALLS_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "process/grpc_status.h"
#include "signaling/fleet/open_calls.h"
#include "signaling/fleet/unary_call.h"
#include "signaling/fleet/work_loop.h"
#include "sluice/relay/v1/session_service.grpc.pb.h"

namespace sluice::fleet {

// A server's stream. `on_message` for each answer, then `on_end` once.
template <typename Request, typename Response>
class WatchCall final : public WorkLoop::Completion {
 public:
  using OnMessage = std::function<void(Response&)>;
  using OnEnd = std::function<void(absl::Status)>;

  // `prepare(context, request, queue)` is the PrepareAsync of a server-streaming method of a stub.
  template <typename Prepare>
  static SharedContext Start(const CallHome& home, const Request& request, Prepare prepare, OnMessage on_message,
                             OnEnd on_end) {
    auto* const call = new WatchCall(home, std::move(on_message), std::move(on_end));
    call->reader_ = prepare(call->context_.get(), request, &home.loop.completions());
    call->reader_->StartCall(call->tag());
    return call->context_;
  }

  void OnCompleted(bool ok) override {
    if (state_ == State::kEnding) {
      on_end_(process::FromGrpcStatus(status_));
      delete this;
      return;
    }
    if (!ok) {
      state_ = State::kEnding;
      reader_->Finish(&status_, tag());
      return;
    }
    if (std::exchange(state_, State::kReading) == State::kReading) on_message_(response_);
    reader_->Read(&response_, tag());
  }

 private:
  enum class State { kStarting, kReading, kEnding };

  WatchCall(const CallHome& home, OnMessage on_message, OnEnd on_end)
      : token_(home.open_calls->Open()), on_message_(std::move(on_message)), on_end_(std::move(on_end)) {}

  // One operation is under way at a time.
  void* tag() { return static_cast<WorkLoop::Completion*>(this); }

  const OpenCalls::Token token_;
  const SharedContext context_ = std::make_shared<grpc::ClientContext>();
  const OnMessage on_message_;
  const OnEnd on_end_;
  State state_ = State::kStarting;
  Response response_;
  grpc::Status status_;
  std::unique_ptr<grpc::ClientAsyncReader<Response>> reader_;
};

// The stream of batches. Lives until both Release was called and the stream has ended.
class ApplyCall final {
 public:
  struct Handlers {
    // The batch is on its way; the next one may be sent.
    std::function<void()> on_sent;
    std::function<void(relay::v1::ApplySessionsResponse&)> on_results;
    // Nothing can be sent or will be answered any more: Release is due.
    std::function<void()> on_broken;
    // Once, after Release.
    std::function<void(absl::Status)> on_end;
  };

  static ApplyCall* Start(const CallHome& home, relay::v1::SessionService::Stub& stub, Handlers handlers);

  // One batch at a time, never after on_broken or Release.
  void Send(const relay::v1::ApplySessionsRequest& request);
  // Ends the stream. This object must not be used any more.
  void Release();

 private:
  // What becomes of one kind of operation.
  struct Tag final : WorkLoop::Completion {
    Tag(ApplyCall& of, void (ApplyCall::*what)(bool)) : call(of), function(what) {}
    void OnCompleted(bool ok) override { (call.*function)(ok); }
    operator void*() { return static_cast<WorkLoop::Completion*>(this); }
    ApplyCall& call;
    void (ApplyCall::*const function)(bool);
  };

  ApplyCall(const CallHome& home, Handlers handlers);

  void OnStarted(bool ok);
  void OnWritten(bool ok);
  void OnRead(bool ok);
  void OnFinished(bool ok);
  void FinishIfDone();

  const OpenCalls::Token token_;
  const Handlers handlers_;
  grpc::ClientContext context_;
  Tag started_{*this, &ApplyCall::OnStarted};
  Tag written_{*this, &ApplyCall::OnWritten};
  Tag read_{*this, &ApplyCall::OnRead};
  Tag finished_{*this, &ApplyCall::OnFinished};
  bool open_ = false;
  bool broken_ = false;
  bool writing_ = false;
  bool released_ = false;
  // Waits until the stream is open.
  relay::v1::ApplySessionsRequest first_;
  relay::v1::ApplySessionsResponse response_;
  grpc::Status status_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<relay::v1::ApplySessionsRequest, relay::v1::ApplySessionsResponse>>
      stream_;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_RELAY_CALLS_H_
