#include "datapath/rtp/receive_statistics.h"

#include <algorithm>
#include <bit>

namespace sluice::rtp {
namespace {

constexpr uint16_t kMaxDropout = 3000;  // RFC 3550 A.1.
constexpr uint16_t kMaxMisorder = 100;  // RFC 3550 A.1.
// Numbers that are looked at again when one comes late. The window's last bit is of the number that left it last.
constexpr uint32_t kWindow = 63;
// The first extended number of a run: high enough that packets from before it do not wrap.
constexpr uint32_t kFirstCycle = 1u << 16;

// Loss events that the `count` (at most kWindow) oldest numbers of `window` begin: they are missing, and the one before
// is not.
uint32_t LossEvents(uint64_t window, uint32_t count) {
  return static_cast<uint32_t>(std::popcount((~window & window >> 1) >> (kWindow - count)));
}

// Takes `count` numbers (at least 1) out of the old end of the window into the loss events.
void ShiftOut(ReceiveDetail& detail, uint64_t window, uint32_t count) {
  uint32_t events = LossEvents(window, std::min(count, kWindow));
  // The rest of a long gap: the number before it is the highest so far.
  if (count > kWindow) ++events;
  detail.loss_events.Add(events);
}

void StartRun(ReceiveHot& hot, ReceiveDetail& detail, uint16_t base, uint16_t highest) {
  const uint32_t extended = kFirstCycle + highest;
  const uint16_t arrived = static_cast<uint16_t>(highest - base);
  hot.highest.Store(extended);
  // What came before the run counts as arrived.
  hot.window.Store(~uint64_t{0});
  detail.base.Store(extended - arrived);
  detail.awaited.Store(ReceiveDetail::kNone);
}

void EndRun(ReceiveHot& hot, ReceiveDetail& detail) {
  ShiftOut(detail, hot.window.Load(), kWindow);
  detail.expected_before.Add(hot.highest.Load() - detail.base.Load() + 1);
}

// Adds `packets` to the slot of `type`.
void CountPayload(ReceiveDetail& detail, uint8_t type, uint32_t packets) {
  const uint8_t used = detail.payload_used.Load();
  uint8_t slot = 0;
  while (slot < used && detail.payload_type[slot].Load() != type) ++slot;
  if (slot == ReceiveDetail::kPayloadSlots) slot = ReceiveDetail::kPayloadSlots - 1;
  if (slot == used) {
    detail.payload_type[slot].Store(type);
    detail.payload_used.Store(static_cast<uint8_t>(used + 1));
  }
  detail.payload_packets[slot].Add(packets);
}

void OnSequence(ReceiveHot& hot, ReceiveDetail& detail, uint16_t sequence) {
  const uint32_t highest = hot.highest.Load();
  const uint16_t delta = static_cast<uint16_t>(sequence - highest);
  const uint64_t window = hot.window.Load();
  if (delta == 0) {
    // Another payload type, or the hot counter is full: what it has goes where there is room for more.
    const uint64_t word = hot.packets_and_repeats.Load();
    detail.duplicates.Add(1 + static_cast<uint32_t>(word >> ReceiveHot::kRepeatsShift));
    hot.packets_and_repeats.Store(hot.packets());
    return;
  }
  if (delta < kMaxDropout) {
    ShiftOut(detail, window, delta);
    hot.window.Store((delta <= kWindow ? window << delta : 0) | 1);
    hot.highest.Store(highest + delta);
    detail.awaited.Store(ReceiveDetail::kNone);
    return;
  }
  const uint16_t behind = static_cast<uint16_t>(-delta);
  if (behind <= kMaxMisorder) {
    const uint64_t bit = behind < kWindow ? uint64_t{1} << behind : 0;
    const uint32_t extended = highest - behind;
    const bool before_base = static_cast<int32_t>(extended - detail.base.Load()) < 0;
    if ((window & bit) != 0 && !before_base) {
      detail.duplicates.Add(1);
      return;
    }
    if (before_base) {
      // The run began earlier than its first packet said: those in between are missing until they come.
      const uint32_t gap = detail.base.Load() - extended - 1;
      uint64_t missing = 0;
      for (uint32_t i = 1; i <= gap && behind + i < 2 * kWindow; ++i) {
        const uint32_t place = highest - (extended + i);
        if (place < kWindow) missing |= uint64_t{1} << place;
      }
      hot.window.Store(window & ~missing);
      detail.base.Store(extended);
    } else {
      hot.window.Store(window | bit);
    }
    detail.reordered.Add(1);
    if (behind > detail.reorder_extent.Load()) detail.reorder_extent.Store(behind);
    return;
  }
  // Out of the window: two in a row restart the sequence.
  if (detail.awaited.Load() == sequence) {
    EndRun(hot, detail);
    StartRun(hot, detail, static_cast<uint16_t>(sequence - 1), sequence);
    detail.resets.Add(1);
    detail.strays.Store(detail.strays.Load() - 1);
    return;
  }
  detail.awaited.Store(static_cast<uint16_t>(sequence + 1));
  detail.strays.Add(1);
}

// Turns `value` from units of one clock into those of another.
uint64_t Rescale(uint64_t value, uint32_t from, uint32_t to) { return from == 0 ? value : value * to / from; }

}  // namespace

void ReceiveStatistics::Reset(ReceiveHot& hot, ReceiveDetail& detail) {
  hot.packets_and_repeats.Store(0);
  hot.bytes_and_peak.Store(0);
  hot.window.Store(0);
  hot.last_arrival.Store(0);
  hot.transit.Store(0);
  hot.jitter_and_type.Store(0);
  hot.highest.Store(0);
  detail.expected_before.Store(0);
  detail.first_arrival.Store(0);
  detail.base.Store(0);
  detail.awaited.Store(ReceiveDetail::kNone);
  detail.duplicates.Store(0);
  detail.reordered.Store(0);
  detail.resets.Store(0);
  detail.ssrc_changes.Store(0);
  detail.strays.Store(0);
  detail.loss_events.Store(0);
  detail.clock_rate.Store(0);
  detail.reorder_extent.Store(0);
  detail.payload_used.Store(0);
  detail.payload_mark.Store(0);
  for (auto& type : detail.payload_type) type.Store(0);
  for (auto& packets : detail.payload_packets) packets.Store(0);
}

bool ReceiveStatistics::OnRarePacket(StreamIdentity& identity, ReceiveHot& hot, ReceiveDetail& detail,
                                     const PayloadMap& map, RtpHeader header, uint64_t ticks) {
  const bool is_first = hot.is_empty();
  const bool new_ssrc = !is_first && identity.ssrc.Load() != header.ssrc;
  if (is_first || new_ssrc) {
    if (new_ssrc) {
      EndRun(hot, detail);
      detail.ssrc_changes.Add(1);
    } else {
      detail.first_arrival.Store(ticks);
    }
    identity.ssrc.Store(header.ssrc);
    StartRun(hot, detail, header.sequence, header.sequence);
  } else {
    OnSequence(hot, detail, header.sequence);
  }

  const uint32_t word = hot.jitter_and_type.Load();
  const uint8_t old_type = static_cast<uint8_t>(word);
  const bool new_type = !is_first && old_type != header.payload_type;
  if (!is_first && !new_ssrc && !new_type) return true;
  uint32_t jitter = word >> 8;
  if (map.CountsForJitter(header.payload_type)) {
    const uint32_t clock = map.ClockRate(header.payload_type);
    const uint32_t old_clock = detail.clock_rate.Load();
    if (clock != old_clock) {
      jitter = static_cast<uint32_t>(std::min<uint64_t>(Rescale(jitter, old_clock, clock), kMaxJitterTimes16));
      const uint64_t peak_word = hot.bytes_and_peak.Load();
      const uint64_t peak = std::min<uint64_t>(Rescale(peak_word >> 48, old_clock, clock), 0xffff);
      hot.bytes_and_peak.Store((peak_word & kBytesMask) | peak << 48);
      detail.clock_rate.Store(clock);
    }
    hot.transit.Store(map.ToClock(header.payload_type, ticks) - header.timestamp);
  }
  if (new_type) {
    const uint32_t packets = static_cast<uint32_t>(hot.packets());
    CountPayload(detail, old_type, packets - detail.payload_mark.Load());
    detail.payload_mark.Store(packets);
  }
  hot.jitter_and_type.Store(jitter << 8 | header.payload_type);
  return false;
}

ReceiveSnapshot ReceiveStatistics::Read(const StreamIdentity& identity, const ReceiveHot& hot,
                                        const ReceiveDetail& detail, uint64_t now) {
  ReceiveSnapshot snapshot;
  const uint64_t packets_word = hot.packets_and_repeats.Load();
  const uint64_t repeats = packets_word >> ReceiveHot::kRepeatsShift;
  snapshot.packets = packets_word & ((uint64_t{1} << ReceiveHot::kRepeatsShift) - 1);
  const uint64_t peak_word = hot.bytes_and_peak.Load();
  snapshot.bytes = peak_word & kBytesMask;
  if (snapshot.packets == 0) return snapshot;
  snapshot.first_arrival = detail.first_arrival.Load();
  // The last arrival lies less than 2^32 coarse units back.
  const uint64_t coarse_now = now >> kCoarseShift;
  const uint32_t age = static_cast<uint32_t>(coarse_now) - hot.last_arrival.Load();
  // A packet may have come after `now` was taken.
  const uint64_t coarse_last = static_cast<int32_t>(age) < 0 && age > 0xffff0000 ? coarse_now : coarse_now - age;
  snapshot.last_arrival = std::max(coarse_last << kCoarseShift, snapshot.first_arrival);

  const uint32_t clock = detail.clock_rate.Load();
  const uint32_t base = detail.base.Load();
  const uint32_t highest = hot.highest.Load();
  const uint64_t window = hot.window.Load();
  snapshot.ssrc = identity.ssrc.Load();
  // No RTP: datagrams were counted and nothing else.
  if (base == 0) return snapshot;
  snapshot.duplicates = detail.duplicates.Load() + repeats;
  snapshot.reordered = detail.reordered.Load();
  snapshot.resets = detail.resets.Load();
  snapshot.ssrc_changes = detail.ssrc_changes.Load();
  snapshot.reorder_extent = detail.reorder_extent.Load();
  snapshot.expected = detail.expected_before.Load() + (highest - base + 1);
  const uint64_t unique =
      snapshot.packets - std::min<uint64_t>(snapshot.packets, snapshot.duplicates + detail.strays.Load());
  snapshot.lost = snapshot.expected > unique ? snapshot.expected - unique : 0;

  // Losses that are still in the window: all but the newest numbers, which may yet come, are as good as lost to a
  // reader who asks now.
  const uint64_t events = detail.loss_events.Load() + LossEvents(window, kWindow);
  snapshot.loss_events = snapshot.lost == 0 ? 0 : std::max<uint64_t>(events, 1);
  if (snapshot.lost > 0) {
    const double loss = static_cast<double>(snapshot.lost) / static_cast<double>(snapshot.expected);
    const double mean_burst = static_cast<double>(snapshot.lost) / static_cast<double>(snapshot.loss_events);
    snapshot.burst_ratio = std::clamp(mean_burst * (1 - loss), 1.0, 8.0);
  }

  const uint32_t jitter_word = hot.jitter_and_type.Load();
  if (clock != 0) {
    snapshot.jitter_ms = 1000.0 * (jitter_word >> 12) / clock;
    snapshot.max_jitter_ms = 1000.0 * static_cast<double>(peak_word >> 48) / clock;
  }
  snapshot.last_payload_type = static_cast<uint8_t>(jitter_word);
  const uint8_t used = std::min<uint8_t>(detail.payload_used.Load(), ReceiveDetail::kPayloadSlots);
  const uint32_t present = static_cast<uint32_t>(snapshot.packets) - detail.payload_mark.Load();
  bool found = false;
  size_t count = 0;
  for (; count < used; ++count) {
    const uint8_t type = detail.payload_type[count].Load();
    snapshot.payload_types[count] = {type, detail.payload_packets[count].Load()};
    if (type == snapshot.last_payload_type) {
      snapshot.payload_types[count].second += present;
      found = true;
    }
  }
  if (!found) snapshot.payload_types[count] = {snapshot.last_payload_type, present};
  return snapshot;
}

}  // namespace sluice::rtp
