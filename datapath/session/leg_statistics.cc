#include "datapath/session/leg_statistics.h"

#include <algorithm>
#include <string_view>

#include "datapath/rtp/e_model.h"

namespace sluice::session {
namespace {

constexpr uint64_t kLeastRated = 50;  // Packets: a second of speech at 20 ms.
constexpr uint32_t kVideoClock = 90000;
constexpr double kRtpHeaderBytes = 12;

// The payload type of most packets, events and comfort noise left out; -1 if there is none.
int MainPayloadType(const rtp::ReceiveSnapshot& receive, const CodecSet& codecs) {
  int type = -1;
  uint64_t most = 0;
  for (const auto& [number, packets] : receive.payload_types) {
    if (packets <= most || !codecs.map.CountsForJitter(number)) continue;
    type = number;
    most = packets;
  }
  return type;
}

Quality RateSpeech(const rtp::ReceiveSnapshot& receive, const CodecSet& codecs, uint64_t ticks_per_second) {
  Quality quality;
  const int type = MainPayloadType(receive, codecs);
  if (type < 0 || receive.expected < kLeastRated) return quality;
  if (codecs.map.ClockRate(static_cast<uint8_t>(type)) == kVideoClock) return quality;
  const std::string_view encoding = codecs.EncodingOf(static_cast<uint8_t>(type));
  if (encoding.empty()) return quality;
  double bits_per_second = 0;
  if (receive.last_arrival > receive.first_arrival) {
    const double seconds =
        static_cast<double>(receive.last_arrival - receive.first_arrival) / static_cast<double>(ticks_per_second);
    const double payload = static_cast<double>(receive.bytes) - kRtpHeaderBytes * static_cast<double>(receive.packets);
    bits_per_second = std::max(payload, 0.0) * 8 / seconds;
  }
  const rtp::CodecImpairment codec = rtp::ImpairmentOf(encoding, bits_per_second);
  quality.algorithm =
      codec.is_approximation ? QualityAlgorithm::kNarrowbandApproximation : QualityAlgorithm::kNarrowband;
  quality.codec = codec.codec;
  quality.ie = codec.ie;
  quality.bpl = codec.bpl;
  quality.loss_percent = 100.0 * static_cast<double>(receive.lost) / static_cast<double>(receive.expected);
  quality.burst_ratio = receive.burst_ratio;
  const rtp::QualityRating rating = rtp::Rate({quality.loss_percent, quality.burst_ratio, quality.ie, quality.bpl});
  quality.r_factor = rating.r_factor;
  quality.mos = rating.mos;
  return quality;
}

void AddDrops(const flow::FlowDetail& detail, LegStatistics& statistics) {
  for (size_t reason = 0; reason < packet::kDropReasonCount; ++reason) {
    statistics.drops[reason] += detail.Drops(static_cast<packet::DropReason>(reason));
  }
}

// Packets that the stream accepted and did not send on, by the order of the pipeline (worker/decision.h).
uint64_t HeldBack(const flow::FlowDetail& detail) {
  uint64_t packets = 0;
  for (const auto reason : {packet::DropReason::kDirection, packet::DropReason::kPoliced,
                            packet::DropReason::kNoDestination, packet::DropReason::kNoNeighbour}) {
    packets += detail.Drops(reason);
  }
  return packets;
}

void AddRtcp(const rtp::RtcpState& rtcp, LegStatistics& statistics) {
  statistics.rtcp_packets += rtcp.packets.Load();
  if (rtcp.round_trip.Load() != 0) statistics.rtcp_round_trip_ms = rtcp.round_trip.Load() * 1000.0 / 65536;
  if (rtcp.has_report.Load() != 0) {
    statistics.remote_reported_loss_percent = rtcp.remote_fraction.Load() * 100.0 / 256;
  }
}

}  // namespace

LegStatistics ReadStatistics(const flow::FlowTable& table, const Leg& leg, MediaKind kind, const CodecSet& codecs,
                             const Moment& now) {
  const uint64_t ticks_per_second = table.options().ticks_per_second;
  const flow::FlowState& state = table.state(leg.state);
  const flow::FlowDetail& detail = table.detail(leg.state);
  LegStatistics statistics;
  statistics.receive = rtp::ReceiveStatistics::Read(state.identity, state.receive, detail.receive, now.ticks);
  if (statistics.receive.packets != 0) {
    statistics.first_packet = now.TimeOf(statistics.receive.first_arrival, ticks_per_second);
    statistics.last_packet = now.TimeOf(statistics.receive.last_arrival, ticks_per_second);
  }
  const uint64_t packets = statistics.receive.packets;
  if (const uint64_t held_back = std::min(HeldBack(detail), packets); held_back < packets) {
    statistics.forwarded_packets = packets - held_back;
    // In floating point only where it is needed: all bytes are exact.
    statistics.forwarded_bytes =
        held_back == 0
            ? statistics.receive.bytes
            : static_cast<uint64_t>(static_cast<double>(statistics.receive.bytes) *
                                    static_cast<double>(statistics.forwarded_packets) / static_cast<double>(packets));
  }
  AddDrops(detail, statistics);
  AddRtcp(detail.rtcp, statistics);
  if (leg.rtcp_state != flow::kNoState) {
    AddDrops(table.detail(leg.rtcp_state), statistics);
    AddRtcp(table.detail(leg.rtcp_state).rtcp, statistics);
  }
  if (kind == MediaKind::kRtp) statistics.quality = RateSpeech(statistics.receive, codecs, ticks_per_second);
  return statistics;
}

SourceLock ReadSourceLock(const flow::FlowTable& table, const Leg& leg) {
  if (table.state(leg.state).identity.IsLocked(leg.generation)) return SourceLock::kLocked;
  const rtp::Probation& probation = table.detail(leg.state).probation;
  return probation.packets.Load() != 0 && probation.generation.Load() == leg.generation ? SourceLock::kProbation
                                                                                        : SourceLock::kOpen;
}

}  // namespace sluice::session
