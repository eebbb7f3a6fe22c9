// One HEPv3 packet (Homer Encapsulation Protocol, revision 3): what somebody said to somebody else, in chunks of type,
// length and value, so that a collector such as Homer can show calls of many machines together.
//
//   "HEP3", length of all; then chunks: vendor (0: generic), type, length with these six bytes, value; network order.
//
// Threads: any; a function of its arguments.
#ifndef SLUICE_SIGNALING_HEP_PACKET_H_
#define SLUICE_SIGNALING_HEP_PACKET_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/sip/hop.h"

namespace sluice::hep {

// The values are those of the protocol's chunk 0x0b.
enum class Payload : uint8_t {
  kSip = 1,
  // A report about media as JSON.
  kRtcpJson = 5,
};

struct Packet {
  Payload type = Payload::kSip;
  // TLS and WSS show as TCP: that is what the addresses belong to.
  sip::Protocol protocol = sip::Protocol::kUdp;
  sip::Endpoint source;
  sip::Endpoint destination;
  absl::Time time;
  absl::string_view payload;
  // Call-ID of the caller's leg: by it the collector knows what belongs together. Empty: left out.
  absl::string_view correlation_id;
};

// Who captures.
struct Identity {
  uint32_t capture_id = 0;
  // Of a collector that asks for one; empty: left out.
  std::string password;
  // Empty: left out.
  std::string node;
};

// The bytes of the packet. Empty if they are more than a UDP datagram takes.
std::string Encode(const Packet& packet, const Identity& identity);

}  // namespace sluice::hep

#endif  // SLUICE_SIGNALING_HEP_PACKET_H_
