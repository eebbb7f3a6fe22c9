#include "signaling/agent/media_mapping.h"

#include "absl/strings/str_cat.h"

namespace sluice::agent {
namespace {

using call::MediaAnswer;

// Session.label.
constexpr size_t kMaxLabel = 256;

relay::v1::Direction ToRelay(call::MediaDirection direction) {
  switch (direction) {
    case call::MediaDirection::kSendRecv:
      return relay::v1::DIRECTION_SENDRECV;
    case call::MediaDirection::kSendOnly:
      return relay::v1::DIRECTION_SENDONLY;
    case call::MediaDirection::kRecvOnly:
      return relay::v1::DIRECTION_RECVONLY;
    case call::MediaDirection::kInactive:
      return relay::v1::DIRECTION_INACTIVE;
  }
  return relay::v1::DIRECTION_UNSPECIFIED;
}

relay::v1::RtcpMode ToRelay(call::RtcpMode mode) {
  switch (mode) {
    case call::RtcpMode::kNextPort:
      return relay::v1::RTCP_MODE_NEXT_PORT;
    case call::RtcpMode::kMux:
      return relay::v1::RTCP_MODE_MUX;
    case call::RtcpMode::kExplicit:
      return relay::v1::RTCP_MODE_EXPLICIT;
  }
  return relay::v1::RTCP_MODE_UNSPECIFIED;
}

bool IsV6(absl::string_view address) { return address.find(':') != absl::string_view::npos; }

std::string PrefixOf(absl::string_view address) { return absl::StrCat(address, IsV6(address) ? "/128" : "/32"); }

relay::v1::SourcePolicy PolicyOf(const call::MediaLeg& leg) {
  relay::v1::SourcePolicy policy;
  // A phone that has learned from rport what its NAT makes of it has a right Contact and still a wrong SDP.
  const bool is_doubtful = leg.is_phone && !leg.address.empty() && leg.address != leg.sip_address;
  if (leg.sip_address.empty() || (!leg.behind_nat && !is_doubtful)) {
    policy.set_mode(relay::v1::SOURCE_POLICY_MODE_SAME_ADDRESS);
    return policy;
  }
  policy.set_mode(relay::v1::SOURCE_POLICY_MODE_PREFIX);
  policy.add_prefixes(PrefixOf(leg.sip_address));
  if (!leg.behind_nat) policy.add_prefixes(PrefixOf(leg.address));
  return policy;
}

relay::v1::Leg ToRelay(const call::MediaLeg& leg, const std::string& network) {
  relay::v1::Leg relay_leg;
  relay_leg.set_network(network);
  relay_leg.set_direction(ToRelay(leg.direction));
  // Until its address is known, the relay's own has to be of the version that the peer is reached by.
  relay_leg.set_ip_version(leg.is_v6 ? relay::v1::IP_VERSION_6 : relay::v1::IP_VERSION_4);
  if (!leg.address.empty() && leg.port != 0) {
    relay_leg.mutable_remote()->set_address(leg.address);
    relay_leg.mutable_remote()->set_port(leg.port);
    if (leg.rtcp_mode == call::RtcpMode::kExplicit) {
      relay_leg.mutable_remote_rtcp()->set_address(leg.rtcp_address.empty() ? leg.address : leg.rtcp_address);
      relay_leg.mutable_remote_rtcp()->set_port(leg.rtcp_port);
    }
  }
  *relay_leg.mutable_source_policy() = PolicyOf(leg);
  // A port for RTCP that is not known yet is no port to be explicit about.
  const bool explicit_rtcp = relay_leg.has_remote_rtcp();
  relay_leg.set_rtcp_mode(leg.rtcp_mode == call::RtcpMode::kExplicit && !explicit_rtcp ? relay::v1::RTCP_MODE_NEXT_PORT
                                                                                       : ToRelay(leg.rtcp_mode));
  for (const call::PayloadType& type : leg.payload_types) {
    relay::v1::PayloadType& relay_type = *relay_leg.add_payload_types();
    relay_type.set_number(type.number);
    relay_type.set_clock_rate(type.clock_rate);
    relay_type.set_encoding(type.encoding);
  }
  relay_leg.set_bandwidth_limit_bps(leg.bandwidth_limit_bps);
  return relay_leg;
}

call::MediaAddress ToAddress(const relay::v1::LegState& leg) {
  return {.address = leg.advertised().address(),
          .port = static_cast<uint16_t>(leg.advertised().port()),
          .rtcp_port = static_cast<uint16_t>(leg.advertised_rtcp().port()),
          .is_v6 = IsV6(leg.advertised().address())};
}

MediaAnswer Done(const relay::v1::SessionState& state) {
  MediaAnswer answer;
  for (const relay::v1::StreamState& stream : state.streams()) {
    // A relay always answers both legs; one that does not has nothing to offer for this stream.
    if (stream.legs_size() != 2) continue;
    answer.streams.push_back({stream.stream_id(), {ToAddress(stream.legs(0)), ToAddress(stream.legs(1))}});
  }
  return answer;
}

MediaAnswer Failed(MediaAnswer::Outcome outcome, const absl::Status& status) {
  MediaAnswer answer;
  answer.outcome = outcome;
  answer.text = std::string(status.message());
  return answer;
}

}  // namespace

relay::v1::Session ToRelaySession(const call::MediaSession& media, const std::string& session_id,
                                  absl::string_view label, const MediaNetworks& networks) {
  relay::v1::Session session;
  session.set_session_id(session_id);
  session.set_label(std::string(label.substr(0, kMaxLabel)));
  for (const call::MediaStream& stream : media.streams) {
    relay::v1::Stream& relay_stream = *session.add_streams();
    relay_stream.set_stream_id(stream.id);
    relay_stream.set_kind(stream.is_rtp ? relay::v1::MEDIA_KIND_RTP : relay::v1::MEDIA_KIND_UDP);
    *relay_stream.add_legs() = ToRelay(stream.legs[0], networks.caller);
    *relay_stream.add_legs() = ToRelay(stream.legs[1], networks.callee);
  }
  return session;
}

relay::v1::SessionState ToSessionState(const std::string& session_id, const std::vector<MediaAnswer::Stream>& ports,
                                       const std::function<std::string(const std::string& told)>& own_address) {
  relay::v1::SessionState state;
  state.set_session_id(session_id);
  for (const MediaAnswer::Stream& stream : ports) {
    relay::v1::StreamState& stream_state = *state.add_streams();
    stream_state.set_stream_id(stream.id);
    for (const call::MediaAddress& leg : stream.legs) {
      relay::v1::LegState& leg_state = *stream_state.add_legs();
      leg_state.mutable_advertised()->set_address(leg.address);
      leg_state.mutable_advertised()->set_port(leg.port);
      leg_state.mutable_advertised_rtcp()->set_address(leg.address);
      leg_state.mutable_advertised_rtcp()->set_port(leg.rtcp_port);
      // A NAT of one address for another leaves ports as they are.
      leg_state.mutable_local()->set_address(own_address(leg.address));
      leg_state.mutable_local()->set_port(leg.port);
    }
  }
  return state;
}

MediaAnswer ToCreateAnswer(const absl::StatusOr<fleet::PlacedSession>& answer) {
  if (answer.ok()) return Done(answer->state);
  // What is wrong with the session itself is wrong at every relay; all else is want of a relay.
  return Failed(
      absl::IsInvalidArgument(answer.status()) ? MediaAnswer::Outcome::kRefused : MediaAnswer::Outcome::kUnavailable,
      answer.status());
}

MediaAnswer ToUpdateAnswer(const absl::StatusOr<relay::v1::SessionState>& answer) {
  if (answer.ok()) return Done(*answer);
  if (absl::IsInvalidArgument(answer.status())) return Failed(MediaAnswer::Outcome::kRefused, answer.status());
  if (absl::IsUnavailable(answer.status()) || absl::IsDeadlineExceeded(answer.status())) {
    return Failed(MediaAnswer::Outcome::kDelayed, answer.status());
  }
  return Failed(MediaAnswer::Outcome::kUnavailable, answer.status());
}

}  // namespace sluice::agent
