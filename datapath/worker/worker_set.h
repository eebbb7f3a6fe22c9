// All workers of a relay: one a core, each with its rings to the control thread and to the capture writer.
//
// How it works. Start launches one poll loop (worker.h) on each core that EAL has made for workers. Worker w of n
// receives from the queues w, w + n, ... of every port and sends on queue w (io/port.h). They share the flow table and
// the next-hop table; each has counters, an event ring and a capture ring of its own, so nothing is written by two.
//
// Threads: the control thread. Events are drained by the control thread, captures by the capture writer's.

#ifndef SLUICE_DATAPATH_WORKER_WORKER_SET_H_
#define SLUICE_DATAPATH_WORKER_WORKER_SET_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "datapath/capture/capture_ring.h"
#include "datapath/flow/event_ring.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/next_hop_table.h"
#include "datapath/io/eal.h"
#include "datapath/io/port.h"
#include "datapath/worker/pipeline.h"
#include "datapath/worker/worker.h"
#include "datapath/worker/worker_statistics.h"

namespace sluice::worker {

struct WorkerSetOptions {
  // One worker each; of io::Eal::workers().
  std::vector<io::WorkerCore> cores;
  // Started, with a transmit queue for each worker.
  std::vector<io::Port> ports;
  // The longest sleep between two polls that find nothing, up to 1 ms; 0: never sleep.
  absl::Duration max_idle_sleep = absl::Microseconds(50);
  // Most packets that a worker takes from a queue at once; 1 to kMaxBurst.
  uint16_t burst = kMaxBurst;
  // Events that wait for the control thread, and frames that wait for the capture writer, for each worker. The latter
  // is a power of two.
  size_t event_ring_capacity = 16384;
  size_t capture_ring_slots = 1024;
};

class WorkerSet {
 public:
  // The tables outlive the set. INVALID_ARGUMENT for options out of range, INTERNAL if a core cannot be started.
  static absl::StatusOr<std::unique_ptr<WorkerSet>> Start(const WorkerSetOptions& options, flow::FlowTable& flows,
                                                          flow::NextHopTable& next_hops);

  // Stops.
  ~WorkerSet();

  // Ends all loops after their present iteration and waits for that. Rings and counters stay readable. Once is enough.
  void Stop();

  size_t size() const { return workers_.size(); }

  // One a worker, in order. Restarts each `longest_loop_since_last_ns`, so one periodic reader should call it and
  // share what it got.
  std::vector<WorkerSnapshot> Snapshot();

  flow::EventRing& events(size_t worker) { return workers_[worker]->events(); }
  // Frames of flows with kFlowCapture. Their `capture_id` is the flow's state index, whose session and leg the control
  // thread knows; `leg` is not used.
  capture::CaptureRing& captures(size_t worker) { return workers_[worker]->captures(); }

 private:
  WorkerSet() = default;

  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<unsigned> lcores_;  // Of the workers that run.
};

}  // namespace sluice::worker

#endif  // SLUICE_DATAPATH_WORKER_WORKER_SET_H_
