#include "datapath/worker/clock.h"

#include <rte_cycles.h>

namespace sluice::worker {

uint64_t Ticks() { return rte_rdtsc(); }

uint64_t TicksPerSecond() { return rte_get_tsc_hz(); }

uint64_t ToNanoseconds(uint64_t ticks) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(ticks) * 1'000'000'000 / TicksPerSecond());
}

}  // namespace sluice::worker
