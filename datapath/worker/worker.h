// One worker: the poll loop on a core around the pipeline.
//
// How it works. Each iteration takes a burst from every receive queue of the worker, runs it through the pipeline,
// sends what comes out at once (no packet waits for a fuller burst), frees what was dropped or not taken (`tx_full`),
// and reports quiescent to the flow table. An iteration that found nothing may sleep (idle_ramp.h).
//
// The loop measures itself: the residence time of each burst, the share of cycles in iterations that found packets,
// and the longest iteration.
//
// Threads: Run on the worker's core; Stop, Snapshot and the consumers' sides of the rings from others.

#ifndef SLUICE_DATAPATH_WORKER_WORKER_H_
#define SLUICE_DATAPATH_WORKER_WORKER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "datapath/capture/capture_ring.h"
#include "datapath/flow/event_ring.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/next_hop_table.h"
#include "datapath/io/port.h"
#include "datapath/worker/pipeline.h"
#include "datapath/worker/worker_counters.h"
#include "datapath/worker/worker_statistics.h"

namespace sluice::worker {

struct WorkerOptions {
  // Of `workers` in all; also its place in the flow table's QSBR.
  unsigned index = 0;
  unsigned workers = 1;
  unsigned cpu = 0;
  std::vector<io::Port> ports;
  uint64_t max_idle_sleep_ns = 50'000;
  // Most packets taken from a queue at once; 1 to kMaxBurst.
  uint16_t burst = kMaxBurst;
  size_t event_ring_capacity = 16384;
  size_t capture_ring_slots = 1024;
};

class Worker {
 public:
  // The tables outlive the worker.
  Worker(const WorkerOptions& options, flow::FlowTable& flows, flow::NextHopTable& next_hops);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Polls until Stop, which may have come before.
  void Run();
  // Run returns after its present iteration.
  void Stop() { stop_.store(true, std::memory_order_relaxed); }

  // Restarts `longest_loop_since_last_ns`.
  WorkerSnapshot Snapshot();

  flow::EventRing& events() { return events_; }
  capture::CaptureRing& captures() { return captures_; }

 private:
  struct ReceiveQueue {
    io::Port port;
    uint16_t queue;
  };

  // What an iteration found, and when it ended.
  struct Polled {
    unsigned packets = 0;
    uint64_t end = 0;  // Ticks.
  };

  Polled Poll();
  void SendAll();
  // Gives what is for the kernel to the port's exception path.
  void Punt(io::ExceptionPath& path, uint64_t ticks);

  const unsigned index_;
  const unsigned cpu_;
  const uint64_t max_idle_sleep_ns_;
  const uint16_t burst_;
  std::vector<ReceiveQueue> receive_queues_;
  std::vector<io::Port> ports_;  // By DPDK's id.
  flow::FlowTable& flows_;
  flow::EventRing events_;
  capture::CaptureRing captures_;
  WorkerCounters counters_;
  PipelineContext context_;
  BurstResult result_;
  std::atomic<bool> stop_{false};
};

}  // namespace sluice::worker

#endif  // SLUICE_DATAPATH_WORKER_WORKER_H_
