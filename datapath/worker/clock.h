// The worker's time counter: what every `ticks` of the datapath is.
//
// The CPU's time stamp counter, which on every machine that the relay is meant for counts at a constant rate and is the
// same on all cores. DPDK measures its rate when EAL starts.
//
// Threads: any.

#ifndef SLUICE_DATAPATH_WORKER_CLOCK_H_
#define SLUICE_DATAPATH_WORKER_CLOCK_H_

#include <cstdint>

namespace sluice::worker {

// The present value.
uint64_t Ticks();

// Ticks a second. Not 0 once EAL has been started.
uint64_t TicksPerSecond();

// `ticks` (a duration) in nanoseconds.
uint64_t ToNanoseconds(uint64_t ticks);

}  // namespace sluice::worker

#endif  // SLUICE_DATAPATH_WORKER_CLOCK_H_
