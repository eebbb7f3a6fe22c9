#include "datapath/service/from_proto.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "process/checks.h"

namespace sluice::service {
namespace {

constexpr int kLegs = 2;

absl::Status ReadEndpoint(absl::string_view field, const relay::v1::Endpoint& endpoint, packet::Endpoint& out) {
  absl::StatusOr<packet::Endpoint> read = FromProto(field, endpoint);
  if (!read.ok()) return read.status();
  out = *read;
  return absl::OkStatus();
}

absl::Status ReadPolicy(absl::string_view field, const relay::v1::SourcePolicy& policy, session::LegSpec& leg) {
  switch (policy.mode()) {
    case relay::v1::SOURCE_POLICY_MODE_EXACT:
      leg.source_mode = rtp::SourceMode::kExact;
      break;
    case relay::v1::SOURCE_POLICY_MODE_SAME_ADDRESS:
      leg.source_mode = rtp::SourceMode::kSameAddress;
      break;
    case relay::v1::SOURCE_POLICY_MODE_PREFIX:
      leg.source_mode = rtp::SourceMode::kPrefix;
      break;
    case relay::v1::SOURCE_POLICY_MODE_ANY:
      leg.source_mode = rtp::SourceMode::kAny;
      break;
    default:
      return absl::InvalidArgumentError(
          absl::StrCat(field, ".source_policy.mode is required, allowed are EXACT, SAME_ADDRESS, PREFIX, ANY"));
  }
  for (int i = 0; i < policy.prefixes_size(); ++i) {
    const std::optional<packet::IpPrefix> prefix = packet::IpPrefix::Parse(policy.prefixes(i));
    if (!prefix) {
      return absl::InvalidArgumentError(absl::StrCat(field, ".source_policy.prefixes[", i, "] '", policy.prefixes(i),
                                                     "' is not a prefix, allowed are 198.18.2.0/24, 2001:db8::/64"));
    }
    leg.prefixes.push_back(*prefix);
  }
  return absl::OkStatus();
}

absl::Status ReadModes(absl::string_view field, const relay::v1::Leg& in, session::LegSpec& leg) {
  switch (in.rtcp_mode()) {
    case relay::v1::RTCP_MODE_UNSPECIFIED:
    case relay::v1::RTCP_MODE_NEXT_PORT:
      leg.rtcp_mode = session::RtcpMode::kNextPort;
      break;
    case relay::v1::RTCP_MODE_MUX:
      leg.rtcp_mode = session::RtcpMode::kMux;
      break;
    case relay::v1::RTCP_MODE_EXPLICIT:
      leg.rtcp_mode = session::RtcpMode::kExplicit;
      break;
    default:
      return absl::InvalidArgumentError(absl::StrCat(field, ".rtcp_mode ", int{in.rtcp_mode()}, " is not known"));
  }
  switch (in.direction()) {
    case relay::v1::DIRECTION_UNSPECIFIED:
    case relay::v1::DIRECTION_SENDRECV:
      leg.direction = session::Direction::kSendRecv;
      break;
    case relay::v1::DIRECTION_SENDONLY:
      leg.direction = session::Direction::kSendOnly;
      break;
    case relay::v1::DIRECTION_RECVONLY:
      leg.direction = session::Direction::kRecvOnly;
      break;
    case relay::v1::DIRECTION_INACTIVE:
      leg.direction = session::Direction::kInactive;
      break;
    default:
      return absl::InvalidArgumentError(absl::StrCat(field, ".direction ", int{in.direction()}, " is not known"));
  }
  return absl::OkStatus();
}

absl::Status ReadVersion(absl::string_view field, relay::v1::IpVersion version, session::LegSpec& leg) {
  switch (version) {
    case relay::v1::IP_VERSION_UNSPECIFIED:
      return absl::OkStatus();
    case relay::v1::IP_VERSION_4:
      leg.ip_version = session::IpVersion::kV4;
      return absl::OkStatus();
    case relay::v1::IP_VERSION_6:
      leg.ip_version = session::IpVersion::kV6;
      return absl::OkStatus();
    default:
      return absl::InvalidArgumentError(absl::StrCat(field, ".ip_version ", int{version}, " is not known"));
  }
}

absl::Status ReadLeg(absl::string_view field, const relay::v1::Leg& in, session::LegSpec& leg) {
  leg.network = in.network();
  if (in.has_remote()) {
    if (absl::Status status = ReadEndpoint(absl::StrCat(field, ".remote"), in.remote(), leg.remote); !status.ok())
      return status;
  }
  if (in.has_remote_rtcp()) {
    if (absl::Status status = ReadEndpoint(absl::StrCat(field, ".remote_rtcp"), in.remote_rtcp(), leg.remote_rtcp);
        !status.ok())
      return status;
  }
  if (in.has_requested_local()) {
    if (absl::Status status =
            ReadEndpoint(absl::StrCat(field, ".requested_local"), in.requested_local(), leg.requested_local);
        !status.ok())
      return status;
  }
  if (absl::Status status = ReadPolicy(field, in.source_policy(), leg); !status.ok()) return status;
  if (absl::Status status = ReadModes(field, in, leg); !status.ok()) return status;
  if (absl::Status status = ReadVersion(field, in.ip_version(), leg); !status.ok()) return status;
  leg.payload_types.reserve(static_cast<size_t>(in.payload_types_size()));
  for (int i = 0; i < in.payload_types_size(); ++i) {
    const relay::v1::PayloadType& type = in.payload_types(i);
    if (type.number() > 127) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, ".payload_types[", i, "].number is ", type.number(), ", allowed is 0 to 127"));
    }
    leg.payload_types.push_back({static_cast<uint8_t>(type.number()), type.clock_rate(), type.encoding()});
  }
  leg.bandwidth_limit_bps = in.bandwidth_limit_bps();
  if (in.dscp() > 63) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".dscp is ", in.dscp(), ", allowed is 0 to 63"));
  }
  leg.dscp = static_cast<uint8_t>(in.dscp());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<packet::Endpoint> FromProto(absl::string_view field, const relay::v1::Endpoint& endpoint) {
  const std::optional<packet::IpAddress> address = packet::IpAddress::Parse(endpoint.address());
  if (!address) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ".address '", endpoint.address(), "' is not an IPv4 or IPv6 address"));
  }
  if (endpoint.port() < 1 || endpoint.port() > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".port is ", endpoint.port(), ", allowed is 1 to 65535"));
  }
  return packet::Endpoint{*address, static_cast<uint16_t>(endpoint.port())};
}

