// What a call wants of a relay, in the call's own terms; the agent turns it into sluice.relay.v1.Session and back
// (relay/v1/session_service.proto says what each field means).
//
// Threads: values.
#ifndef SLUICE_SIGNALING_CALL_MEDIA_SESSION_H_
#define SLUICE_SIGNALING_CALL_MEDIA_SESSION_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "signaling/sip/hop.h"

namespace sluice::call {

enum class MediaDirection : uint8_t { kSendRecv, kSendOnly, kRecvOnly, kInactive };
enum class RtcpMode : uint8_t { kNextPort, kMux, kExplicit };

struct PayloadType {
  uint8_t number = 0;
  uint32_t clock_rate = 8000;
  std::string encoding;
  bool operator==(const PayloadType&) const = default;
};

struct MediaLeg {
  // "IP4"/"IP6" address and port as signalled; empty and 0: not known yet.
  std::string address;
  uint16_t port = 0;
  // a=rtcp, for kExplicit.
  std::string rtcp_address;
  uint16_t rtcp_port = 0;
  RtcpMode rtcp_mode = RtcpMode::kNextPort;
  MediaDirection direction = MediaDirection::kSendRecv;
  std::vector<PayloadType> payload_types;
  // From b=; 0: no limit.
  uint64_t bandwidth_limit_bps = 0;
  // Its media may come from any port of the signalled address (SAME_ADDRESS). A peer behind NAT: of the address that
  // its SIP comes from instead (PREFIX). A phone that signals another address than that: of either.
  bool behind_nat = false;
  bool is_phone = false;
  // Address that its SIP comes from.
  std::string sip_address;
  // The peer's address family, for the choice of the relay's network when nothing is signalled yet.
  bool is_v6 = false;
  bool operator==(const MediaLeg&) const = default;
};

struct MediaStream {
  // Index of the m-line.
  uint32_t id = 0;
  // False: any datagrams (T.38, unknown media).
  bool is_rtp = true;
  // "audio", "video", …, and the first negotiated codec, for records.
  std::string media;
  std::string codec;
  // Towards the caller, towards the callee.
  std::array<MediaLeg, 2> legs;
  bool operator==(const MediaStream&) const = default;
};

struct MediaSession {
  std::vector<MediaStream> streams;
  bool operator==(const MediaSession&) const = default;
};

// Where the relay receives, for SDP towards each leg's peer.
struct MediaAddress {
  std::string address;
  uint16_t port = 0;
  uint16_t rtcp_port = 0;
  bool is_v6 = false;
};

struct MediaAnswer {
  struct Stream {
    uint32_t id = 0;
    std::array<MediaAddress, 2> legs;
  };
  enum class Outcome : uint8_t {
    kDone,
    // No relay, or no room at any: 503 with Retry-After.
    kUnavailable,
    // The relay refuses what is asked for (an address that media must not go to, say): 488.
    kRefused,
    // UpdateMedia only: the relay is not reached now and will get the update when it is; go on with the ports that are
    // known.
    kDelayed,
  };
  Outcome outcome = Outcome::kDone;
  std::vector<Stream> streams;
  std::string text;
};

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_MEDIA_SESSION_H_
