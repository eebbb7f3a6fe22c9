// One ApplySessions call: batches of writes, answered in their order.
//
// A batch is read, carried out on the control thread, and its answer written, before the next is read. So exactly one
// operation is on its way at any time, nothing is buffered for a client that does not read, and a call that is
// cancelled ends with the operation that fails.
//
// A batch lives in an arena, so that reading and answering it costs no allocation a field.
//
// Threads: as gRPC's reactors and the control thread call it, one at a time. Deletes itself when the call is over.

#ifndef SLUICE_DATAPATH_SERVICE_APPLY_STREAM_H_
#define SLUICE_DATAPATH_SERVICE_APPLY_STREAM_H_

#include <google/protobuf/arena.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "datapath/service/control_loop.h"
#include "datapath/session/session_model.h"
#include "sluice/relay/v1/session_service.pb.h"

namespace sluice::service {

class ApplyStream final
    : public grpc::ServerBidiReactor<relay::v1::ApplySessionsRequest, relay::v1::ApplySessionsResponse> {
 public:
  ApplyStream(ControlLoop& loop, session::SessionModel& model);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  // Waits for the next batch, with the one before forgotten.
  void ReadBatch();
  // The specs of the batch, by item; of a delete there is none.
  void ReadSpecs();
  void Apply(const session::Moment& now);
  absl::StatusOr<session::SessionState> ApplyOne(int item, const session::Writer& writer, const session::Moment& now);

  ControlLoop& loop_;
  session::SessionModel& model_;
  // A batch of the usual size fits in here; a bigger one takes more.
  const std::unique_ptr<char[]> block_;
  google::protobuf::Arena arena_;
  // Of the arena.
  relay::v1::ApplySessionsRequest* request_ = nullptr;
  relay::v1::ApplySessionsResponse* response_ = nullptr;
  std::vector<absl::StatusOr<session::SessionSpec>> specs_;
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_APPLY_STREAM_H_