session::Writer FromProto(const relay::v1::Writer& writer) { return {writer.shard(), writer.epoch()}; }

absl::StatusOr<session::SessionSpec> FromProto(const relay::v1::Session& in) {
  session::SessionSpec spec;
  spec.session_id = in.session_id();
  spec.label = in.label();
  if (in.timeouts().has_first_packet()) spec.timeouts.first_packet = process::ToAbsl(in.timeouts().first_packet());
  if (in.timeouts().has_one_way()) spec.timeouts.one_way = process::ToAbsl(in.timeouts().one_way());
  if (in.timeouts().has_silence()) spec.timeouts.silence = process::ToAbsl(in.timeouts().silence());
  if (static_cast<size_t>(in.streams_size()) > session::kMaxStreams) {
    return absl::InvalidArgumentError(
        absl::StrCat("streams has ", in.streams_size(), " entries, allowed are 1 to ", session::kMaxStreams));
  }
  spec.streams.reserve(static_cast<size_t>(in.streams_size()));
  for (int i = 0; i < in.streams_size(); ++i) {
    const relay::v1::Stream& stream = in.streams(i);
    const std::string field = absl::StrCat("streams[", i, "]");
    session::StreamSpec& out = spec.streams.emplace_back();
    if (stream.stream_id() > 255) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, ".stream_id is ", stream.stream_id(), ", allowed is 0 to 255"));
    }
    out.stream_id = static_cast<uint8_t>(stream.stream_id());
    switch (stream.kind()) {
      case relay::v1::MEDIA_KIND_RTP:
        out.kind = session::MediaKind::kRtp;
        break;
      case relay::v1::MEDIA_KIND_UDP:
        out.kind = session::MediaKind::kDatagrams;
        break;
      default:
        return absl::InvalidArgumentError(absl::StrCat(field, ".kind is required, allowed are RTP, UDP"));
    }
    if (stream.legs_size() != kLegs) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, ".legs has ", stream.legs_size(), " entries, allowed are exactly ", kLegs));
    }
    for (int leg = 0; leg < kLegs; ++leg) {
      if (absl::Status status =
              ReadLeg(absl::StrCat(field, ".legs[", leg, "]"), stream.legs(leg), out.legs[static_cast<size_t>(leg)]);
          !status.ok())
        return status;
    }
  }
  return spec;
}

}  // namespace sluice::service
