#include "datapath/rtp/rtcp_round_trip.h"

#include "datapath/rtp/rtcp_reader.h"

namespace sluice::rtp {
namespace {

// Longer than this is a mistake or an attack, not a round trip: 30 s.
constexpr uint32_t kMaxRoundTrip = 30u << 16;

void OnReportBlock(const ReportBlock& block, uint32_t now, RtcpState& state, const RtcpState* opposite) {
  state.remote_fraction.Store(block.fraction_lost);
  state.remote_lost.Store(static_cast<uint32_t>(block.lost));
  state.has_report.Store(1);
  if (opposite == nullptr || block.last_sender_report == 0) return;
  const uint64_t report = opposite->forwarded_report.Load();
  if (report >> 32 != block.last_sender_report) return;
  const uint32_t elapsed = now - static_cast<uint32_t>(report);
  if (block.delay > elapsed || elapsed - block.delay > kMaxRoundTrip) return;
  // 0 stands for "not known".
  const uint32_t round_trip = elapsed - block.delay;
  state.round_trip.Store(round_trip == 0 ? 1 : round_trip);
}

}  // namespace

uint32_t RtcpRoundTrip::ToCompact(uint64_t ticks, uint64_t ticks_per_second) {
  return static_cast<uint32_t>((static_cast<unsigned __int128>(ticks) << 16) / ticks_per_second);
}

void RtcpRoundTrip::OnPacket(const uint8_t* datagram, size_t size, uint64_t ticks, uint64_t ticks_per_second,
                             RtcpState& state, const RtcpState* opposite) {
  const uint32_t now = ToCompact(ticks, ticks_per_second);
  state.packets.Add(1);
  RtcpReader reader(datagram, size);
  RtcpPacket packet;
  while (reader.Next(packet)) {
    SenderInfo info;
    if (ReadSenderInfo(packet, info)) state.forwarded_report.Store(uint64_t{info.compact_ntp()} << 32 | now);
    ReportBlock block;
    for (unsigned i = 0; ReadReportBlock(packet, i, block); ++i) OnReportBlock(block, now, state, opposite);
  }
}

void RtcpRoundTrip::Reset(RtcpState& state) {
  state.forwarded_report.Store(0);
  state.packets.Store(0);
  state.round_trip.Store(0);
  state.remote_lost.Store(0);
  state.remote_fraction.Store(0);
  state.has_report.Store(0);
}

}  // namespace sluice::rtp
