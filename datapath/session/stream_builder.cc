#include "datapath/session/stream_builder.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace sluice::session {
namespace {

absl::Status Within(absl::string_view field, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(field, ".", status.message()));
}

// Whether RTCP gets a port of its own.
bool WantsPair(const LegSpec& spec, MediaKind kind) {
  return kind == MediaKind::kRtp && spec.rtcp_mode != RtcpMode::kMux;
}

uint8_t NextGeneration(const flow::FlowTable& table, flow::StateIndex state, uint8_t generation) {
  return rtp::SourcePolicy::NextGeneration(table.state(state).identity, table.detail(state).probation, generation);
}

}  // namespace

absl::Status StreamBuilder::Place(const LegSpec& spec, MediaKind kind, const Leg* old, Leg& leg, absl::Time now) {
  absl::StatusOr<unsigned> network = spec.network.empty() && old != nullptr
                                         ? absl::StatusOr<unsigned>(old->local.network)
                                         : networks_.Find(spec.network, spec.version());
  if (!network.ok()) return network.status();
  const bool pair = WantsPair(spec, kind);
  if (old != nullptr && old->local.network == *network) {
    const packet::Endpoint local = networks_.Local(old->local);
    if (spec.requested_local.is_set() && spec.requested_local != local) {
      return absl::InvalidArgumentError(absl::StrCat("requested_local is ", spec.requested_local.ToString(),
                                                     " and the leg has ", local.ToString(),
                                                     " already, which it keeps"));
    }
    if (spec.remote.is_set() && spec.remote.address.is_v4() != local.address.is_v4()) {
      return absl::InvalidArgumentError(absl::StrCat("remote ", spec.remote.ToString(), " and the leg's local port ",
                                                     local.ToString(), " are of different IP versions"));
    }
    leg.local = old->local;
    leg.state = old->state;
    leg.rtcp_state = old->rtcp_state;
    if (pair && !leg.local.has_pair) {
      if (absl::Status status = networks_.AddNextPort(leg.local, now); !status.ok()) return status;
    }
  } else {
    absl::StatusOr<LocalPorts> ports = networks_.Allocate(*network, spec.version(), spec.requested_local, pair, now);
    if (!ports.ok()) return ports.status();
    leg.local = *ports;
    // Counters go on where the leg moves to another network.
    if (old != nullptr) {
      leg.state = old->state;
      leg.rtcp_state = old->rtcp_state;
    }
  }
  if (leg.state == flow::kNoState) {
    absl::StatusOr<flow::StateIndex> state = table_.AllocateState();
    if (!state.ok()) return state.status();
    leg.state = *state;
  }
  if (pair && leg.rtcp_state == flow::kNoState) {
    absl::StatusOr<flow::StateIndex> state = table_.AllocateState();
    if (!state.ok()) return state.status();
    leg.rtcp_state = *state;
  }
  return absl::OkStatus();
}

absl::StatusOr<Leg> StreamBuilder::BuildLeg(absl::string_view field, const LegSpec& spec, MediaKind kind,
                                            const Leg* old, absl::Time now) {
  for (const packet::Endpoint* endpoint : {&spec.remote, &spec.remote_rtcp}) {
    if (!endpoint->is_set()) continue;
    if (const std::string fault = destinations_.Fault(endpoint->address); !fault.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, endpoint == &spec.remote ? ".remote " : ".remote_rtcp ", fault));
    }
  }
  Leg leg;
  if (absl::Status status = Place(spec, kind, old, leg, now); !status.ok()) {
    ReleaseLeg(leg, old, now);
    return Within(field, status);
  }
  leg.remote = spec.remote;
  leg.remote_rtcp = spec.remote_rtcp;
  leg.bandwidth_limit_bps = spec.bandwidth_limit_bps;
  leg.source_mode = spec.source_mode;
  leg.rtcp_mode = spec.rtcp_mode;
  leg.direction = spec.direction;
  leg.dscp = spec.dscp != 0 ? spec.dscp : networks_[leg.local.network].dscp;
  leg.codecs = codecs_.Acquire(spec.payload_types, [&](const std::vector<PayloadType>& types) {
    return MakeCodecSet(types, table_.options().ticks_per_second);
  });
  if (!spec.prefixes.empty()) {
    rtp::PrefixSet set;
    set.count = static_cast<uint8_t>(spec.prefixes.size());
    std::copy(spec.prefixes.begin(), spec.prefixes.end(), set.prefixes.begin());
    leg.prefixes = prefixes_.Acquire(set, [&](const rtp::PrefixSet&) { return spec.prefixes; });
  }
  if (old == nullptr) return leg;
  leg.generation = old->generation;
  leg.rtcp_generation = old->rtcp_generation;
  const bool opens = leg.remote != old->remote || leg.source_mode != old->source_mode || leg.prefixes != old->prefixes;
  if (opens) leg.generation = NextGeneration(table_, leg.state, leg.generation);
  if (leg.rtcp_state != flow::kNoState &&
      (opens || leg.remote_rtcp != old->remote_rtcp || leg.rtcp_mode != old->rtcp_mode)) {
    leg.rtcp_generation = NextGeneration(table_, leg.rtcp_state, leg.rtcp_generation);
  }
  return leg;
}

