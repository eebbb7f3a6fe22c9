// How long a worker that finds nothing sleeps before it looks again.
//
// How it works. A worker that finds many packets at once is loaded: it looks again and again, and begins to sleep only
// after many looks in vain. Sleeps then double from 1 us to the limit. A worker that finds few packets when it wakes
// goes on from the length of its sleep, so that it takes the packets of some time together instead of burning its core
// for each of them. A packet waits at most the limit, which is invisible against the 20 ms between the packets of a
// stream. After a second without a packet nobody talks, and sleeps go on doubling to twenty times the limit, 1 ms at
// most: the price of a relay that waits for calls, paid by the first packet of the first of them.
//
// Threads: one worker. Pure: time is passed in.

#ifndef SLUICE_DATAPATH_WORKER_IDLE_RAMP_H_
#define SLUICE_DATAPATH_WORKER_IDLE_RAMP_H_

#include <algorithm>
#include <cstdint>

namespace sluice::worker {

class IdleRamp {
 public:
  static constexpr unsigned kPollsBeforeSleep = 64;
  static constexpr unsigned kManyPackets = 16;
  static constexpr uint64_t kFirstSleepNs = 1000;
  static constexpr uint64_t kDeepFactor = 20;
  static constexpr uint64_t kMaxDeepSleepNs = 1'000'000;

  // `limit_ns` 0: never sleep.
  IdleRamp(uint64_t limit_ns, uint64_t ticks_per_second)
      : limit_ns_(limit_ns),
        deep_limit_ns_(std::max(limit_ns, std::min(limit_ns * kDeepFactor, kMaxDeepSleepNs))),
        deep_after_ticks_(ticks_per_second) {}

  // A poll at `ticks` found `count` packets, at least one.
  void OnPackets(uint64_t ticks, unsigned count) {
    last_packets_ = ticks;
    if (count < kManyPackets) {
      sleep_ns_ = std::min(sleep_ns_, limit_ns_);
      return;
    }
    empty_polls_ = 0;
    sleep_ns_ = 0;
  }

  // A poll at `ticks` found none. Answers how long to sleep; 0: not at all.
  uint64_t OnEmpty(uint64_t ticks) {
    if (limit_ns_ == 0) return 0;
    if (empty_polls_ < kPollsBeforeSleep) {
      ++empty_polls_;
      return 0;
    }
    const bool is_deep = ticks - last_packets_ >= deep_after_ticks_;
    sleep_ns_ = std::min(std::max(sleep_ns_ * 2, kFirstSleepNs), is_deep ? deep_limit_ns_ : limit_ns_);
    return sleep_ns_;
  }

 private:
  uint64_t limit_ns_;
  uint64_t deep_limit_ns_;
  uint64_t deep_after_ticks_;
  uint64_t last_packets_ = 0;
  uint64_t sleep_ns_ = 0;
  unsigned empty_polls_ = 0;
};

}  // namespace sluice::worker

#endif  // SLUICE_DATAPATH_WORKER_IDLE_RAMP_H_
