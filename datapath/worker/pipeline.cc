#include "datapath/worker/pipeline.h"

#include <rte_mbuf.h>

#include <array>
#include <cstddef>
#include <memory>
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
constexpr unsigned kSlotsAhead = 12;
constexpr unsigned kFlowsAhead = 12;
// In front of UDP: what any flow may need.
constexpr ptrdiff_t kMaxHeaders = sizeof(packet::EthernetHeader) + sizeof(packet::VlanTag) + sizeof(packet::Ipv6Header);

// How many packets go through a stage before the next stage has its turn: few loops need few registers.
constexpr unsigned kBlock = 4;
static_assert(kSlotsAhead % kBlock == 0 && kFlowsAhead % kBlock == 0);

// A packet between stages.
struct Transit {
  Transit() {}  // Left as it is: stage A writes it.

  rte_mbuf* mbuf;  // Null once it has gone elsewhere.
  uint8_t* udp;    // The UDP header.
  union {
    const flow::FlowSlot* slot;  // From A to B.
    flow::FlowReference flow;    // From B to C; not set if there is nothing to forward.
  };
  uint16_t udp_size;
  bool is_v4;
};

// Of packets that stage A did away with.
const flow::FlowSlot kNoSlot{0};

uint8_t* FrameOf(const rte_mbuf* mbuf) { return rte_pktmbuf_mtod(mbuf, uint8_t*); }

[[gnu::noinline]] packet::ParsedPacket ParseAny(const uint8_t* frame, size_t size) {
  return packet::Parse(frame, size);
}

// What the kernel may know what to do with.
bool IsForKernel(DropReason reason) {
  return reason == DropReason::kNotIp || reason == DropReason::kNotUdp || reason == DropReason::kNotLocal;
}

class Burst {
 public:
  Burst(const PipelineContext& context, uint64_t ticks, bool punt, BurstResult& result)
      : context_(context),
        flows_(context.flows),
        next_hops_(context.next_hops),
        ticks_(ticks),
        punt_(punt),
        result_(result) {}

  void Run(rte_mbuf* const* packets, unsigned count) {
    for (unsigned i = 0; i < count && i < kFramesAhead; ++i) __builtin_prefetch(FrameOf(packets[i]), 1);
    for (unsigned begin = 0; begin < count + kSlotsAhead + kFlowsAhead; begin += kBlock) {
      ForBlock(begin, count, [&](unsigned i) {
        if (i + kFramesAhead < count) __builtin_prefetch(FrameOf(packets[i + kFramesAhead]), 1);
        if (!Parse(packets[i], transits_[i])) [[unlikely]] {
          transits_[i].mbuf = nullptr;
          transits_[i].slot = &kNoSlot;
        }
      });
      // Before the first packet these are huge.
      ForBlock(begin - kSlotsAhead, count, [&](unsigned i) { LookUp(transits_[i]); });
      ForBlock(begin - kSlotsAhead - kFlowsAhead, count, [&](unsigned i) { Forward(transits_[i]); });
    }
  }

 private:
  // Calls `step` for the packets of the block that begins at `begin`, of `count` packets.
  template <typename Step>
  [[gnu::always_inline]] static void ForBlock(unsigned begin, unsigned count, Step&& step) {
    if (begin >= count) return;
    const unsigned end = begin + kBlock < count ? begin + kBlock : count;
    for (unsigned i = begin; i < end; ++i) step(i);
  }

  // Stage A. False if the packet went elsewhere.
  bool Parse(rte_mbuf* mbuf, Transit& transit) {
    if (mbuf->nb_segs != 1) [[unlikely]]
      return Drop(mbuf, DropReason::kNoBuffer);
    uint8_t* frame = FrameOf(mbuf);
    packet::ParsedPacket parsed;
    if (!packet::ParseOrdinary(frame, mbuf->data_len, parsed)) [[unlikely]] {
      parsed = ParseAny(frame, mbuf->data_len);
      if (parsed.verdict != DropReason::kNone) return Refuse(mbuf, parsed.verdict);
    }
    const unsigned local = flows_.FindLocal(packet::DestinationAddress(parsed, frame));
    if (local == flow::FlowTable::kNotLocal) [[unlikely]]
      return Refuse(mbuf, DropReason::kNotLocal);
    transit.mbuf = mbuf;
    transit.udp = frame + parsed.udp_offset;
    transit.slot = flows_.SlotOf(local, packet::ReadUdp(parsed, frame).destination_port.ToHost());
    transit.udp_size = parsed.udp_size;
    transit.is_v4 = parsed.is_v4;
    flow::FlowTable::Prefetch(transit.slot);
    // Where the RTP header does not lie in the first line.
    if (!parsed.is_v4) __builtin_prefetch(frame + RTE_CACHE_LINE_SIZE);
    return true;
  }

