#include "datapath/worker/explain.h"

#include <string_view>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "datapath/packet/parse.h"
#include "datapath/worker/decision.h"

namespace sluice::worker {
namespace {

using packet::DropReason;

absl::string_view NameOf(DropReason reason) {
  const std::string_view name = packet::Name(reason);
  return {name.data(), name.size()};
}

void Copy(const rtp::StreamIdentity& from, rtp::StreamIdentity& to) {
  to.lock.store(from.lock.load(std::memory_order_acquire), std::memory_order_relaxed);
  to.address_high.Store(from.address_high.Load());
  to.address_low.Store(from.address_low.Load());
  to.ssrc.Store(from.ssrc.Load());
}

void Copy(const rtp::Probation& from, rtp::Probation& to) {
  to.address_high.Store(from.address_high.Load());
  to.address_low.Store(from.address_low.Load());
  to.ssrc.Store(from.ssrc.Load());
  to.started.Store(from.started.Load());
  to.port.Store(from.port.Load());
  to.sequence.Store(from.sequence.Load());
  to.packets.Store(from.packets.Load());
  to.generation.Store(from.generation.Load());
  to.refused.Store(from.refused.Load());
}

// One explanation in the making.
class Narrator {
 public:
  Narrator(const flow::FlowTable& flows, const flow::NextHopTable& next_hops, uint64_t ticks)
      : flows_(flows), next_hops_(next_hops), ticks_(ticks) {}

  Explanation Explain(std::span<const uint8_t> frame) {
    const packet::ParsedPacket parsed = packet::Parse(frame.data(), frame.size());
    if (parsed.verdict != DropReason::kNone) {
      Drop(parsed.verdict, absl::StrCat("a frame of ", frame.size(), " bytes"));
      return explanation_;
    }
    const packet::UdpHeader udp = packet::ReadUdp(parsed, frame.data());
    const packet::Endpoint source = {packet::SourceAddress(parsed, frame.data()), udp.source_port.ToHost()};
    const packet::Endpoint local = {packet::DestinationAddress(parsed, frame.data()), udp.destination_port.ToHost()};
    Say(absl::StrCat("UDP from ", source.ToString(), " to ", local.ToString(), ", ", parsed.payload_size(),
                     " bytes of payload", parsed.vlan != 0 ? absl::StrCat(", VLAN ", parsed.vlan) : ""));
    if (flows_.FindLocal(local.address) == flow::FlowTable::kNotLocal) {
      Drop(DropReason::kNotLocal, absl::StrCat(local.address.ToString(), " is no media address of this relay"));
      return explanation_;
    }
    const flow::FlowReference flow = flows_.Find(local);
    if (!flow.is_set()) {
      Drop(DropReason::kNoFlow, absl::StrCat("nobody uses port ", local.port, " of ", local.address.ToString()));
      return explanation_;
    }
    explanation_.state = flow.state;
    const Arrival arrival = {source.address,
                             source.port,
                             static_cast<uint16_t>(parsed.payload_size()),
                             static_cast<uint32_t>(parsed.frame_size() - parsed.ip_offset),
                             frame.data() + parsed.payload_offset(),
                             ticks_};
    if (flow.is_wide()) {
      TellDecision(flows_.entry_wide(flow.entry), arrival);
    } else {
      TellDecision(flows_.entry4(flow.entry), arrival);
    }
    return explanation_;
  }

 private:
  template <typename Entry>
  void TellDecision(const Entry& entry, const Arrival& arrival) {
    const rtp::StreamIdentity& present = flows_.state(explanation_.state).identity;
    rtp::StreamIdentity identity;
    flow::FlowDetail detail;
    Copy(present, identity);
    Copy(flows_.detail(explanation_.state).probation, detail.probation);
    detail.policer.full_at.Store(flows_.detail(explanation_.state).policer.full_at.Load());
    Decision<Entry> decision;
    Decide(flows_, next_hops_, entry, flows_.payload_map(entry.payload_map), arrival, identity, detail, decision);

    if (!TellSource(entry, arrival, present, decision.verdict)) return;
    if (!TellContent(decision.content, decision.verdict)) return;
    switch (decision.verdict) {
      case DropReason::kNone:
        TellWay(entry, *decision.way, decision.next_hop);
        break;
      case DropReason::kDirection:
        Drop(decision.verdict, "the peer may not send now (hold)");
        break;
      case DropReason::kPoliced:
        Drop(decision.verdict, "the flow is above its bandwidth limit");
        break;
      case DropReason::kNoDestination:
        Drop(decision.verdict, "the other leg's address is not known yet");
        break;
      default:
        Drop(decision.verdict, decision.next_hop.state() == flow::NextHopState::kNoRoute
                                   ? "there is no route to the other leg's address"
                                   : "the next hop towards the other leg is not resolved yet");
        break;
    }
  }

