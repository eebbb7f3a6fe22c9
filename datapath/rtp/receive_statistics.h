// RFC 3550 receive statistics of one direction of a stream, at the relay's ingress.
//
// How it works. What each packet in order touches is ReceiveHot; everything rarer is in ReceiveDetail, on other cache
// lines. The choices that RFC 3550 leaves open:
// - Sequence numbers follow A.1 with MAX_DROPOUT 3000 and MAX_MISORDER 100. Two consecutive packets outside that window
// restart the sequence
//   (`resets`). There is no probation here: the source policy vouches for the sender.
// - A window of the last 63 sequence numbers tells duplicates from reordered packets. A packet 63 to 100 behind counts
// as reordered.
// - lost = expected - unique received, never negative, over all runs of the stream (a restart or a new SSRC begins a
// new run).
// - A number is lost for good when it leaves the window; a loss event is a maximal run of those. So reordering makes no
// loss event.
// - Jitter is A.8 in the clock of the packet's payload type, in order of arrival. Telephone events and comfort noise
// are left out. The first packet
//   of another payload type or SSRC sets the transit time without counting.
// - Arrival is the worker's time counter when the burst was received.
//
// Threads: OnPacket and CountDatagram from the one worker that receives the stream. Read from any thread: each number
// is whole, the set may be a packet apart.

#ifndef SLUICE_DATAPATH_RTP_RECEIVE_STATISTICS_H_
#define SLUICE_DATAPATH_RTP_RECEIVE_STATISTICS_H_

#include <array>
#include <cstdint>
#include <utility>

#include "datapath/rtp/payload_map.h"
#include "datapath/rtp/rtp_header.h"
#include "datapath/rtp/single_writer.h"
#include "datapath/rtp/stream_identity.h"

namespace sluice::rtp {

// Ticks are kept in units of 2^20 where 32 bits have to do: 0.4 ms at 2.6 GHz, wrapping after weeks.
inline constexpr int kCoarseShift = 20;

struct ReceiveHot {
  static constexpr int kRepeatsShift = 48;

  // Repeats are among the packets.
  bool is_empty() const { return packets_and_repeats.Load() == 0; }
  uint64_t packets() const { return packets_and_repeats.Load() & ((uint64_t{1} << kRepeatsShift) - 1); }

  // Packets in the low 48 bits: of the locked source, RTP only (all datagrams where the flow carries no RTP). Among
  // them in the upper 16: duplicates of the highest sequence number, until they are added to the detail's. So a sender
  // that repeats each packet costs no other cache line.
  SingleWriter<uint64_t> packets_and_repeats;
  // UDP payload bytes in the low 48 bits; the highest jitter so far, in clock units, in the upper 16 (it stays at
  // 65535).
  SingleWriter<uint64_t> bytes_and_peak;
  // Bit i: sequence number highest - i has arrived. Bit 63 is of the number that left the window last.
  SingleWriter<uint64_t> window;
  // Arrival of the last packet, ticks >> kCoarseShift.
  SingleWriter<uint32_t> last_arrival;
  // Arrival minus RTP timestamp of the last packet that counts for jitter, in clock units.
  SingleWriter<uint32_t> transit;
  // Jitter times 16 in the upper 24 bits, payload type of the last packet in the lower 8.
  SingleWriter<uint32_t> jitter_and_type;
  // Highest sequence number, extended by the number of wraps.
  SingleWriter<uint32_t> highest;
};
static_assert(sizeof(ReceiveHot) == 40);

struct ReceiveDetail {
  static constexpr int kPayloadSlots = 4;

