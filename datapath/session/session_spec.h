// A session as its writer wants it: sluice.relay.v1.Session in the datapath's own types.
//
// A session is what one call needs of a relay: streams (one an SDP m-line), each with two legs. A spec is desired state
// and says everything; what it leaves out is the default. Check tells whether it can be carried out at all; what
// depends on the relay (networks, ports, where media may go) is checked when it is written.
//
// Threads: values.

#ifndef SLUICE_DATAPATH_SESSION_SESSION_SPEC_H_
#define SLUICE_DATAPATH_SESSION_SESSION_SPEC_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "datapath/packet/endpoint.h"
#include "datapath/packet/ip_prefix.h"
#include "datapath/rtp/source_policy.h"

namespace sluice::session {

enum class MediaKind : uint8_t {
  kRtp,       // RTP and RTCP are read.
  kDatagrams  // Any datagram is carried; no RTCP.
};

enum class RtcpMode : uint8_t {
  kNextPort,  // RTP port + 1 (RFC 3550 11).
  kMux,       // On the RTP port (RFC 5761).
  kExplicit   // At `remote_rtcp` (RFC 3605); the relay's own is RTP port + 1.
};

// As seen by the leg's peer, as in its SDP (RFC 8866 6.7).
enum class Direction : uint8_t { kSendRecv, kSendOnly, kRecvOnly, kInactive };

constexpr bool PeerSends(Direction direction) {
  return direction == Direction::kSendRecv || direction == Direction::kSendOnly;
}
constexpr bool PeerReceives(Direction direction) {
  return direction == Direction::kSendRecv || direction == Direction::kRecvOnly;
}

enum class IpVersion : uint8_t { kUnspecified, kV4, kV6 };

constexpr IpVersion VersionOf(const packet::IpAddress& address) {
  return address.is_v4() ? IpVersion::kV4 : IpVersion::kV6;
}

struct PayloadType {
  uint8_t number = 0;       // 0 to 127.
  uint32_t clock_rate = 0;  // Hz.
  std::string encoding;     // As in a=rtpmap.

  friend bool operator==(const PayloadType&, const PayloadType&) = default;
  template <typename Hash>
  friend Hash AbslHashValue(Hash hash, const PayloadType& type) {
    return Hash::combine(std::move(hash), type.number, type.clock_rate, type.encoding);
  }
};

struct LegSpec {
  // Empty: the first network that has addresses of version(), or the first.
  std::string network;
  packet::Endpoint remote;       // Not set: not signalled yet.
  packet::Endpoint remote_rtcp;  // For RtcpMode::kExplicit only.
  rtp::SourceMode source_mode = rtp::SourceMode::kExact;
  std::vector<packet::IpPrefix> prefixes;  // For kPrefix: 1 to 8.
  RtcpMode rtcp_mode = RtcpMode::kNextPort;
  Direction direction = Direction::kSendRecv;
  std::vector<PayloadType> payload_types;  // Empty: any, at 8000 Hz.
  uint64_t bandwidth_limit_bps = 0;        // Of what this leg sends; 0: no limit.
  packet::Endpoint requested_local;        // Not set: the relay chooses.
  uint8_t dscp = 0;                        // Of what is sent to this leg; 0: the network's.
  // Of the local address while `remote` is not known; kUnspecified: that of the network's first.
  IpVersion ip_version = IpVersion::kUnspecified;

  IpVersion version() const { return remote.is_set() ? VersionOf(remote.address) : ip_version; }
};

struct StreamSpec {
  uint8_t stream_id = 0;  // Unique in the session.
  MediaKind kind = MediaKind::kRtp;
  std::array<LegSpec, 2> legs;  // A, which offered first, then B.
};

// Unset: the relay's default. 0: off.
struct TimeoutSpec {
  std::optional<absl::Duration> first_packet;
  std::optional<absl::Duration> one_way;
  std::optional<absl::Duration> silence;
};

struct SessionSpec {
  std::string session_id;
  std::vector<StreamSpec> streams;
  TimeoutSpec timeouts;
  std::string label;
};

// Who writes.
struct Writer {
  std::string shard;
  uint64_t epoch = 0;
};

inline constexpr size_t kMaxSessionIdSize = 128;
inline constexpr size_t kMaxLabelSize = 256;
inline constexpr size_t kMaxStreams = 16;
inline constexpr size_t kMaxShardSize = 64;

// INVALID_ARGUMENT; the message names the field as in the API and what is allowed.
absl::Status CheckSessionId(const std::string& session_id);
absl::Status Check(const Writer& writer);
absl::Status Check(const SessionSpec& spec);

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_SESSION_SPEC_H_
