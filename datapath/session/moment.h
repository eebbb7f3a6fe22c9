// One reading of both clocks: wall time for people and timeouts, ticks for what workers wrote.
//
// Both are read together and passed in, so that a tick of a worker can be told as a time, and tests never sleep.
//
// Threads: values.

#ifndef SLUICE_DATAPATH_SESSION_MOMENT_H_
#define SLUICE_DATAPATH_SESSION_MOMENT_H_

#include <cstdint>

#include "absl/time/time.h"

namespace sluice::session {

struct Moment {
  absl::Time time;
  uint64_t ticks = 0;

  // The time of an earlier reading of the tick counter.
  absl::Time TimeOf(uint64_t earlier_ticks, uint64_t ticks_per_second) const {
    if (earlier_ticks >= ticks) return time;
    const uint64_t age = ticks - earlier_ticks;
    // Whole seconds apart, so that 64 bits do.
    return time - absl::Seconds(age / ticks_per_second) -
           absl::Nanoseconds(static_cast<int64_t>(age % ticks_per_second * 1'000'000'000 / ticks_per_second));
  }
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_MOMENT_H_