  SingleWriter<uint64_t> expected_before;  // In the runs before this one.
  SingleWriter<uint64_t> first_arrival;    // Ticks; 0: no packet yet.
  SingleWriter<uint32_t> base;             // First extended sequence number of the run.
  SingleWriter<uint32_t>
      awaited;  // After a packet out of the window: the number that would confirm a restart; else kNone.
  SingleWriter<uint32_t> duplicates;
  SingleWriter<uint32_t> reordered;
  SingleWriter<uint32_t> resets;
  SingleWriter<uint32_t> ssrc_changes;
  SingleWriter<uint32_t> strays;       // Out of the window and not confirmed.
  SingleWriter<uint32_t> loss_events;  // Among numbers that have left the window.
  SingleWriter<uint32_t> clock_rate;   // Of the jitter figures, Hz.
  SingleWriter<uint16_t> reorder_extent;
  SingleWriter<uint8_t> payload_used;   // Slots in use.
  SingleWriter<uint32_t> payload_mark;  // Packet count (low 32 bits) when the present payload type began.
  // Packets by payload type, the present run of the present type not included. The last slot also counts all types that
  // found no slot of their own.
  std::array<SingleWriter<uint8_t>, kPayloadSlots> payload_type;
  std::array<SingleWriter<uint32_t>, kPayloadSlots> payload_packets;

  static constexpr uint32_t kNone = 0xffffffff;
};
static_assert(sizeof(ReceiveDetail) == 80);

// The figures as people want them.
struct ReceiveSnapshot {
  uint64_t packets = 0;
  uint64_t bytes = 0;
  uint64_t expected = 0;
  uint64_t lost = 0;
  uint64_t duplicates = 0;
  uint64_t reordered = 0;
  uint64_t resets = 0;
  uint64_t ssrc_changes = 0;
  uint64_t loss_events = 0;
  uint32_t ssrc = 0;
  uint16_t reorder_extent = 0;
  uint8_t last_payload_type = 0;
  double jitter_ms = 0;
  double max_jitter_ms = 0;
  // Mean length of losses against what random loss of the same rate would have; 1 to 8 (G.107's BurstR).
  double burst_ratio = 1;
  // Ticks of the first packet; 0: none yet.
  uint64_t first_arrival = 0;
  // Ticks of the last packet, in steps of 2^kCoarseShift; 0: none yet.
  uint64_t last_arrival = 0;
  // Payload type and packets; unused entries have 0 packets.
  std::array<std::pair<uint8_t, uint64_t>, ReceiveDetail::kPayloadSlots + 1> payload_types = {};
};

class ReceiveStatistics {
 public:
  // Before the flow is published only.
  static void Reset(ReceiveHot& hot, ReceiveDetail& detail);

  // Takes a packet of the locked source whose payload type is negotiated. `bytes` is the UDP payload's size, `ticks`
  // its arrival. Always inlined, like all that happens to every packet.
  [[gnu::always_inline]] static void OnPacket(StreamIdentity& identity, ReceiveHot& hot, ReceiveDetail& detail,
                                              const PayloadMap& map, const RtpHeader& header, uint32_t bytes,
                                              uint64_t ticks) {
    const bool counts_for_jitter = map.CountsForJitter(header.payload_type);
    if (counts_for_jitter && OnNext(identity, hot, map, header, bytes, ticks)) return;
    const bool is_comparable = OnRarePacket(identity, hot, detail, map, header, ticks);
    if (counts_for_jitter && is_comparable) MeasureJitter(hot, map, header, ticks);
    Count(hot, 1, bytes, ticks);
  }

  // Takes a packet that goes on where the stream was: SSRC and payload type as before, next in sequence or the same
  // again, no loss to count. False for any other, and nothing has changed: OnPacket is for those.
  // The payload type is one that counts for jitter.
  [[gnu::always_inline]] static bool OnNext(const StreamIdentity& identity, ReceiveHot& hot, const PayloadMap& map,
                                            const RtpHeader& header, uint32_t bytes, uint64_t ticks) {
    if (identity.ssrc.Load() != header.ssrc || (hot.jitter_and_type.Load() & 0xff) != header.payload_type) return false;
    const uint64_t packets = hot.packets_and_repeats.Load();
    const uint32_t highest = hot.highest.Load();
    const uint16_t step = static_cast<uint16_t>(header.sequence - highest);
    uint64_t counted = 1;
    if (step == 1) [[likely]] {
      const uint64_t window = hot.window.Load();
      // The number that leaves the window is missing, or there is no first packet yet.
      if ((window >> 62 & 1) == 0) return false;
      hot.highest.Store(highest + 1);
      hot.window.Store(window << 1 | 1);
    } else {
      if (step != 0 || packets - 1 >= kRepeatsFull - 1) return false;
      counted += kOneRepeat;
    }
    MeasureJitter(hot, map, header, ticks);
    Count(hot, counted, bytes, ticks);
    return true;
  }