  // Stage B.
  void LookUp(Transit& transit) {
    // From here on it is the flow that the union holds.
    std::construct_at(&transit.flow, flow::FlowTable::Load(transit.slot));
    if (!transit.flow.is_set()) [[unlikely]] {
      if (transit.mbuf != nullptr) Drop(transit.mbuf, DropReason::kNoFlow);
      return;
    }
    flows_.Prefetch(transit.flow);
    // A longer header begins in the line before.
    if (transit.flow.is_wide()) [[unlikely]]
      __builtin_prefetch(transit.udp - RTE_CACHE_LINE_SIZE, 1);
  }

  // Stage C.
  void Forward(const Transit& transit) {
    if (!transit.flow.is_set()) [[unlikely]]
      return;
    if (!transit.flow.is_wide()) [[likely]] {
      Forward(transit, flows_.entry4(transit.flow.entry));
    } else {
      Forward(transit, flows_.entry_wide(transit.flow.entry));
    }
  }
  template <typename Entry>
  [[gnu::always_inline]] void Forward(const Transit& transit, const Entry& entry) {
    if (!ForwardOrdinary<flow::kFlowOrdinary>(transit, entry)) [[unlikely]]
      ForwardOther(transit, entry);
  }
  template <typename Entry>
  [[gnu::noinline]] void ForwardOther(const Transit& transit, const Entry& entry) {
    if (!ForwardOrdinary<flow::kFlowOrdinaryLimited>(transit, entry)) ForwardAny(transit, entry);
  }

  // What ForwardAny does, for what nearly all packets of a call are: RTP without CSRCs and padding, of the source, SSRC
  // and payload type as before, next in sequence or the same again, on a flow of which nothing is asked but to go on.
  // False for any other, and nothing has changed. It is half of the instructions, since it keeps little in mind.
  // `kind`: kFlowOrdinary or kFlowOrdinaryLimited; on flows that are not, nothing is done.
  template <flow::FlowFlag kind, typename Entry>
  [[gnu::always_inline]] bool ForwardOrdinary(const Transit& transit, const Entry& entry) {
    const bool is_v4 = IsV4<Entry>(transit);
    const uint8_t* payload = transit.udp + sizeof(packet::UdpHeader);
    const uint16_t size = static_cast<uint16_t>(transit.udp_size - sizeof(packet::UdpHeader));
    rtp::RtpHeader rtp;
    const flow::NextHopWord next_hop = next_hops_.LoadWord(entry.next_hop);
    if (!entry.Has(kind) || next_hop.state() != flow::NextHopState::kReachable ||
        !rtp::ReadOrdinaryRtpHeader(payload, size, rtp) || rtp::IsRtcp(payload)) {
      return false;
    }
    flow::FlowState& state = flows_.state(transit.flow.state);
    const packet::IpAddress source = packet::SourceInFrontOf(transit.udp, is_v4);
    const rtp::PayloadMap& map = flows_.payload_map(entry.payload_map);
    if (!state.identity.IsLockedTo(source, packet::Load<packet::BigEndian16>(transit.udp).ToHost(), entry.generation) ||
        !map.IsMedia(rtp.payload_type)) {
      return false;
    }
    [[maybe_unused]] uint64_t full_at = 0;
    if constexpr (kind == flow::kFlowOrdinaryLimited) {
      full_at =
          flows_.detail(transit.flow.state)
              .policer.After(entry.policer_cost, IpSize(transit, is_v4), ticks_, flows_.options().ticks_per_second);
      if (full_at == 0) return false;
    }
    if (!rtp::ReceiveStatistics::OnNext(state.identity, state.receive, map, rtp, size, ticks_)) return false;
    if constexpr (kind == flow::kFlowOrdinaryLimited) {
      flows_.detail(transit.flow.state).policer.full_at.Store(full_at);
    }
    Send(transit, entry, next_hop);
    return true;
  }

