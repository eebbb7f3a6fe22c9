// The relay's one control thread: it owns the sessions and the tables, and everybody else posts to it.
//
// A turn of the loop: work that was posted, in order; events of all workers; reclaim of what no worker can see any more
// (after the events, as flow/event_ring.h wants it); routes and neighbours; and every 50 ms the timeouts. Without work
// a turn is made every 2 ms, so a learned source is in use 2 ms later at most; without sessions, where there is none to
// learn, every 20 ms, so that an idle relay costs little.
//
// At most kMaxWaiting pieces of work wait. Who posts has a client that waits for the answer, and each client has few
// requests on the way, so more means that the relay cannot keep up, and is refused.
//
// Threads: Post from any. The work runs on the loop's thread; it must not block.

#ifndef SLUICE_DATAPATH_SERVICE_CONTROL_LOOP_H_
#define SLUICE_DATAPATH_SERVICE_CONTROL_LOOP_H_

#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "datapath/flow/flow_table.h"
#include "datapath/service/datapath.h"
#include "datapath/session/moment.h"
#include "datapath/session/session_model.h"

namespace sluice::service {

class ControlLoop {
 public:
  using Work = std::function<void(const session::Moment& now)>;
  static constexpr size_t kMaxWaiting = 4096;

  // All outlive the loop, which begins at once.
  ControlLoop(Datapath& datapath, flow::FlowTable& table, session::SessionModel& model);
  // Runs what waits, and ends.
  ~ControlLoop();

  // RESOURCE_EXHAUSTED, and the work is not run, if too much waits already.
  absl::Status Post(Work work) ABSL_LOCKS_EXCLUDED(mutex_);
  // Posts and waits; not from the loop's own thread.
  absl::Status Run(const Work& work) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Loop();
  void Turn(const std::vector<Work>& work);

  Datapath& datapath_;
  flow::FlowTable& table_;
  session::SessionModel& model_;
  absl::Time next_advance_ = absl::InfinitePast();

  absl::Mutex mutex_;
  std::vector<Work> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace sluice::service

#endif  // SLUICE_DATAPATH_SERVICE_CONTROL_LOOP_H_