  // Takes a datagram of a flow that carries no RTP: counts it and nothing else.
  static void CountDatagram(ReceiveHot& hot, ReceiveDetail& detail, uint32_t bytes, uint64_t ticks) {
    if (hot.is_empty()) detail.first_arrival.Store(ticks);
    Count(hot, 1, bytes, ticks);
  }

  // `now` is the time counter's present value: it completes the last arrival.
  static ReceiveSnapshot Read(const StreamIdentity& identity, const ReceiveHot& hot, const ReceiveDetail& detail,
                              uint64_t now);

 private:
  static constexpr uint64_t kBytesMask = (uint64_t{1} << 48) - 1;
  static constexpr uint64_t kOneRepeat = uint64_t{1} << ReceiveHot::kRepeatsShift;
  // From here on there is no room for one more.
  static constexpr uint64_t kRepeatsFull = uint64_t{0xffff} << ReceiveHot::kRepeatsShift;
  static constexpr uint32_t kMaxJitterTimes16 = (1u << 24) - 1;

  // `counted` is for packets_and_repeats.
  [[gnu::always_inline]] static void Count(ReceiveHot& hot, uint64_t counted, uint32_t bytes, uint64_t ticks) {
    hot.packets_and_repeats.Add(counted);
    hot.bytes_and_peak.Add(bytes);
    hot.last_arrival.Store(static_cast<uint32_t>(ticks >> kCoarseShift));
  }

  // RFC 3550 A.8, the integer form.
  [[gnu::always_inline]] static void MeasureJitter(ReceiveHot& hot, const PayloadMap& map, const RtpHeader& header,
                                                   uint64_t ticks) {
    const uint32_t transit = map.ToClock(header.payload_type, ticks) - header.timestamp;
    const int32_t difference = static_cast<int32_t>(transit - hot.transit.Load());
    hot.transit.Store(transit);
    // A jump of the timestamp must not make jitter wrap: half of what the 24 bits hold is enough.
    const uint32_t distance = static_cast<uint32_t>(difference < 0 ? -static_cast<int64_t>(difference) : difference);
    const uint32_t word = hot.jitter_and_type.Load();
    uint32_t jitter = word >> 8;
    // Never above kMaxJitterTimes16, since there it loses at least as much as it gains.
    jitter += (distance < kMaxJitterTimes16 / 16 ? distance : kMaxJitterTimes16 / 16) - ((jitter + 8) >> 4);
    hot.jitter_and_type.Store(jitter << 8 | (word & 0xff));
    const uint64_t peak_word = hot.bytes_and_peak.Load();
    const uint64_t units = jitter >> 4;
    if (units > peak_word >> 48) [[unlikely]] {
      hot.bytes_and_peak.Store((peak_word & kBytesMask) | (units < 0xffff ? units : 0xffff) << 48);
    }
  }

  // All but the next packet of the same stream, or the same again. Returns whether the packet may be compared with the
  // one before for jitter. The header by value: a reference would keep those of all packets out of registers.
  static bool OnRarePacket(StreamIdentity& identity, ReceiveHot& hot, ReceiveDetail& detail, const PayloadMap& map,
                           RtpHeader header, uint64_t ticks);
};

}  // namespace sluice::rtp

#endif  // SLUICE_DATAPATH_RTP_RECEIVE_STATISTICS_H_
