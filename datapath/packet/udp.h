// UDP (RFC 768).
//
// Theory of operation. Eight bytes: ports, length (header and payload), checksum over a pseudo-header of the IP
// addresses, protocol and length, and the datagram. A checksum of 0 means none, in IPv4 only; one that comes out as 0
// is sent as 0xffff.

#ifndef SLUICE_DATAPATH_PACKET_UDP_H_
#define SLUICE_DATAPATH_PACKET_UDP_H_

#include "datapath/packet/byte_order.h"

namespace sluice::packet {

struct UdpHeader {
  BigEndian16 source_port;
  BigEndian16 destination_port;
  BigEndian16 length;
  BigEndian16 checksum;
};
static_assert(sizeof(UdpHeader) == 8 && alignof(UdpHeader) == 1);

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_UDP_H_
