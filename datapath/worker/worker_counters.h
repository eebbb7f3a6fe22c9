// What one worker counts while it works, on cache lines of its own.
//
// Threads: written by the worker, read by any thread (each number is whole). `longest_loop_since_last` is also set back
// by the one reader who takes snapshots; a maximum that it misses is in the next one.

#ifndef SLUICE_DATAPATH_WORKER_WORKER_COUNTERS_H_
#define SLUICE_DATAPATH_WORKER_WORKER_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "datapath/packet/drop_reason.h"
#include "datapath/rtp/single_writer.h"
#include "datapath/worker/residence_histogram.h"

namespace sluice::worker {

struct alignas(64) WorkerCounters {
  void CountDrop(packet::DropReason reason, uint64_t packets = 1) { drops[static_cast<size_t>(reason)].Add(packets); }

  void CountLoop(uint64_t ticks, bool found_packets) {
    polls.Add(1);
    if (found_packets) {
      busy_cycles.Add(ticks);
    } else {
      empty_polls.Add(1);
    }
    if (ticks > longest_loop.Load()) longest_loop.Store(ticks);
    if (ticks > longest_loop_since_last.load(std::memory_order_relaxed)) {
      longest_loop_since_last.store(ticks, std::memory_order_relaxed);
    }
  }

  rtp::SingleWriter<uint64_t> received;
  rtp::SingleWriter<uint64_t> forwarded;
  rtp::SingleWriter<uint64_t> punted;
  rtp::SingleWriter<uint64_t> polls;
  rtp::SingleWriter<uint64_t> empty_polls;
  rtp::SingleWriter<uint64_t> cycles;
  rtp::SingleWriter<uint64_t> busy_cycles;
  rtp::SingleWriter<uint64_t> longest_loop;  // Ticks.
  std::atomic<uint64_t> longest_loop_since_last{0};
  std::array<rtp::SingleWriter<uint64_t>, packet::kDropReasonCount> drops;
  ResidenceRecorder residence;
};

}  // namespace sluice::worker

#endif  // SLUICE_DATAPATH_WORKER_WORKER_COUNTERS_H_
