// Round-trip times between the relay and a peer, from the RTCP that passes through (RFC 3550 6.4.1).
//
// How it works. When a sender report goes out to a peer, the relay notes the middle 32 bits of its NTP timestamp and
// when it went. When that peer's reception report comes back with the same LSR, the time since then less DLSR is the
// round trip between relay and peer. The sum of both legs is the end-to-end round trip.
//
// All times are in 1/65536 s (the compact NTP form). The note is one word, so the worker of the other direction reads
// it whole.
//
// Threads: of each flow's RtcpState the one worker that receives the flow writes; the opposite flow's worker reads
// `forwarded_report`.

#ifndef SLUICE_DATAPATH_RTP_RTCP_ROUND_TRIP_H_
#define SLUICE_DATAPATH_RTP_RTCP_ROUND_TRIP_H_

#include <cstddef>
#include <cstdint>

#include "datapath/rtp/single_writer.h"

namespace sluice::rtp {

struct RtcpState {
  // Of the last sender report that came in here and was forwarded: its LSR in the upper half, when in the lower half.
  // 0: none.
  SingleWriter<uint64_t> forwarded_report;
  SingleWriter<uint32_t> packets;
  SingleWriter<uint32_t> round_trip;  // In 1/65536 s; 0: not known.
  SingleWriter<uint32_t>
      remote_lost;  // Cumulative loss that the peer reported about what it receives (24 bits, signed).
  SingleWriter<uint8_t> remote_fraction;  // Its fraction lost, in 1/256.
  SingleWriter<uint8_t> has_report;       // Whether the peer has sent a report block at all.
};
static_assert(sizeof(RtcpState) == 24);

class RtcpRoundTrip {
 public:
  // `ticks` as compact NTP time, modulo 2^32.
  static uint32_t ToCompact(uint64_t ticks, uint64_t ticks_per_second);

  // Takes a valid compound RTCP packet that came in at `state`'s flow and is being forwarded. `opposite` is the other
  // direction's state, null if there is none.
  static void OnPacket(const uint8_t* datagram, size_t size, uint64_t ticks, uint64_t ticks_per_second,
                       RtcpState& state, const RtcpState* opposite);

  static void Reset(RtcpState& state);
};

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_RTCP_ROUND_TRIP_H_
