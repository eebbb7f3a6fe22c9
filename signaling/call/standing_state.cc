#include "signaling/call/standing_state.h"

#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "signaling/call/standing_time.h"
#include "signaling/sip/dialog.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/name_address.h"
#include "signaling/sip/uri.h"

namespace sluice::call {
namespace {

constexpr uint32_t kMaxPort = std::numeric_limits<uint16_t>::max();
constexpr int kSides = 2;
// What was kept may be older than what was sent last, and no number must come twice: more than a second's are left out.
// Peers take that (RFC 3261 12.2.2).
constexpr uint32_t kLeftOut = 100;

absl::Status Damaged(absl::string_view what) { return absl::InvalidArgumentError(absl::StrCat(what, " is damaged")); }

state::v1::Hop ToState(const sip::Hop& hop) {
  state::v1::Hop state;
  state.set_protocol(std::string(sip::ProtocolName(hop.protocol)));
  state.set_local(hop.local.ToString());
  state.set_remote(hop.remote.ToString());
  state.set_only_connection(hop.only_connection);
  state.set_tls_peer(hop.tls_peer);
  return state;
}

// Of no connection: those of the run that has written it are gone.
absl::StatusOr<sip::Hop> ReadHop(const state::v1::Hop& state) {
  const std::optional<sip::Protocol> protocol = sip::ParseProtocol(state.protocol());
  const std::optional<sip::Endpoint> local = sip::Endpoint::Parse(state.local());
  const std::optional<sip::Endpoint> remote = sip::Endpoint::Parse(state.remote());
  if (!protocol || !local || !remote) return Damaged("where a party is");
  return sip::Hop{.protocol = *protocol,
                  .local = *local,
                  .remote = *remote,
                  .only_connection = state.only_connection(),
                  .tls_peer = state.tls_peer()};
}

state::v1::Party ToState(const Party& party) {
  state::v1::Party state;
  *state.mutable_hop() = ToState(party.hop);
  state.set_behind_nat(party.behind_nat);
  state.set_is_phone(party.is_phone);
  state.set_is_trusted(party.is_trusted);
  if (party.follow_redirections) state.set_follow_redirections(*party.follow_redirections);
  state.set_advertised(party.advertised);
  state.set_account(party.account);
  state.set_display_name(party.display_name);
  state.set_has_credentials(party.credentials != nullptr);
  return state;
}

absl::StatusOr<Party> ReadParty(const state::v1::Party& state) {
  const absl::StatusOr<sip::Hop> hop = ReadHop(state.hop());
  if (!hop.ok()) return hop.status();
  Party party;
  party.hop = *hop;
  party.behind_nat = state.behind_nat();
  party.is_phone = state.is_phone();
  party.is_trusted = state.is_trusted();
  if (state.has_follow_redirections()) party.follow_redirections = state.follow_redirections();
  party.advertised = state.advertised();
  party.account = state.account();
  party.display_name = state.display_name();
  return party;
}

state::v1::Dialog ToState(const sip::Dialog::State& dialog) {
  state::v1::Dialog state;
  state.set_call_id(dialog.call_id);
  state.set_local(dialog.local);
  state.set_remote(dialog.remote);
  state.set_target(dialog.target);
  for (const std::string& route : dialog.routes) state.add_routes(route);
  state.set_local_cseq(dialog.local_cseq);
  state.set_remote_cseq(dialog.remote_cseq);
  return state;
}

absl::StatusOr<sip::Dialog> ReadDialog(const state::v1::Dialog& state) {
  if (state.call_id().empty() || sip::TagOf(state.local()).empty() || !sip::Uri::Parse(state.target())) {
    return Damaged("a dialog");
  }
  return sip::Dialog(sip::Dialog::State{.call_id = state.call_id(),
                                        .local = state.local(),
                                        .remote = state.remote(),
                                        .target = state.target(),
                                        .routes = {state.routes().begin(), state.routes().end()},
                                        .local_cseq = state.local_cseq() + kLeftOut,
                                        .remote_cseq = state.remote_cseq(),
                                        .confirmed = true});
}

state::v1::SessionTimer ToState(const SessionTimer::State& timer) {
  state::v1::SessionTimer state;
  state.set_interval_nanos(absl::ToInt64Nanoseconds(timer.interval));
  state.set_we_refresh(timer.we_refresh);
  state.set_refresh_nanos(NanosOf(timer.refresh_at));
  state.set_expiry_nanos(NanosOf(timer.expires_at));
  return state;
}

SessionTimer ReadTimer(const state::v1::SessionTimer& state) {
  return SessionTimer({.interval = absl::Nanoseconds(state.interval_nanos()),
                       .we_refresh = state.we_refresh(),
                       .refresh_at = TimeOf(state.refresh_nanos(), absl::InfiniteFuture()),
                       .expires_at = TimeOf(state.expiry_nanos(), absl::InfiniteFuture())});
}

state::v1::Origin ToState(const sdp::Origin& origin) {
  state::v1::Origin state;
  state.set_user(origin.user);
  state.set_session_id(origin.session_id);
  state.set_version(origin.version);
  state.set_is_v6(origin.is_v6);
  state.set_address(origin.address);
  return state;
}

sdp::Origin ReadOrigin(const state::v1::Origin& state) {
  return {.user = state.user(),
          .session_id = state.session_id(),
          .version = state.version() + kLeftOut,
          .is_v6 = state.is_v6(),
          .address = state.address()};
}

state::v1::MediaLeg ToState(const MediaLeg& leg) {
  state::v1::MediaLeg state;
  state.set_address(leg.address);
  state.set_port(leg.port);
  state.set_rtcp_address(leg.rtcp_address);
  state.set_rtcp_port(leg.rtcp_port);
  state.set_rtcp_mode(static_cast<uint32_t>(leg.rtcp_mode));
  state.set_direction(static_cast<uint32_t>(leg.direction));
  for (const PayloadType& type : leg.payload_types) {
    state::v1::PayloadType& kept = *state.add_payload_types();
    kept.set_number(type.number);
    kept.set_clock_rate(type.clock_rate);
    kept.set_encoding(type.encoding);
  }
  state.set_bandwidth_limit_bps(leg.bandwidth_limit_bps);
  state.set_behind_nat(leg.behind_nat);
  state.set_is_phone(leg.is_phone);
  state.set_sip_address(leg.sip_address);
  state.set_is_v6(leg.is_v6);
  return state;
}

absl::StatusOr<MediaLeg> ReadMediaLeg(const state::v1::MediaLeg& state) {
  if (state.port() > kMaxPort || state.rtcp_port() > kMaxPort ||
      state.rtcp_mode() > static_cast<uint32_t>(RtcpMode::kExplicit) ||
      state.direction() > static_cast<uint32_t>(MediaDirection::kInactive)) {
    return Damaged("a stream");
  }
  MediaLeg leg{.address = state.address(),
               .port = static_cast<uint16_t>(state.port()),
               .rtcp_address = state.rtcp_address(),
               .rtcp_port = static_cast<uint16_t>(state.rtcp_port()),
               .rtcp_mode = static_cast<RtcpMode>(state.rtcp_mode()),
               .direction = static_cast<MediaDirection>(state.direction()),
               .payload_types = {},
               .bandwidth_limit_bps = state.bandwidth_limit_bps(),
               .behind_nat = state.behind_nat(),
               .is_phone = state.is_phone(),
               .sip_address = state.sip_address(),
               .is_v6 = state.is_v6()};
  for (const state::v1::PayloadType& type : state.payload_types()) {
    leg.payload_types.push_back({static_cast<uint8_t>(type.number()), type.clock_rate(), type.encoding()});
  }
  return leg;
}

}  // namespace

state::v1::Leg ToState(const Leg& leg) {
  state::v1::Leg state;
  state.set_number(leg.number);
  *state.mutable_party() = ToState(leg.party);
  *state.mutable_dialog() = ToState(leg.dialog->state());
  state.set_allows_update(leg.allows_update);
  state.set_session_high(leg.session.high);
  state.set_session_low(leg.session.low);
  *state.mutable_origin() = ToState(leg.origin);
  state.set_sent_sdp(leg.sent_sdp);
  *state.mutable_timer() = ToState(leg.timer.state());
  state.set_has_moved(leg.has_moved);
  return state;
}

absl::Status ReadLeg(const state::v1::Leg& state, Leg& leg) {
  absl::StatusOr<Party> party = ReadParty(state.party());
  if (!party.ok()) return party.status();
  absl::StatusOr<sip::Dialog> dialog = ReadDialog(state.dialog());
  if (!dialog.ok()) return dialog.status();
  leg.party = *std::move(party);
  leg.dialog = *std::move(dialog);
  leg.allows_update = state.allows_update();
  leg.session = {state.session_high(), state.session_low()};
  leg.origin = ReadOrigin(state.origin());
  leg.sent_sdp = state.sent_sdp();
  leg.timer = ReadTimer(state.timer());
  leg.has_moved = state.has_moved();
  return absl::OkStatus();
}

state::v1::MediaStream ToState(const MediaStream& stream) {
  state::v1::MediaStream state;
  state.set_id(stream.id);
  state.set_is_rtp(stream.is_rtp);
  state.set_media(stream.media);
  state.set_codec(stream.codec);
  for (const MediaLeg& leg : stream.legs) *state.add_legs() = ToState(leg);
  return state;
}

absl::StatusOr<MediaStream> ReadStream(const state::v1::MediaStream& state) {
  if (state.legs_size() != kSides) return Damaged("a stream");
  MediaStream stream{
      .id = state.id(), .is_rtp = state.is_rtp(), .media = state.media(), .codec = state.codec(), .legs = {}};
  for (int side = 0; side < kSides; ++side) {
    absl::StatusOr<MediaLeg> leg = ReadMediaLeg(state.legs(side));
    if (!leg.ok()) return leg.status();
    stream.legs[side] = *std::move(leg);
  }
  return stream;
}

state::v1::MediaPorts ToState(const MediaAnswer::Stream& ports) {
  state::v1::MediaPorts state;
  state.set_id(ports.id);
  for (const MediaAddress& leg : ports.legs) {
    state::v1::MediaAddress& kept = *state.add_legs();
    kept.set_address(leg.address);
    kept.set_port(leg.port);
    kept.set_rtcp_port(leg.rtcp_port);
    kept.set_is_v6(leg.is_v6);
  }
  return state;
}

absl::StatusOr<MediaAnswer::Stream> ReadPorts(const state::v1::MediaPorts& state) {
  if (state.legs_size() != kSides) return Damaged("the ports of a stream");
  MediaAnswer::Stream ports;
  ports.id = state.id();
  for (int side = 0; side < kSides; ++side) {
    const state::v1::MediaAddress& leg = state.legs(side);
    if (leg.port() > kMaxPort || leg.rtcp_port() > kMaxPort) return Damaged("the ports of a stream");
    ports.legs[side] = {leg.address(), static_cast<uint16_t>(leg.port()), static_cast<uint16_t>(leg.rtcp_port()),
                        leg.is_v6()};
  }
  return ports;
}

}  // namespace sluice::call
