// Time that never jumps: the wall clock's at the start, from then on as the monotonic clock goes. Timers that are
// counted by it neither fire early nor wait for ever when somebody sets the clock; records differ from the wall clock
// by as much as it was set since the start (services start after the time is synchronised).
//
// Threads: any.
#ifndef SLUICE_SIGNALING_AGENT_STEADY_TIME_H_
#define SLUICE_SIGNALING_AGENT_STEADY_TIME_H_

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace sluice::agent {

class SteadyTime {
 public:
  SteadyTime() : start_(absl::Now()), steady_start_(std::chrono::steady_clock::now()) {}

  // In whole nanoseconds.
  absl::Time Now() const { return start_ + absl::FromChrono(std::chrono::steady_clock::now() - steady_start_); }

 private:
  const absl::Time start_;
  const std::chrono::steady_clock::time_point steady_start_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_STEADY_TIME_H_
