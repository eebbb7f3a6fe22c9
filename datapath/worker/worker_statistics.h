// What a worker says about itself, as plain numbers.
//
// All counters rise from 0 at the worker's start. Busy share over an interval: the difference of `busy_cycles` by that
// of `cycles` between two snapshots.
//
// Every packet that a worker received is in exactly one of `forwarded`, `punted` and one of `drops`.
//
// Threads: values.

#ifndef SLUICE_DATAPATH_WORKER_WORKER_STATISTICS_H_
#define SLUICE_DATAPATH_WORKER_WORKER_STATISTICS_H_

#include <array>
#include <cstdint>

#include "datapath/packet/drop_reason.h"
#include "datapath/worker/residence_histogram.h"

namespace sluice::worker {

struct WorkerSnapshot {
  explicit WorkerSnapshot(uint64_t ticks_per_second) : residence(ticks_per_second) {}

  uint64_t DropsFor(packet::DropReason reason) const { return drops[static_cast<size_t>(reason)]; }

  unsigned index = 0;
  unsigned cpu = 0;
  uint64_t received = 0;
  uint64_t forwarded = 0;  // Taken by a device's transmit queue.
  uint64_t punted = 0;     // Given to the exception path.
  // By packet::DropReason; kNone stays 0.
  std::array<uint64_t, packet::kDropReasonCount> drops = {};
  ResidenceHistogram residence;
  uint64_t polls = 0;        // Iterations over all ports of the worker.
  uint64_t empty_polls = 0;  // Those that found nothing.
  // Of the time counter: since the start of the worker, and in polls that found packets.
  uint64_t cycles = 0;
  uint64_t busy_cycles = 0;
  // The longest iteration, idle sleep not included: since the start, and since the snapshot before this one. Far above
  // the residence time it means that somebody took the CPU away.
  uint64_t longest_loop_ns = 0;
  uint64_t longest_loop_since_last_ns = 0;
  // What the rings to the control thread and to the capture writer had no room for.
  uint64_t events_lost = 0;
  uint64_t captures_lost = 0;
};

}  // namespace sluice::worker

#endif  // SLUICE_DATAPATH_WORKER_WORKER_STATISTICS_H_
