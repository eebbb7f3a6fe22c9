// One WatchStats call: an answer now and then every interval, or one only.
//
// With sessions an answer may be too large for one message: it goes on in more messages of the same time that have
// sessions only, at most 1 000 each.
//
// Exactly one thing is on its way at any time: work on the control thread, a write, or the alarm of the next answer. A
// call that is cancelled ends with it.
//
// Threads: as gRPC's reactors and the control thread call it. Deletes itself when the call is over.

#ifndef SLUICE_DATAPATH_SERVICE_STATS_STREAM_H_
#define SLUICE_DATAPATH_SERVICE_STATS_STREAM_H_

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "datapath/service/control_loop.h"
#include "datapath/service/relay_report.h"
#include "datapath/session/session_model.h"
#include "sluice/relay/v1/relay_service.pb.h"

namespace sluice::service {

class StatsStream final : public grpc::ServerWriteReactor<relay::v1::WatchStatsResponse> {
 public:
  // INVALID_ARGUMENT ends the call at once for an interval that is not allowed.
  StatsStream(ControlLoop& loop, session::SessionModel& model, RelayReport& report,
              const relay::v1::WatchStatsRequest& request);

  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone() override;

 private:
  void Begin();
  // Puts one message together and writes it; on the control thread.
  void Fill(const session::Moment& now);
  void Wait() ABSL_LOCKS_EXCLUDED(mutex_);

  ControlLoop& loop_;
  session::SessionModel& model_;
  RelayReport& report_;
  const bool include_sessions_;
  absl::Duration interval_;  // 0: one answer only.
  absl::Time next_;
  relay::v1::WatchStatsResponse response_;
  // Of an answer that goes on: the session to go on after, and its time.
  std::string after_;
  session::Moment began_;
  grpc::Alarm alarm_;

  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_STATS_STREAM_H_