absl::StatusOr<Stream> StreamBuilder::Build(absl::string_view field, const StreamSpec& spec, const Stream* old,
                                            absl::Time now) {
  if (old != nullptr && old->kind != spec.kind) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ".kind cannot change: make another stream with another stream_id"));
  }
  Stream stream;
  stream.stream_id = spec.stream_id;
  stream.kind = spec.kind;
  if (old != nullptr) stream.capture = old->capture;
  for (size_t i = 0; i < stream.legs.size(); ++i) {
    absl::StatusOr<Leg> leg = BuildLeg(absl::StrCat(field, ".legs[", i, "]"), spec.legs[i], spec.kind,
                                       old != nullptr ? &old->legs[i] : nullptr, now);
    if (!leg.ok()) {
      if (i == 1) ReleaseLeg(stream.legs[0], old != nullptr ? &old->legs[0] : nullptr, now);
      return leg.status();
    }
    stream.legs[i] = *leg;
  }
  // Media is due once both peers have been told of each other.
  const bool signalled = stream.legs[0].remote.is_set() && stream.legs[1].remote.is_set();
  for (size_t i = 0; i < stream.legs.size(); ++i) {
    Leg& leg = stream.legs[i];
    if (!signalled || !PeerSends(leg.direction) || !PeerReceives(stream.legs[1 - i].direction)) continue;
    const bool goes_on =
        old != nullptr && old->legs[i].expected_since != 0 && old->legs[i].generation == leg.generation;
    leg.expected_since = goes_on ? old->legs[i].expected_since : absl::ToUnixNanos(now);
    if (goes_on) leg.told = old->legs[i].told;
  }
  return stream;
}

void StreamBuilder::ReleaseLeg(const Leg& leg, const Leg* other, absl::Time now) {
  codecs_.Release(leg.codecs);
  prefixes_.Release(leg.prefixes);
  const bool same_port = other != nullptr && other->local.address == leg.local.address &&
                         other->local.port == leg.local.port && other->local.network == leg.local.network;
  if (leg.local.port != 0) {
    if (!same_port) {
      networks_.Release(leg.local, now);
    } else if (leg.local.has_pair && !other->local.has_pair) {
      networks_.ReleaseNextPort(leg.local, now);
    }
  }
  if (leg.state != flow::kNoState && (other == nullptr || other->state != leg.state)) table_.ReleaseState(leg.state);
  if (leg.rtcp_state != flow::kNoState && (other == nullptr || other->rtcp_state != leg.rtcp_state)) {
    table_.ReleaseState(leg.rtcp_state);
  }
}

void StreamBuilder::Release(const Stream& stream, const Stream* other, absl::Time now) {
  for (size_t i = 0; i < stream.legs.size(); ++i) {
    ReleaseLeg(stream.legs[i], other != nullptr ? &other->legs[i] : nullptr, now);
  }
}

bool StreamBuilder::Matches(const LegSpec& spec, MediaKind kind, const Leg& leg) const {
  if (!spec.network.empty() && networks_[leg.local.network].name != spec.network) return false;
  if (spec.requested_local.is_set() && spec.requested_local != networks_.Local(leg.local)) return false;
  if (WantsPair(spec, kind) && !leg.local.has_pair) return false;
  const uint8_t dscp = spec.dscp != 0 ? spec.dscp : networks_[leg.local.network].dscp;
  return spec.remote == leg.remote && spec.remote_rtcp == leg.remote_rtcp && spec.source_mode == leg.source_mode &&
         spec.rtcp_mode == leg.rtcp_mode && spec.direction == leg.direction && dscp == leg.dscp &&
         spec.bandwidth_limit_bps == leg.bandwidth_limit_bps && spec.payload_types == codecs_[leg.codecs].types &&
         (leg.prefixes == 0 ? spec.prefixes.empty() : spec.prefixes == prefixes_[leg.prefixes]);
}

bool StreamBuilder::Matches(const StreamSpec& spec, const Stream& stream) const {
  return spec.stream_id == stream.stream_id && spec.kind == stream.kind &&
         Matches(spec.legs[0], spec.kind, stream.legs[0]) && Matches(spec.legs[1], spec.kind, stream.legs[1]);
}

}  // namespace sluice::session
