// What a relay is and how it does, as sluice.relay.v1 and Prometheus tell it: one reading for both.
//
// How it works. Refresh reads the workers at most every 100 ms, since a reading restarts their "longest since the last"
// figures and copies histograms; everybody who asks meanwhile gets the same. Busy shares are those of about the last
// second.
//
// Threads: the control thread.

#ifndef SLUICE_DATAPATH_SERVICE_RELAY_REPORT_H_
#define SLUICE_DATAPATH_SERVICE_RELAY_REPORT_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "datapath/flow/flow_table.h"
#include "datapath/service/datapath.h"
#include "datapath/session/moment.h"
#include "datapath/session/session_model.h"
#include "datapath/worker/worker_statistics.h"
#include "sluice/relay/v1/relay_service.pb.h"

namespace sluice::service {

struct RelayIdentity {
  std::string name;
  std::string version;
  std::string instance_id;
  absl::Time start_time;
};

class RelayReport {
 public:
  RelayReport(RelayIdentity identity, Datapath& datapath, flow::FlowTable& table, session::SessionModel& model)
      : identity_(std::move(identity)), datapath_(datapath), table_(table), model_(model) {}

  void ToProto(const session::Moment& now, relay::v1::Relay& out);
  // All but the sessions.
  void ToProto(const session::Moment& now, relay::v1::WatchStatsResponse& out);

 private:
  // What busy shares are counted from.
  struct Cycles {
    uint64_t all = 0;
    uint64_t busy = 0;
  };
  struct Mark {
    absl::Time time;
    std::vector<Cycles> workers;
  };

  void Refresh(const session::Moment& now);
  // Over about the last second; of all workers together for `worker` = their number.
  double BusyShare(size_t worker) const;

  const RelayIdentity identity_;
  Datapath& datapath_;
  flow::FlowTable& table_;
  session::SessionModel& model_;
  absl::Time refreshed_ = absl::InfinitePast();
  std::vector<worker::WorkerSnapshot> workers_;
  std::deque<Mark> marks_;  // Oldest first, a second of them and one more.
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_RELAY_REPORT_H_
