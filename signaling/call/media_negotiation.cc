#include "signaling/call/media_negotiation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "signaling/sip/hop.h"

namespace sluice::call {
namespace {

// What headers of IP, UDP and RTP add to a rate that was given without them (b=TIAS): 100 packets a second of 40 bytes.
constexpr uint64_t kHeaderRate = 32000;

MediaDirection DirectionOf(const sdp::Media& media) {
  // By RFC 2543 an unspecified address holds the call: its author takes no media.
  const bool takes_none = media.connection && media.connection->IsUnspecified();
  switch (media.direction) {
    case sdp::Direction::kSendRecv:
      return takes_none ? MediaDirection::kSendOnly : MediaDirection::kSendRecv;
    case sdp::Direction::kSendOnly:
      return MediaDirection::kSendOnly;
    case sdp::Direction::kRecvOnly:
      return takes_none ? MediaDirection::kInactive : MediaDirection::kRecvOnly;
    case sdp::Direction::kInactive:
      return MediaDirection::kInactive;
  }
  return MediaDirection::kSendRecv;
}

// What a peer may send: the payload types of the other's description, and its own where they do not contradict.
std::vector<PayloadType> PayloadTypes(const sdp::Media& others, const sdp::Media& own) {
  std::vector<PayloadType> types;
  for (const sdp::Media* media : {&others, &own}) {
    for (const sdp::Format& format : media->formats) {
      const bool known = std::any_of(types.begin(), types.end(),
                                     [&](const PayloadType& type) { return type.number == format.payload_type; });
      if (!known) types.push_back({format.payload_type, format.clock_rate, format.encoding});
    }
  }
  return types;
}

// The other side says how much it wants to receive (RFC 8866 5.8).
uint64_t BandwidthLimit(const sdp::Media& others) {
  if (others.bandwidth_as != 0) return others.bandwidth_as;
  return others.bandwidth_tias == 0 ? 0 : others.bandwidth_tias + kHeaderRate;
}

MediaLeg UnknownLeg(const MediaPeer& peer) {
  MediaLeg leg;
  leg.behind_nat = peer.behind_nat;
  leg.is_phone = peer.is_phone;
  leg.sip_address = peer.sip_address;
  leg.is_v6 = peer.is_v6;
  return leg;
}

// `muxed`: both have agreed to RTCP on the RTP port.
MediaLeg LegOf(const sdp::Media& own, const sdp::Media& others, bool muxed, const MediaPeer& peer) {
  MediaLeg leg = UnknownLeg(peer);
  if (!own.connection->IsUnspecified()) {
    leg.address = own.connection->address;
    leg.port = own.port;
    leg.is_v6 = own.connection->is_v6;
  }
  if (muxed) {
    leg.rtcp_mode = RtcpMode::kMux;
  } else if (own.rtcp_port != 0 && own.rtcp_port != own.port + 1 && own.rtcp_port != own.port) {
    leg.rtcp_mode = RtcpMode::kExplicit;
    leg.rtcp_address = own.rtcp_address.empty() ? leg.address : own.rtcp_address;
    leg.rtcp_port = own.rtcp_port;
  }
  leg.direction = DirectionOf(own);
  leg.payload_types = PayloadTypes(others, own);
  leg.bandwidth_limit_bps = BandwidthLimit(others);
  return leg;
}

MediaStream StreamOf(uint32_t id, const sdp::Media& media) {
  MediaStream stream;
  stream.id = id;
  stream.is_rtp = media.is_rtp();
  stream.media = media.type;
  stream.codec = media.formats.empty() ? media.format_names.front() : media.formats.front().encoding;
  return stream;
}

const MediaStream* FindStream(const MediaSession& session, uint32_t id) {
  for (const MediaStream& stream : session.streams) {
    if (stream.id == id) return &stream;
  }
  return nullptr;
}

}  // namespace

bool IsCarried(const sdp::Media& media) {
  if (media.port == 0 || !media.is_udp() || !media.connection) return false;
  const std::optional<sip::Endpoint> endpoint = sip::Endpoint::Make(media.connection->address, media.port);
  return endpoint && endpoint->is_v6 == media.connection->is_v6;
}

bool HasCarried(const sdp::SessionDescription& description) {
  return std::any_of(description.media().begin(), description.media().end(), IsCarried);
}

MediaSession ProposedSession(const MediaSession& current, const sdp::SessionDescription& offer, size_t offerer,
                             const MediaPeers& peers) {
  MediaSession session;
  for (uint32_t i = 0; i < offer.media().size(); ++i) {
    const sdp::Media& media = offer.media()[i];
    const MediaStream* existing = FindStream(current, i);
    if (existing != nullptr && (!IsCarried(media) || existing->is_rtp == media.is_rtp())) {
      session.streams.push_back(*existing);
    } else if (IsCarried(media)) {
      MediaStream stream = StreamOf(i, media);
      stream.legs[offerer] = LegOf(media, media, false, peers[offerer]);
      stream.legs[1 - offerer] = UnknownLeg(peers[1 - offerer]);
      stream.legs[1 - offerer].payload_types = stream.legs[offerer].payload_types;
      session.streams.push_back(std::move(stream));
    }
  }
  return session;
}

MediaSession AgreedSession(const sdp::SessionDescription& offer, const sdp::SessionDescription& answer, size_t offerer,
                           const MediaPeers& peers) {
  MediaSession session;
  for (uint32_t i = 0; i < offer.media().size() && i < answer.media().size(); ++i) {
    const sdp::Media& offered = offer.media()[i];
    const sdp::Media& answered = answer.media()[i];
    if (!IsCarried(offered) || !IsCarried(answered)) continue;
    MediaStream stream = StreamOf(i, answered);
    const bool muxed = offered.rtcp_mux && answered.rtcp_mux;
    stream.legs[offerer] = LegOf(offered, answered, muxed, peers[offerer]);
    stream.legs[1 - offerer] = LegOf(answered, offered, muxed, peers[1 - offerer]);
    session.streams.push_back(std::move(stream));
  }
  return session;
}

MediaSession WithSide(MediaSession current, const sdp::SessionDescription& description, size_t side,
                      const MediaPeers& peers) {
  for (MediaStream& stream : current.streams) {
    if (stream.id >= description.media().size()) continue;
    const sdp::Media& media = description.media()[stream.id];
    if (!IsCarried(media)) continue;
    const bool muxed = stream.legs[side].rtcp_mode == RtcpMode::kMux;
    MediaLeg leg = LegOf(media, media, muxed, peers[side]);
    leg.payload_types = std::move(stream.legs[side].payload_types);
    leg.bandwidth_limit_bps = stream.legs[side].bandwidth_limit_bps;
    stream.legs[side] = std::move(leg);
  }
  return current;
}

std::vector<std::optional<sdp::RelayAddress>> RelayAddresses(const sdp::SessionDescription& description,
                                                             const std::vector<MediaAnswer::Stream>& ports,
                                                             size_t side) {
  std::vector<std::optional<sdp::RelayAddress>> addresses(description.media().size());
  for (const MediaAnswer::Stream& stream : ports) {
    if (stream.id >= addresses.size() || !IsCarried(description.media()[stream.id])) continue;
    const MediaAddress& leg = stream.legs[side];
    if (leg.port == 0) continue;
    const bool muxed = description.media()[stream.id].rtcp_mux && leg.rtcp_port == leg.port;
    const uint16_t rtcp_port = leg.rtcp_port == 0 || (leg.rtcp_port == leg.port && !muxed)
                                   ? static_cast<uint16_t>(leg.port + 1)
                                   : leg.rtcp_port;
    addresses[stream.id] = sdp::RelayAddress{leg.is_v6, leg.address, leg.port, rtcp_port};
  }
  return addresses;
}

}  // namespace sluice::call
