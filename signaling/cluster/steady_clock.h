// Time for leases and limits: it goes on evenly, whatever somebody does to the wall clock.
//
// Threads: any.
#ifndef SLUICE_SIGNALING_CLUSTER_STEADY_CLOCK_H_
#define SLUICE_SIGNALING_CLUSTER_STEADY_CLOCK_H_

#include <chrono>

#include "absl/time/time.h"

namespace sluice::cluster {

// Since some moment, the same for the whole process.
inline absl::Duration SteadyNow() { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); }

}  // namespace sluice::cluster

#endif  // SLUICE_SIGNALING_CLUSTER_STEADY_CLOCK_H_
