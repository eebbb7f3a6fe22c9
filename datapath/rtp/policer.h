// A token bucket that holds a flow to its negotiated bandwidth.
//
// How it works. As the generic cell rate algorithm (ITU-T I.371): one number, the time at which the bucket would be
// full again. A packet moves it by its size times the ticks a byte costs; a packet that would move it more than the
// burst beyond now is over the limit and moves nothing.
//
// Threads: the one worker that receives the flow.

#ifndef SLUICE_DATAPATH_RTP_POLICER_H_
#define SLUICE_DATAPATH_RTP_POLICER_H_

#include <cstdint>

#include "datapath/rtp/single_writer.h"

namespace sluice::rtp {

struct Policer {
  // Ticks a byte costs, in 1/256 ticks, for a limit in bits a second. 0 (no limit) for 0. Limits below what 32 bits can
  // say are raised to that.
  static constexpr uint32_t Cost(uint64_t bits_per_second, uint64_t ticks_per_second) {
    if (bits_per_second == 0) return 0;
    const unsigned __int128 cost = static_cast<unsigned __int128>(ticks_per_second) * 8 * 256 / bits_per_second;
    return cost == 0 ? 1 : cost > 0xffffffff ? 0xffffffff : static_cast<uint32_t>(cost);
  }

  // `full_at` after `bytes` of a packet (IP header included) at `ticks`; `burst` is in ticks, one second's worth as a
  // rule, and `ticks` is not 0. 0: over the limit.
  uint64_t After(uint32_t cost, uint32_t bytes, uint64_t ticks, uint64_t burst) const {
    const uint64_t full = full_at.Load();
    const uint64_t next = (full > ticks ? full : ticks) + (static_cast<uint64_t>(cost) * bytes >> 8);
    return next > ticks + burst ? 0 : next;
  }

  // Takes such a packet. False: over the limit.
  bool Take(uint32_t cost, uint32_t bytes, uint64_t ticks, uint64_t burst) {
    const uint64_t next = After(cost, bytes, ticks, burst);
    if (next == 0) return false;
    full_at.Store(next);
    return true;
  }

  void Reset() { full_at.Store(0); }

  SingleWriter<uint64_t> full_at;
};

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_POLICER_H_
