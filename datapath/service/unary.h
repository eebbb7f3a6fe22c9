// A unary call that is carried out on the control thread.

#ifndef SLUICE_DATAPATH_SERVICE_UNARY_H_
#define SLUICE_DATAPATH_SERVICE_UNARY_H_

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/status/status.h"
#include "datapath/service/control_loop.h"
#include "process/grpc_status.h"

namespace sluice::service {

// `work(now)` answers an absl::Status, which ends the call. Request and response stay until then.
template <typename Work>
grpc::ServerUnaryReactor* RunUnary(ControlLoop& loop, grpc::CallbackServerContext* context, Work work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status posted = loop.Post([reactor, work = std::move(work)](const session::Moment& now) {
    reactor->Finish(process::ToGrpcStatus(work(now)));
  });
  if (!posted.ok()) reactor->Finish(process::ToGrpcStatus(posted));
  return reactor;
}

// A call that is over before it began.
inline grpc::ServerUnaryReactor* RefuseUnary(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(process::ToGrpcStatus(status));
  return reactor;
}

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_UNARY_H_
