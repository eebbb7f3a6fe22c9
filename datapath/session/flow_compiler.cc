#include "datapath/session/flow_compiler.h"

#include <algorithm>

namespace sluice::session {
namespace {

packet::Endpoint NextPort(packet::Endpoint endpoint) {
  ++endpoint.port;
  return endpoint;
}

// Where RTCP was signalled to go; not set: nowhere yet.
packet::Endpoint SignalledRtcp(const Leg& leg) {
  if (!leg.remote.is_set()) return {};
  switch (leg.rtcp_mode) {
    case RtcpMode::kMux:
      return leg.remote;
    case RtcpMode::kExplicit:
      return leg.remote_rtcp;
    case RtcpMode::kNextPort:
      return NextPort(leg.remote);
  }
  return {};
}

// The state that RTCP of this leg's peer arrives at.
flow::StateIndex RtcpStateOf(const Leg& leg) { return leg.has_rtcp_flow() ? leg.rtcp_state : leg.state; }

}  // namespace

packet::Endpoint FlowCompiler::LearnedSource(const Leg& leg) const {
  const rtp::StreamIdentity& identity = table_.state(leg.state).identity;
  return identity.IsLocked(leg.generation) ? identity.source() : packet::Endpoint();
}

packet::Endpoint FlowCompiler::LocalRtcp(const Leg& leg) const {
  return leg.has_rtcp_flow() ? NextPort(Local(leg)) : Local(leg);
}

packet::Endpoint FlowCompiler::Destination(const Leg& leg) const {
  const packet::Endpoint learned = LearnedSource(leg);
  if (learned.is_set()) return destinations_.Allows(learned.address) ? learned : packet::Endpoint();
  if (!leg.remote.is_set() || !destinations_.Allows(leg.remote.address)) return {};
  if (leg.source_mode == rtp::SourceMode::kPrefix) {
    const std::vector<packet::IpPrefix>& prefixes = prefixes_[leg.prefixes];
    const bool inside = std::any_of(prefixes.begin(), prefixes.end(), [&](const packet::IpPrefix& prefix) {
      return prefix.Contains(leg.remote.address);
    });
    if (!inside) return {};
  }
  return leg.remote;
}

packet::Endpoint FlowCompiler::RtcpDestination(const Leg& leg) const {
  if (!leg.has_rtcp_flow()) return Destination(leg);
  const rtp::StreamIdentity& identity = table_.state(leg.rtcp_state).identity;
  if (identity.IsLocked(leg.rtcp_generation)) {
    const packet::Endpoint learned = identity.source();
    return learned.is_set() && destinations_.Allows(learned.address) ? learned : packet::Endpoint();
  }
  return Destination(leg) == leg.remote ? SignalledRtcp(leg) : packet::Endpoint();
}

absl::Status FlowCompiler::ResolveNextHops(Leg& leg) {
  const std::string& interface = networks_[leg.local.network].interface;
  const packet::Endpoint destination = Destination(leg);
  const packet::Endpoint rtcp_destination = RtcpDestination(leg);
  flow::NextHopIndex hops[2] = {flow::kNoNextHop, flow::kNoNextHop};
  const packet::Endpoint* endpoints[2] = {&destination, &rtcp_destination};
  const int count = leg.has_rtcp_flow() ? 2 : 1;
  for (int i = 0; i < count; ++i) {
    if (!endpoints[i]->is_set()) continue;
    absl::StatusOr<flow::NextHopIndex> hop = next_hops_.Resolve(interface, endpoints[i]->address);
    if (!hop.ok()) {
      if (i == 1 && hops[0] != flow::kNoNextHop) next_hops_.Release(hops[0]);
      return hop.status();
    }
    hops[i] = *hop;
  }
  const flow::NextHopIndex old[2] = {leg.next_hop, leg.rtcp_next_hop};
  leg.next_hop = hops[0];
  leg.rtcp_next_hop = hops[1];
  for (const flow::NextHopIndex hop : old) {
    if (hop != flow::kNoNextHop) next_hops_.Release(hop);
  }
  return absl::OkStatus();
}

void FlowCompiler::ReleaseNextHops(Stream& stream) {
  for (Leg& leg : stream.legs) {
    for (flow::NextHopIndex* hop : {&leg.next_hop, &leg.rtcp_next_hop}) {
      if (*hop != flow::kNoNextHop) next_hops_.Release(*hop);
      *hop = flow::kNoNextHop;
    }
  }
}

flow::FlowSpec FlowCompiler::CommonSpec(const Stream& stream, const Leg& from, const Leg& to) const {
  flow::FlowSpec spec;
  if (stream.kind == MediaKind::kDatagrams) spec.flags |= flow::kFlowDatagrams;
  if (stream.capture) spec.flags |= flow::kFlowCapture;
  if (destinations_.allow_loopback()) spec.flags |= flow::kFlowAllowLoopback;
  spec.dscp = to.dscp;
  spec.source_mode = from.source_mode;
  if (from.source_mode == rtp::SourceMode::kPrefix) spec.prefixes = prefixes_[from.prefixes];
  return spec;
}

absl::Status FlowCompiler::PublishRtp(const Stream& stream, const Leg& from, const Leg& to) {
  flow::FlowSpec spec = CommonSpec(stream, from, to);
  spec.local = Local(from);
  spec.target = {Local(to), Destination(to), to.next_hop};
  spec.state = from.state;
  spec.opposite_state = to.state;
  spec.signalled = from.remote;
  spec.generation = from.generation;
  spec.bandwidth_limit_bps = from.bandwidth_limit_bps;
  if (!PeerSends(from.direction) || !PeerReceives(to.direction)) spec.flags |= flow::kFlowClosed;
  if (stream.kind == MediaKind::kRtp) {
    const CodecSet& codecs = codecs_[from.codecs];
    spec.payload_map = codecs.map;
    if (codecs.event_clock_rate != 0) spec.flags |= flow::kFlowTelephoneEvents;
    if (from.rtcp_mode == RtcpMode::kMux) {
      spec.flags |= flow::kFlowRtcpMux;
      spec.opposite_state = RtcpStateOf(to);
      if (to.has_rtcp_flow()) spec.rtcp_target = {LocalRtcp(to), RtcpDestination(to), to.rtcp_next_hop};
    }
  }
  return table_.Publish(spec);
}

absl::Status FlowCompiler::PublishRtcp(const Stream& stream, const Leg& from, const Leg& to) {
  flow::FlowSpec spec = CommonSpec(stream, from, to);
  spec.flags |= flow::kFlowRtcpOnly;
  spec.local = LocalRtcp(from);
  spec.target = {LocalRtcp(to), RtcpDestination(to), to.has_rtcp_flow() ? to.rtcp_next_hop : to.next_hop};
  spec.state = from.rtcp_state;
  spec.opposite_state = RtcpStateOf(to);
  spec.signalled = SignalledRtcp(from);
  spec.generation = from.rtcp_generation;
  spec.rtp_source = LearnedSource(from).address;
  return table_.Publish(spec);
}

absl::Status FlowCompiler::Publish(Stream& stream) {
  for (Leg& leg : stream.legs) {
    if (absl::Status status = ResolveNextHops(leg); !status.ok()) return status;
  }
  for (size_t i = 0; i < stream.legs.size(); ++i) {
    const Leg& from = stream.legs[i];
    const Leg& to = stream.legs[1 - i];
    if (absl::Status status = PublishRtp(stream, from, to); !status.ok()) return status;
    if (!from.has_rtcp_flow()) continue;
    if (absl::Status status = PublishRtcp(stream, from, to); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void FlowCompiler::Unpublish(const Stream& stream, const Stream* kept) {
  const auto is_kept = [&](const packet::Endpoint& local) {
    if (kept == nullptr) return false;
    return std::any_of(kept->legs.begin(), kept->legs.end(), [&](const Leg& leg) {
      return local == Local(leg) || (leg.has_rtcp_flow() && local == LocalRtcp(leg));
    });
  };
  for (const Leg& leg : stream.legs) {
    if (!is_kept(Local(leg))) table_.Unpublish(Local(leg));
    if (leg.has_rtcp_flow() && !is_kept(LocalRtcp(leg))) table_.Unpublish(LocalRtcp(leg));
  }
}

}  // namespace sluice::session
