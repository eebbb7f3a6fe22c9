#include "datapath/packet/packet_fixtures.h"

#include "datapath/packet/packet_builder.h"

namespace sluice::packet {
namespace {

PacketBuilder V4() { return PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594"); }
PacketBuilder V6() { return PacketBuilder("[2001:db8:1::2]:21000", "[2001:db8:1::1]:24594"); }

std::vector<PacketFixture> MakeFixtures() {
  using enum DropReason;
  return {
      {"IPv4 UDP with 172 bytes is taken", V4().Build(), kNone},
      {"IPv6 UDP with 172 bytes is taken", V6().Build(), kNone},
      {"IPv4 behind one VLAN tag is taken", V4().Vlan(100).Build(), kNone},
      {"IPv6 behind one VLAN tag is taken", V6().Vlan(100).Build(), kNone},
      {"IPv4 UDP without checksum is taken", V4().WithoutUdpChecksum().Build(), kNone},
      {"IPv4 UDP with a wrong checksum is taken, and stays wrong", V4().DamageUdpChecksum(1).Build(), kNone},
      {"an empty datagram padded to Ethernet's least size is taken", V4().PayloadOfSize(0).Padding(18).Build(), kNone},
      {"a datagram of the largest Ethernet packet is taken", V4().PayloadOfSize(1472).Build(), kNone},
      {"don't fragment is no fragment", V4().Fragment(0x4000).Build(), kNone},
      {"neither is a packet with no flag at all", V4().Fragment(0).Build(), kNone},

      {"an empty frame has a bad length", V4().CutTo(0).Build(), kBadLength},
      {"a frame that ends within Ethernet has a bad length", V4().CutTo(13).Build(), kBadLength},
      {"a frame that ends within the VLAN tag has a bad length", V4().Vlan(100).CutTo(17).Build(), kBadLength},
      {"a frame that ends within the IPv4 header has a bad length", V4().CutTo(33).Build(), kBadLength},
      {"a frame that ends within the IPv6 header has a bad length", V6().CutTo(53).Build(), kBadLength},
      {"a frame that ends within the UDP header has a bad length", V4().CutTo(41).Build(), kBadLength},
      {"a frame that ends within the payload has a bad length", V4().CutTo(100).Build(), kBadLength},
      {"ARP is not IP", V4().EtherType(0x0806).Build(), kNotIp},
      {"IPv4 behind two VLAN tags is not IP to us", V4().Vlan(100).Vlan(200).Build(), kNotIp},
      {"an IPv4 header that says version 6 is bad", V4().IpVersion(6).Build(), kBadHeader},
      {"an IPv6 header that says version 4 is bad", V6().IpVersion(4).Build(), kBadHeader},
      {"an IPv4 header shorter than twenty bytes has a bad length", V4().HeaderWords(4).Build(), kBadLength},
      {"an IPv4 header with options is dropped as such", V4().HeaderWords(6).Build(), kIpOptions},
      {"an IPv4 header with the longest options too", V4().HeaderWords(15).Build(), kIpOptions},
      {"a wrong IPv4 header checksum is seen", V4().DamageIpChecksum().Build(), kBadHeaderChecksum},
      {"the first fragment is dropped though it has ports", V4().Fragment(0x2000).Build(), kFragment},
      {"a later fragment is dropped", V4().Fragment(0x0010).Build(), kFragment},
      {"TCP is not UDP", V4().Protocol(6).Build(), kNotUdp},
      {"ICMPv6 is not UDP", V6().Protocol(58).Build(), kNotUdp},
      {"an IPv4 length beyond the frame lies", V4().IpLengthOff(1).Build(), kBadLength},
      {"an IPv4 length below its own header lies", V4().IpLengthOff(-190).Build(), kBadLength},
      {"an IPv4 length with bytes behind the datagram lies", V4().IpLengthOff(4).Padding(4).Build(), kBadLength},
      {"an IPv6 length beyond the frame lies", V6().IpLengthOff(1).Build(), kBadLength},
      {"an IPv6 payload too short for UDP lies", V6().IpLengthOff(-175).Build(), kBadLength},
      {"a UDP length beyond the IP packet lies", V4().UdpLengthOff(1).Build(), kBadLength},
      {"a UDP length below the IP packet's lies", V4().UdpLengthOff(-1).Build(), kBadLength},
      {"a UDP length of 0 lies", V4().UdpLengthOff(-180).Build(), kBadLength},
      {"an IPv6 fragment is dropped as a fragment", V6().Protocol(44).Build(), kFragment},
      {"IPv6 hop-by-hop options are dropped", V6().Protocol(0).Build(), kV6Extension},
      {"an IPv6 routing header is dropped", V6().Protocol(43).Build(), kV6Extension},
      {"IPv6 destination options are dropped", V6().Protocol(60).Build(), kV6Extension},
      {"IPv6 UDP without checksum is dropped", V6().WithoutUdpChecksum().Build(), kV6ZeroChecksum},
  };
}

}  // namespace

const std::vector<PacketFixture>& PacketFixtures() {
  static const std::vector<PacketFixture>* const fixtures = new std::vector<PacketFixture>(MakeFixtures());
  return *fixtures;
}

}  // namespace sluice::packet