  // False if the packet goes no further.
  bool TellSource(const flow::FlowCommon& entry, const Arrival& arrival, const rtp::StreamIdentity& present,
                  DropReason verdict) {
    if (present.IsLockedTo(arrival.source, arrival.source_port, entry.generation)) {
      Say("its source is the one that the stream is locked to");
      return true;
    }
    if (present.IsLocked(entry.generation)) {
      Drop(verdict, absl::StrCat("the stream is locked to ", present.source().ToString()));
      return false;
    }
    switch (verdict) {
      case DropReason::kSourceMismatch:
        Drop(verdict, "the source policy does not allow its source");
        return false;
      case DropReason::kSourceProbation:
        Drop(verdict, "the source policy may take its source after more packets");
        return false;
      case DropReason::kBadRtp:
      case DropReason::kPayloadType:
        Say("no source is locked, and this packet proves nothing about its own");
        return true;
      default:
        Say("the source policy would take its source with this packet");
        return true;
    }
  }

  bool TellContent(const Content& content, DropReason verdict) {
    if (verdict == DropReason::kBadRtp) {
      Drop(verdict, content.kind == rtp::SourcePacketKind::kRtcp ? "its payload is no valid RTCP"
                                                                 : "its payload is no valid RTP");
      return false;
    }
    const std::string type = absl::StrCat("payload type ", content.rtp.payload_type);
    if (verdict == DropReason::kPayloadType) {
      Drop(verdict, absl::StrCat(type, " was not negotiated"));
      return false;
    }
    switch (content.kind) {
      case rtp::SourcePacketKind::kRtp:
        Say(absl::StrCat("RTP, ", type, ", sequence number ", content.rtp.sequence, ", SSRC ", content.rtp.ssrc));
        break;
      case rtp::SourcePacketKind::kRtcp:
        Say("RTCP");
        break;
      case rtp::SourcePacketKind::kDatagram:
        Say("a datagram of a stream whose content is not looked at");
        break;
    }
    return true;
  }

  template <typename Entry>
  void TellWay(const Entry& entry, const Entry& way, flow::NextHopWord next_hop) {
    if (&way != &entry) Say("RTCP leaves from a port of its own, since the other leg does not multiplex it");
    const auto& rewrite = way.rewrite;
    if constexpr (std::is_same_v<Entry, flow::FlowEntry4>) {
      explanation_.new_source.address = packet::IpAddress::V4(rewrite.source);
      explanation_.new_destination.address = packet::IpAddress::V4(rewrite.destination);
    } else {
      explanation_.new_source.address = rewrite.source;
      explanation_.new_destination.address = rewrite.destination;
    }
    explanation_.new_source.port = rewrite.source_port.ToHost();
    explanation_.new_destination.port = rewrite.destination_port.ToHost();
    const flow::Egress& egress = next_hops_.egress(next_hop.egress());
    Say(absl::StrCat("forwarded from ", explanation_.new_source.ToString(), " to ",
                     explanation_.new_destination.ToString(), ", DSCP ", rewrite.traffic_class >> 2, ", by ",
                     next_hop.Unpack().destination.ToString(), " on DPDK port ", egress.port,
                     egress.vlan != 0 ? absl::StrCat(", VLAN ", egress.vlan) : ""));
  }

  void Say(std::string step) { explanation_.steps.push_back(std::move(step)); }
  void Drop(DropReason reason, absl::string_view why) {
    explanation_.verdict = reason;
    Say(absl::StrCat(why, ": dropped as ", NameOf(reason)));
  }

  const flow::FlowTable& flows_;
  const flow::NextHopTable& next_hops_;
  const uint64_t ticks_;
  Explanation explanation_;
};

}  // namespace

Explanation Explain(const flow::FlowTable& flows, const flow::NextHopTable& next_hops, std::span<const uint8_t> frame,
                    uint64_t ticks) {
  return Narrator(flows, next_hops, ticks).Explain(frame);
}

}  // namespace sluice::worker
