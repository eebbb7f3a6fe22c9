// gRPC's callback calls, brought to the fleet's loop: each starts on the loop, and what comes back is posted there. The
// calls own themselves; the context that they hand out serves to cancel them, also after their end.
//
// A call is destroyed on the loop, not where gRPC tells its end: it may hold the last reference to its channel, and the
// last channel of a process takes down the threads that run callbacks, which must not be the one that it runs on.
//
// Threads: the functions here from the loop; the reactors run on gRPC's threads.
#ifndef SLUICE_SIGNALING_FLEET_RELAY_CALLS_H_
#define SLUICE_SIGNALING_FLEET_RELAY_CALLS_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "process/grpc_status.h"
#include "signaling/fleet/open_calls.h"
#include "signaling/fleet/work_loop.h"
#include "sluice/relay/v1/session_service.grpc.pb.h"

namespace sluice::fleet {

// Where calls post to, and how they are counted.
struct CallHome {
  WorkLoop& loop;
  std::shared_ptr<OpenCalls> open_calls;
};

using SharedContext = std::shared_ptr<grpc::ClientContext>;

// `begin(context, request, response, done)` is a unary method of an async stub.
template <typename Request, typename Response, typename Begin>
SharedContext BeginUnary(const CallHome& home, Request request, absl::Duration timeout, Begin begin,
                         std::function<void(absl::Status, Response&)> done) {
  struct Call {
    SharedContext context = std::make_shared<grpc::ClientContext>();
    Request request;
    Response response;
    OpenCalls::Token token;
  };
  auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->token = home.open_calls->Open();
  const SharedContext context = call->context;
  context->set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  begin(context.get(), &call->request, &call->response,
        [&loop = home.loop, call, done = std::move(done)](const grpc::Status& status) mutable {
          loop.Post([call = std::move(call), done = std::move(done), status] {
            done(process::FromGrpcStatus(status), call->response);
          });
        });
  return context;
}

// A server's stream. `on_message` for each answer, then `on_end` once.
template <typename Request, typename Response>
class WatchCall final : public grpc::ClientReadReactor<Response> {
 public:
  using OnMessage = std::function<void(Response&)>;
  using OnEnd = std::function<void(absl::Status)>;

  // `begin(context, request, reactor)` is a server-streaming method of an async stub.
  template <typename Begin>
  static SharedContext Start(const CallHome& home, Request request, Begin begin, OnMessage on_message, OnEnd on_end) {
    auto* call = new WatchCall(home, std::move(request), std::move(on_message), std::move(on_end));
    // The call may end, and be gone, as soon as it has started.
    SharedContext context = call->context_;
    begin(context.get(), &call->request_, call);
    call->StartRead(&call->response_);
    call->StartCall();
    return context;
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    loop_.Post([on_message = on_message_, response = std::make_shared<Response>(std::move(response_))] {
      on_message(*response);
    });
    response_.Clear();
    this->StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    loop_.Post([this, status = process::FromGrpcStatus(status)] {
      on_end_(status);
      delete this;
    });
  }

 private:
  WatchCall(const CallHome& home, Request request, OnMessage on_message, OnEnd on_end)
      : loop_(home.loop),
        token_(home.open_calls->Open()),
        request_(std::move(request)),
        on_message_(std::move(on_message)),
        on_end_(std::move(on_end)) {}

  WorkLoop& loop_;
  const OpenCalls::Token token_;
  const SharedContext context_ = std::make_shared<grpc::ClientContext>();
  const Request request_;
  Response response_;
  const OnMessage on_message_;
  const OnEnd on_end_;
};

// The stream of batches. Lives until both Release was called and the stream has ended.
class ApplyCall final
    : public grpc::ClientBidiReactor<relay::v1::ApplySessionsRequest, relay::v1::ApplySessionsResponse> {
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
  void Send(relay::v1::ApplySessionsRequest request);
  // Ends the stream. This object must not be used any more.
  void Release();

  void OnWriteDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  ApplyCall(const CallHome& home, Handlers handlers);

  WorkLoop& loop_;
  const OpenCalls::Token token_;
  const std::shared_ptr<const Handlers> handlers_;
  grpc::ClientContext context_;
  relay::v1::ApplySessionsRequest request_;
  relay::v1::ApplySessionsResponse response_;
};

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_RELAY_CALLS_H_
