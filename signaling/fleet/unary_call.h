// gRPC's asynchronous unary call on a loop: it starts there, and what comes back is told there. The call owns itself;
// the context that it hands out serves to cancel it, also after its end.
//
// Threads: the loop.
#ifndef SLUICE_SIGNALING_FLEET_UNARY_CALL_H_
#define SLUICE_SIGNALING_FLEET_UNARY_CALL_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "process/grpc_status.h"
#include "signaling/fleet/open_calls.h"
#include "signaling/fleet/work_loop.h"

namespace sluice::fleet {

// Where calls are made, and how they are counted.
struct CallHome {
  WorkLoop& loop;
  std::shared_ptr<OpenCalls> open_calls;
};

using SharedContext = std::shared_ptr<grpc::ClientContext>;

// `prepare(context, request, queue)` is the PrepareAsync of a unary method of a stub.
template <typename Request, typename Response, typename Prepare>
SharedContext BeginUnary(const CallHome& home, const Request& request, absl::Duration timeout, Prepare prepare,
                         std::function<void(absl::Status, Response&)> done) {
  struct Call final : WorkLoop::Completion {
    void OnCompleted(bool) override {
      done(process::FromGrpcStatus(status), response);
      delete this;
    }
    SharedContext context = std::make_shared<grpc::ClientContext>();
    OpenCalls::Token token;
    std::function<void(absl::Status, Response&)> done;
    Response response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
  };
  auto* const call = new Call;
  call->token = home.open_calls->Open();
  call->done = std::move(done);
  call->context->set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  call->reader = prepare(call->context.get(), request, &home.loop.completions());
  call->reader->StartCall();
  call->reader->Finish(&call->response, &call->status, static_cast<WorkLoop::Completion*>(call));
  return call->context;
}

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_UNARY_CALL_H_
