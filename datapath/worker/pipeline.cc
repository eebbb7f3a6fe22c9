#include "datapath/worker/pipeline.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <span>

#include "datapath/packet/ethernet.h"
#include "datapath/packet/parse.h"
#include "datapath/packet/rewrite.h"
#include "datapath/rtp/receive_statistics.h"
#include "datapath/rtp/rtcp_round_trip.h"
#include "datapath/worker/decision.h"

namespace sluice::worker {
namespace {

using packet::DropReason;

static_assert(kMaxPorts == RTE_MAX_ETHPORTS);

// How many packets ahead stage A prefetches frames: far enough for a miss to the last cache level, near enough for the
// lines to be there still.
constexpr unsigned kFramesAhead = 6;
// How many packets behind stage A stage B looks flows up, for the slots to be there, and stage C behind it, for the
// entries and states to be there. All three run side by side, so that the memory has work all the time.
constexpr unsigned kSlotsAhead = 4;
constexpr unsigned kFlowsAhead = 8;

// A packet between stages.
struct Transit {
  rte_mbuf* mbuf;
  uint8_t* udp;  // The UDP header.
  flow::FlowReference flow;
  uint16_t port;  // Local.
  uint16_t udp_size;
  uint8_t local;
  bool is_v4;
};

uint8_t* FrameOf(const rte_mbuf* mbuf) { return rte_pktmbuf_mtod(mbuf, uint8_t*); }

// What the kernel may know what to do with.
bool IsForKernel(DropReason reason) {
  return reason == DropReason::kNotIp || reason == DropReason::kNotUdp || reason == DropReason::kNotLocal;
}

class Burst {
 public:
  Burst(const PipelineContext& context, uint64_t ticks, bool punt, BurstResult& result)
      : context_(context), ticks_(ticks), punt_(punt), result_(result) {}

  void Run(rte_mbuf* const* packets, unsigned count) {
    for (unsigned i = 0; i < count && i < kFramesAhead; ++i) __builtin_prefetch(FrameOf(packets[i]), 1);
    unsigned looked_up = 0;
    unsigned forwarded = 0;
    for (unsigned i = 0; i < count + kSlotsAhead + kFlowsAhead; ++i) {
      if (i < count) {
        if (i + kFramesAhead < count) __builtin_prefetch(FrameOf(packets[i + kFramesAhead]), 1);
        Parse(packets[i]);
      }
      if (i >= kSlotsAhead && looked_up < parsed_) LookUp(transits_[looked_up++]);
      if (i >= kSlotsAhead + kFlowsAhead && forwarded < found_) Forward(transits_[forwarded++]);
    }
  }

 private:
  // Stage A.
  void Parse(rte_mbuf* mbuf) {
    if (mbuf->nb_segs != 1) [[unlikely]]
      return Drop(mbuf, DropReason::kNoBuffer);
    uint8_t* frame = FrameOf(mbuf);
    const packet::ParsedPacket parsed = packet::Parse(frame, mbuf->data_len);
    if (parsed.verdict != DropReason::kNone) [[unlikely]]
      return Refuse(mbuf, parsed.verdict);
    const unsigned local = context_.flows.FindLocal(packet::DestinationAddress(parsed, frame));
    if (local == flow::FlowTable::kNotLocal) [[unlikely]]
      return Refuse(mbuf, DropReason::kNotLocal);
    const uint16_t port = packet::ReadUdp(parsed, frame).destination_port.ToHost();
    context_.flows.PrefetchSlot(local, port);
    // Where the RTP header does not lie in the first line.
    if (!parsed.is_v4) __builtin_prefetch(frame + RTE_CACHE_LINE_SIZE);
    Transit& transit = transits_[parsed_++];
    transit.mbuf = mbuf;
    transit.udp = frame + parsed.udp_offset;
    transit.port = port;
    transit.udp_size = parsed.udp_size;
    transit.local = static_cast<uint8_t>(local);
    transit.is_v4 = parsed.is_v4;
  }

  // Stage B. Moves the transit up if something before it was dropped.
  void LookUp(const Transit& transit) {
    const flow::FlowReference flow = context_.flows.Load(transit.local, transit.port);
    if (!flow.is_set()) [[unlikely]]
      return Drop(transit.mbuf, DropReason::kNoFlow);
    context_.flows.Prefetch(flow);
    // A longer header begins in the line before.
    if (flow.is_wide()) [[unlikely]]
      __builtin_prefetch(transit.udp - RTE_CACHE_LINE_SIZE, 1);
    Transit& to = transits_[found_++];
    if (&to != &transit) [[unlikely]]
      to = transit;
    to.flow = flow;
  }

