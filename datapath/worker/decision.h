// Whether a packet of a known flow goes on, and which way: the rules of the relay in one place.
//
// How it works. In this order:
// 1. Source. A packet from the source that the stream is locked to needs one comparison; any other goes to the source
//    policy, which may take it (rtp/source_policy.h). While another source is locked, that is all that counts.
// 2. Content. RTCP ports carry valid RTCP only. RTP ports carry RTP of a negotiated payload type, and RTCP if it is
//    multiplexed (RFC 5761). Datagram flows carry anything.
//    A packet whose source and content are right is `accepted`: it belongs to the stream, and the flow's statistics
//    count it whatever becomes of it. So a peer that sends on hold, or before the other side is known, is not silent.
// 3. Direction. While the peer may not send, RTP is held back; multiplexed RTCP goes on (RFC 3264 5.1).
// 4. Bandwidth limit, over IP packets and one second of burst.
// 5. Destination and next hop. Multiplexed RTCP takes a way of its own where the other side has a port for it.
//
// The pipeline acts on what Decide says, and Explain tells it in words. The only things that Decide changes are those
// that it is given: the lock, and the probation and policer in the detail.
//
// Threads: workers; pure but for what it is given.

#ifndef SLUICE_DATAPATH_WORKER_DECISION_H_
#define SLUICE_DATAPATH_WORKER_DECISION_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "datapath/flow/flow_entry.h"
#include "datapath/flow/flow_state.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/next_hop_table.h"
#include "datapath/packet/drop_reason.h"
#include "datapath/packet/ip_address.h"
#include "datapath/rtp/payload_map.h"
#include "datapath/rtp/rtcp_reader.h"
#include "datapath/rtp/rtp_header.h"
#include "datapath/rtp/source_policy.h"
#include "datapath/rtp/stream_identity.h"