  template <typename Entry>
  [[gnu::noinline]] void ForwardAny(const Transit& transit, const Entry& entry) {
    const bool is_v4 = IsV4<Entry>(transit);
    packet::UdpHeader udp;
    std::memcpy(&udp, transit.udp, sizeof(udp));
    const Arrival arrival = {packet::SourceInFrontOf(transit.udp, is_v4),
                             udp.source_port.ToHost(),
                             static_cast<uint16_t>(transit.udp_size - sizeof(udp)),
                             IpSize(transit, is_v4),
                             transit.udp + sizeof(udp),
                             ticks_};
    flow::FlowState& state = flows_.state(transit.flow.state);
    flow::FlowDetail& detail = flows_.detail(transit.flow.state);
    const bool is_captured = entry.Has(flow::kFlowCapture);
    if (is_captured) [[unlikely]]
      Capture(transit, false);

    const rtp::PayloadMap& map = flows_.payload_map(entry.payload_map);
    Decision<Entry> decision;
    Decide(flows_, next_hops_, entry, map, arrival, state.identity, detail, decision);
    if (decision.source_event != rtp::SourceEvent::kNone) [[unlikely]] {
      TellSource(transit.flow.state, entry.generation, arrival, decision.source_event, decision.content.rtp.ssrc);
    }
    if (decision.accepted) [[likely]]
      Count(transit.flow.state, entry, map, arrival, decision.content, state, detail);
    if (decision.verdict != DropReason::kNone) [[unlikely]] {
      if (decision.verdict == DropReason::kNoNeighbour) next_hops_.Want(decision.way->next_hop);
      detail.CountDrop(decision.verdict);
      Drop(transit.mbuf, decision.verdict);
      return;
    }

    if (decision.content.kind == rtp::SourcePacketKind::kRtcp) [[unlikely]] {
      rtp::RtcpState* opposite =
          entry.opposite_state == flow::kNoState ? nullptr : &flows_.detail(entry.opposite_state).rtcp;
      rtp::RtcpRoundTrip::OnPacket(arrival.payload, arrival.size, ticks_, flows_.options().ticks_per_second,
                                   detail.rtcp, opposite);
    }
    if (Send(transit, *decision.way, decision.next_hop) && is_captured) [[unlikely]]
      Capture(transit, true);
  }

  static uint32_t IpSize(const Transit& transit, bool is_v4) {
    return static_cast<uint32_t>(transit.udp_size + (is_v4 ? sizeof(packet::Ipv4Header) : sizeof(packet::Ipv6Header)));
  }

  // Only IPv4 arrives at addresses of IPv4.
  template <typename Entry>
  static bool IsV4(const Transit& transit) {
    return std::is_same_v<Entry, flow::FlowEntry4> || transit.is_v4;
  }

  // Puts new headers in front of the packet and has it sent. False if there is no room for them: it was dropped.
  template <typename Entry>
  [[gnu::always_inline]] bool Send(const Transit& transit, const Entry& way, flow::NextHopWord next_hop) {
    const flow::Egress& egress = next_hops_.egress(next_hop.egress());
    if (!Rewrite(transit, way, next_hop, egress)) [[unlikely]]
      return Drop(transit.mbuf, DropReason::kNoBuffer);
    result_.Send(egress.port, transit.mbuf);
    return true;
  }

  // New headers in front of the UDP header, and the mbuf cut to them. False if there is no room.
  template <typename Entry>
  [[gnu::always_inline]] static bool Rewrite(const Transit& transit, const Entry& way, flow::NextHopWord next_hop,
                                             const flow::Egress& egress) {
    rte_mbuf* mbuf = transit.mbuf;
    uint8_t* udp = transit.udp;
    const bool to_v4 = std::is_same_v<Entry, flow::FlowEntry4> || way.Has(flow::kFlowToIpv4);
    const uint8_t* room = static_cast<const uint8_t*>(mbuf->buf_addr);
    if (udp - room < kMaxHeaders) [[unlikely]]
      return false;

    uint8_t* ip;
    if constexpr (std::is_same_v<Entry, flow::FlowEntry4>) {
      ip = packet::Apply(way.rewrite, udp, transit.udp_size);
    } else {
      ip = packet::Apply(way.rewrite, transit.is_v4, udp, transit.udp_size);
    }
    const uint8_t* begin = packet::WriteEthernet(next_hop.destination(), egress.SourceWord(), egress.vlan, to_v4, ip);
    mbuf->data_off = static_cast<uint16_t>(begin - room);
    mbuf->data_len = static_cast<uint16_t>(udp + transit.udp_size - begin);
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
    if (state.receive.is_empty()) [[unlikely]] {
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

  // Both answer false: the packet is gone.
  bool Refuse(rte_mbuf* mbuf, DropReason reason) {
    if (!punt_ || !IsForKernel(reason)) return Drop(mbuf, reason);
    result_.to_kernel.Push(mbuf);
    return false;
  }
  bool Drop(rte_mbuf* mbuf, DropReason reason) {
    context_.counters.CountDrop(reason);
    result_.dropped.Push(mbuf);
    return false;
  }

  const PipelineContext& context_;
  flow::FlowTable& flows_;
  flow::NextHopTable& next_hops_;
  const uint64_t ticks_;
  const bool punt_;
  BurstResult& result_;
  std::array<Transit, kMaxBurst> transits_;
};

}  // namespace

void ProcessBurst(const PipelineContext& context, rte_mbuf* const* packets, unsigned count, uint64_t ticks, bool punt,
                  BurstResult& result) {
  Burst(context, ticks, punt, result).Run(packets, count);
}

}  // namespace sluice::worker