  // Stage C.
  void Forward(const Transit& transit) {
    if (!transit.flow.is_wide()) [[likely]] {
      Forward(transit, context_.flows.entry4(transit.flow.entry));
    } else {
      Forward(transit, context_.flows.entry_wide(transit.flow.entry));
    }
  }
  template <typename Entry>
  void Forward(const Transit& transit, const Entry& entry) {
    // Only IPv4 arrives at addresses of IPv4.
    const bool is_v4 = std::is_same_v<Entry, flow::FlowEntry4> || transit.is_v4;
    packet::UdpHeader udp;
    std::memcpy(&udp, transit.udp, sizeof(udp));
    const Arrival arrival = {
        packet::SourceInFrontOf(transit.udp, is_v4),
        udp.source_port.ToHost(),
        static_cast<uint16_t>(transit.udp_size - sizeof(udp)),
        static_cast<uint32_t>(transit.udp_size + (is_v4 ? sizeof(packet::Ipv4Header) : sizeof(packet::Ipv6Header))),
        transit.udp + sizeof(udp),
        ticks_};
    flow::FlowState& state = context_.flows.state(transit.flow.state);
    flow::FlowDetail& detail = context_.flows.detail(transit.flow.state);
    const bool is_captured = entry.Has(flow::kFlowCapture);
    if (is_captured) [[unlikely]]
      Capture(transit, false);

    const rtp::PayloadMap& map = context_.flows.payload_map(entry.payload_map);
    Decision<Entry> decision;
    Decide(context_.flows, context_.next_hops, entry, map, arrival, state.identity, detail, decision);
    if (decision.source_event != rtp::SourceEvent::kNone) [[unlikely]] {
      TellSource(transit.flow.state, entry.generation, arrival, decision.source_event, decision.content.rtp.ssrc);
    }
    if (decision.accepted) [[likely]]
      Count(transit.flow.state, entry, map, arrival, decision.content, state, detail);
    if (decision.verdict != DropReason::kNone) [[unlikely]] {
      if (decision.verdict == DropReason::kNoNeighbour) context_.next_hops.Want(decision.way->next_hop);
      detail.CountDrop(decision.verdict);
      Drop(transit.mbuf, decision.verdict);
      return;
    }

    const flow::Egress& egress = context_.next_hops.egress(decision.next_hop.egress);
    if (!Rewrite(transit, *decision.way, arrival.source, decision.next_hop, egress)) [[unlikely]] {
      Drop(transit.mbuf, DropReason::kNoBuffer);
      return;
    }
    if (is_captured) [[unlikely]]
      Capture(transit, true);
    if (decision.content.kind == rtp::SourcePacketKind::kRtcp) [[unlikely]] {
      rtp::RtcpState* opposite =
          entry.opposite_state == flow::kNoState ? nullptr : &context_.flows.detail(entry.opposite_state).rtcp;
      rtp::RtcpRoundTrip::OnPacket(arrival.payload, arrival.size, ticks_, context_.flows.options().ticks_per_second,
                                   detail.rtcp, opposite);
    }
    result_.Send(egress.port, transit.mbuf);
  }

  // New headers in front of the UDP header, and the mbuf cut to them. False if there is no room.
  template <typename Entry>
  static bool Rewrite(const Transit& transit, const Entry& way, const packet::IpAddress& source,
                      const flow::NextHop& next_hop, const flow::Egress& egress) {
    rte_mbuf* mbuf = transit.mbuf;
    uint8_t* udp = transit.udp;
    const bool to_v4 = std::is_same_v<Entry, flow::FlowEntry4> || way.Has(flow::kFlowToIpv4);
    const size_t headers = sizeof(packet::EthernetHeader) + (egress.vlan != 0 ? sizeof(packet::VlanTag) : 0) +
                           (to_v4 ? sizeof(packet::Ipv4Header) : sizeof(packet::Ipv6Header));
    const uint8_t* room = static_cast<const uint8_t*>(mbuf->buf_addr);
    if (static_cast<size_t>(udp - room) < headers) [[unlikely]]
      return false;

    uint8_t* ip;
    if constexpr (std::is_same_v<Entry, flow::FlowEntry4>) {
      ip = packet::Apply(way.rewrite, source.v4(), udp, transit.udp_size);
    } else {
      ip = packet::Apply(way.rewrite, source, udp, transit.udp_size);
    }
    const uint8_t* begin = packet::WriteEthernet(next_hop.destination, egress.source, egress.vlan, to_v4, ip);
    mbuf->data_off = static_cast<uint16_t>(begin - room);
    mbuf->data_len = static_cast<uint16_t>(headers + transit.udp_size);
    mbuf->pkt_len = mbuf->data_len;
    // What the device found out about the packet that it received says nothing about this one.
    mbuf->ol_flags = 0;
    return true;
  }