namespace sluice::worker {

// A datagram that arrived for a flow.
struct Arrival {
  packet::IpAddress source;
  uint16_t source_port = 0;
  uint16_t size = 0;                 // Of the UDP payload.
  uint32_t ip_size = 0;              // Of the IP packet.
  const uint8_t* payload = nullptr;  // UDP's.
  uint64_t ticks = 0;
};

// What a UDP payload is. `rtp` counts for kRtp only.
struct Content {
  packet::DropReason verdict = packet::DropReason::kNone;  // Or kBadRtp or kPayloadType.
  rtp::SourcePacketKind kind = rtp::SourcePacketKind::kRtp;
  rtp::RtpHeader rtp;
};

template <typename Entry>
struct Decision {
  // kNone: forward.
  packet::DropReason verdict = packet::DropReason::kNone;
  rtp::SourceEvent source_event = rtp::SourceEvent::kNone;
  bool accepted = false;
  Content content;
  // Whose rewrite and next hop apply: the flow's entry or its RTCP entry. Null and unset if it did not come to that.
  const Entry* way = nullptr;
  flow::NextHopWord next_hop;
};

// `map` is the flow's, `content` is new.
[[gnu::always_inline]] inline void ReadContent(const flow::FlowCommon& flow, const rtp::PayloadMap& map,
                                               const uint8_t* payload, size_t size, Content& content) {
  if (flow.flags & (flow::kFlowDatagrams | flow::kFlowRtcpOnly)) [[unlikely]] {
    if (flow.Has(flow::kFlowDatagrams)) {
      content.kind = rtp::SourcePacketKind::kDatagram;
      return;
    }
    content.kind = rtp::SourcePacketKind::kRtcp;
  } else if (flow.Has(flow::kFlowRtcpMux) && size >= 2 && rtp::IsRtcp(payload)) [[unlikely]] {
    content.kind = rtp::SourcePacketKind::kRtcp;
  }
  if (content.kind == rtp::SourcePacketKind::kRtcp) [[unlikely]] {
    if (!rtp::IsValidRtcp(payload, size)) content.verdict = packet::DropReason::kBadRtp;
  } else if (!rtp::ReadRtpHeader(payload, size, content.rtp)) [[unlikely]] {
    content.verdict = packet::DropReason::kBadRtp;
  } else if (!map.IsNegotiated(content.rtp.payload_type)) [[unlikely]] {
    content.verdict = packet::DropReason::kPayloadType;
  }
}

// The source policy's decision about a packet that is not from the locked source. Content that is wrong proves nothing
// about its sender, so only a lock on another one is looked at. Packets are passed by value: a reference would keep
// those of all callers out of registers.
template <typename Entry>
[[gnu::noinline]] rtp::SourceDecision ConsiderSource(const flow::FlowTable& flows, const Entry& entry, Arrival arrival,
                                                     Content content, rtp::StreamIdentity& identity,
                                                     rtp::Probation& probation) {
  if (content.verdict != packet::DropReason::kNone && !identity.IsLocked(entry.generation)) return {content.verdict};
  const rtp::SourcePacket packet = {arrival.source,       arrival.source_port, content.kind,
                                    content.rtp.sequence, content.rtp.ssrc,    arrival.ticks};
  return rtp::SourcePolicy::Consider(flow::SourceRuleOf(entry, flows.prefix_set(entry.prefix_set)), packet,
                                     flows.options().ticks_per_second, identity, probation);
}

// `entry` is what the flow table has for the packet, `map` is the entry's, `identity` and `detail` are of its state,
// `decision` is new.
// Always inlined, and the decision is no result but the caller's variable, since then it lives in registers.
template <typename Entry>
[[gnu::always_inline]] inline void Decide(const flow::FlowTable& flows, const flow::NextHopTable& next_hops,
                                          const Entry& entry, const rtp::PayloadMap& map, const Arrival& arrival,
                                          rtp::StreamIdentity& identity, flow::FlowDetail& detail,
                                          Decision<Entry>& decision) {
  using packet::DropReason;
  const auto drop = [&decision](DropReason reason) { decision.verdict = reason; };

  ReadContent(entry, map, arrival.payload, arrival.size, decision.content);
  if (!identity.IsLockedTo(arrival.source, arrival.source_port, entry.generation)) [[unlikely]] {
    const rtp::SourceDecision source =
        ConsiderSource(flows, entry, arrival, decision.content, identity, detail.probation);
    decision.source_event = source.event;
    if (source.verdict != DropReason::kNone) return drop(source.verdict);
  }
  if (decision.content.verdict != DropReason::kNone) [[unlikely]]
    return drop(decision.content.verdict);
  decision.accepted = true;

  const bool is_rtcp = decision.content.kind == rtp::SourcePacketKind::kRtcp;
  if (entry.Has(flow::kFlowClosed) && !(is_rtcp && entry.Has(flow::kFlowRtcpMux))) [[unlikely]] {
    return drop(DropReason::kDirection);
  }
  if (entry.policer_cost != 0 && !detail.policer.Take(entry.policer_cost, arrival.ip_size, arrival.ticks,
                                                      flows.options().ticks_per_second)) [[unlikely]] {
    return drop(DropReason::kPoliced);
  }
  decision.way = &entry;
  if (is_rtcp && entry.rtcp_entry != flow::kNoEntry) [[unlikely]] {
    if constexpr (std::is_same_v<Entry, flow::FlowEntry4>) {
      decision.way = &flows.entry4(entry.rtcp_entry);
    } else {
      decision.way = &flows.entry_wide(entry.rtcp_entry);
    }
  }
  if (decision.way->Has(flow::kFlowNoDestination)) [[unlikely]]
    return drop(DropReason::kNoDestination);
  decision.next_hop = next_hops.LoadWord(decision.way->next_hop);
  if (decision.next_hop.state() != flow::NextHopState::kReachable) [[unlikely]]
    return drop(DropReason::kNoNeighbour);
}

}  // namespace sluice::worker

#endif  // SLUICE_DATAPATH_WORKER_DECISION_H_
