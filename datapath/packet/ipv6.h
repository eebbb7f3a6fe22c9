// IPv6 (RFC 8200).
//
// Theory of operation. Forty bytes; "next header" names either the transport or an extension header, of which media
// needs none: a packet with any is dropped, a fragment (44) under its own name. Payload length counts what follows the
// forty bytes. There is no header checksum, so UDP's is not optional (8.1). The flow label is left 0.

#ifndef SLUICE_DATAPATH_PACKET_IPV6_H_
#define SLUICE_DATAPATH_PACKET_IPV6_H_

#include <array>
#include <cstdint>

#include "datapath/packet/byte_order.h"

namespace sluice::packet {

inline constexpr uint8_t kV6HopByHop = 0;
inline constexpr uint8_t kV6Routing = 43;
inline constexpr uint8_t kV6Fragment = 44;
inline constexpr uint8_t kV6AuthenticationHeader = 51;
inline constexpr uint8_t kV6DestinationOptions = 60;
inline constexpr uint8_t kV6Mobility = 135;

struct Ipv6Header {
  BigEndian32 version_class_flow;
  BigEndian16 payload_length;
  uint8_t next_header;
  uint8_t hop_limit;
  std::array<uint8_t, 16> source;
  std::array<uint8_t, 16> destination;
};
static_assert(sizeof(Ipv6Header) == 40 && alignof(Ipv6Header) == 1);

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_IPV6_H_
