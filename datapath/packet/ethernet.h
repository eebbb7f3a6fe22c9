// Ethernet II with at most one IEEE 802.1Q tag.
//
// Theory of operation. Destination and source (6 bytes each), then a type. Type 0x8100 means a tag of four bytes
// (priority 3 bits, drop eligible 1, VLAN 12, then the real type). A second tag (0x88a8 or another 0x8100) is not IP to
// us. Frames shorter than 60 bytes are padded by the sender, so the frame may be longer than the packet in it; the
// packet's own length counts.

#ifndef SLUICE_DATAPATH_PACKET_ETHERNET_H_
#define SLUICE_DATAPATH_PACKET_ETHERNET_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "datapath/packet/byte_order.h"
#include "datapath/packet/mac_address.h"

namespace sluice::packet {

inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeVlan = 0x8100;
inline constexpr uint16_t kEtherTypeIpv6 = 0x86dd;

struct EthernetHeader {
  MacAddress destination;
  MacAddress source;
  BigEndian16 type;
};
static_assert(sizeof(EthernetHeader) == 14 && alignof(EthernetHeader) == 1);

struct VlanTag {
  BigEndian16 control;  // Priority, drop eligible, VLAN.
  BigEndian16 type;
};
static_assert(sizeof(VlanTag) == 4 && alignof(VlanTag) == 1);

// Writes an Ethernet header, with a tag if `vlan` is not 0, in front of the IP header at `ip`. The addresses are words
// whose first six bytes count (MacAddress::Word): each is one store. Returns where the frame begins: 14 or 18 bytes
// before.
[[gnu::always_inline]] inline uint8_t* WriteEthernet(uint64_t destination, uint64_t source, uint16_t vlan, bool is_ipv4,
                                                     uint8_t* ip) {
  const uint16_t type = BigEndian16(is_ipv4 ? kEtherTypeIpv4 : kEtherTypeIpv6).raw();
  uint8_t* begin = ip - sizeof(EthernetHeader) - (vlan != 0 ? sizeof(VlanTag) : 0);
  // In this order: each covers what the one before wrote too far.
  std::memcpy(begin, &destination, sizeof(destination));
  std::memcpy(begin + offsetof(EthernetHeader, source), &source, sizeof(source));
  if (vlan != 0) [[unlikely]] {
    const uint16_t tag[2] = {BigEndian16(kEtherTypeVlan).raw(), BigEndian16(vlan).raw()};
    std::memcpy(begin + offsetof(EthernetHeader, type), tag, sizeof(tag));
  }
  std::memcpy(ip - sizeof(type), &type, sizeof(type));
  return begin;
}

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_ETHERNET_H_