  [[gnu::always_inline]] void Count(flow::StateIndex index, const flow::FlowCommon& entry, const rtp::PayloadMap& map,
                                    const Arrival& arrival, const Content& content, flow::FlowState& state,
                                    flow::FlowDetail& detail) {
    // RTCP is counted where it is forwarded.
    if (content.kind == rtp::SourcePacketKind::kRtcp) [[unlikely]]
      return;
    if (state.receive.packets() == 0) [[unlikely]] {
      Tell({.kind = flow::FlowEventKind::kFirstPacket, .generation = entry.generation, .state = index}, arrival,
           content.rtp.ssrc);
    }
    if (content.kind == rtp::SourcePacketKind::kDatagram) [[unlikely]] {
      rtp::ReceiveStatistics::CountDatagram(state.receive, detail.receive, arrival.size, ticks_);
      return;
    }
    rtp::ReceiveStatistics::OnPacket(state.identity, state.receive, detail.receive, map, content.rtp, arrival.size,
                                     ticks_);
    if (entry.Has(flow::kFlowTelephoneEvents) && map.IsTelephoneEvent(content.rtp.payload_type)) [[unlikely]] {
      const rtp::DtmfDigit digit = detail.dtmf.OnPacket(
          content.rtp.timestamp, arrival.payload + content.rtp.payload_offset, content.rtp.payload_size);
      if (digit.digit == 0) return;
      Tell({.kind = flow::FlowEventKind::kDtmf,
            .generation = entry.generation,
            .digit = digit.digit,
            .duration = digit.duration,
            .state = index},
           arrival, content.rtp.ssrc);
    }
  }

  void TellSource(flow::StateIndex state, uint8_t generation, Arrival arrival, rtp::SourceEvent event, uint32_t ssrc) {
    const bool was_locked = event == rtp::SourceEvent::kLocked;
    Tell({.kind = was_locked ? flow::FlowEventKind::kSourceLocked : flow::FlowEventKind::kSourceRefused,
          .generation = generation,
          .state = state},
         arrival, ssrc);
  }

  // By value: a reference would keep the arrival of every packet out of registers.
  [[gnu::noinline]] void Tell(flow::FlowEvent event, Arrival arrival, uint32_t ssrc) {
    event.ticks = ticks_;
    event.source = {arrival.source, arrival.source_port};
    event.ssrc = ssrc;
    context_.events.Push(event);
  }

  void Capture(const Transit& transit, bool sent) {
    const std::span<const uint8_t> frame(FrameOf(transit.mbuf), transit.mbuf->data_len);
    context_.captures.Push(transit.flow.state, 0, sent, ticks_, frame);
  }

  void Refuse(rte_mbuf* mbuf, DropReason reason) {
    if (punt_ && IsForKernel(reason)) {
      result_.to_kernel.Push(mbuf);
      return;
    }
    Drop(mbuf, reason);
  }
  void Drop(rte_mbuf* mbuf, DropReason reason) {
    context_.counters.CountDrop(reason);
    result_.dropped.Push(mbuf);
  }

  const PipelineContext& context_;
  const uint64_t ticks_;
  const bool punt_;
  BurstResult& result_;
  unsigned parsed_ = 0;
  unsigned found_ = 0;  // Of them with a flow.
  union Transits {
    Transits() {}  // Left as they are: each is written before it is read.
    Transit& operator[](unsigned i) { return all[i]; }

    std::array<Transit, kMaxBurst> all;
  } transits_;
};

}  // namespace

void ProcessBurst(const PipelineContext& context, rte_mbuf* const* packets, unsigned count, uint64_t ticks, bool punt,
                  BurstResult& result) {
  Burst(context, ticks, punt, result).Run(packets, count);
}

}  // namespace sluice::worker
