// IPv4 (RFC 791).
//
// Theory of operation. Twenty bytes without options; a header with options is longer (IHL > 5). Total length counts
// header and payload and may be less than the frame has. A packet whose "more fragments" bit or offset is set is a
// fragment: only the first one has ports, so none is taken. "Don't fragment" with identification 0 is an atomic
// datagram (RFC 6864), which is what the relay sends.

#ifndef SLUICE_DATAPATH_PACKET_IPV4_H_
#define SLUICE_DATAPATH_PACKET_IPV4_H_

#include <cstdint>

#include "datapath/packet/byte_order.h"

namespace sluice::packet {

inline constexpr uint8_t kProtocolUdp = 17;
inline constexpr uint16_t kIpv4DontFragment = 0x4000;
inline constexpr uint16_t kIpv4FragmentMask = 0x3fff;  // "More fragments" and the offset.
inline constexpr uint8_t kEndpointHopLimit = 64;       // Of what the relay sends, in IPv6 too.

struct Ipv4Header {
  uint8_t version_ihl;
  uint8_t tos;  // DSCP in the upper six bits.
  BigEndian16 total_length;
  BigEndian16 identification;
  BigEndian16 fragment;
  uint8_t ttl;
  uint8_t protocol;
  BigEndian16 checksum;
  BigEndian32 source;
  BigEndian32 destination;
};
static_assert(sizeof(Ipv4Header) == 20 && alignof(Ipv4Header) == 1);

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_IPV4_H_
