// Builds frames for tests, benchmarks and explanations: right by default, wrong where told.

#ifndef SLUICE_DATAPATH_PACKET_PACKET_BUILDER_H_
#define SLUICE_DATAPATH_PACKET_PACKET_BUILDER_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "datapath/packet/endpoint.h"
#include "datapath/packet/mac_address.h"

namespace sluice::packet {

class PacketBuilder {
 public:
  // Endpoints as text: "198.18.1.2:21000", "[2001:db8::2]:21000". Both of one family. Ends the program for text that is
  // none.
  PacketBuilder(std::string_view from, std::string_view to);
  PacketBuilder(const Endpoint& from, const Endpoint& to);

  PacketBuilder& Macs(const MacAddress& source, const MacAddress& destination);
  // Adds a VLAN tag; twice for two.
  PacketBuilder& Vlan(uint16_t vlan);
  PacketBuilder& Payload(std::vector<uint8_t> payload);
  // `size` bytes that count up.
  PacketBuilder& PayloadOfSize(size_t size);
  PacketBuilder& TrafficClass(uint8_t traffic_class);
  PacketBuilder& WithoutUdpChecksum();
  // Adds `amount` to the right UDP checksum, so that it is wrong.
  PacketBuilder& DamageUdpChecksum(uint16_t amount);
  PacketBuilder& DamageIpChecksum();
  PacketBuilder& EtherType(uint16_t type);
  PacketBuilder& Protocol(uint8_t protocol);
  PacketBuilder& IpVersion(uint8_t version);
  // Of IPv4: with options that fill a header of `words` words (more than 5), or a header length that lies (less than
  // 5).
  PacketBuilder& HeaderWords(uint8_t words);
  // Of IPv4: flags and offset as on the wire.
  PacketBuilder& Fragment(uint16_t flags_and_offset);
  // Lengths that lie: the right value plus `difference`.
  PacketBuilder& IpLengthOff(int difference);
  PacketBuilder& UdpLengthOff(int difference);
  // Zero bytes behind the packet, as Ethernet's padding.
  PacketBuilder& Padding(size_t bytes);
  // Cuts the frame to `size` bytes.
  PacketBuilder& CutTo(size_t size);

  std::vector<uint8_t> Build() const;

 private:
  void AppendIpv4(std::vector<uint8_t>& frame) const;
  void AppendIpv6(std::vector<uint8_t>& frame) const;
  void AppendUdp(std::vector<uint8_t>& frame) const;

  Endpoint from_;
  Endpoint to_;
  MacAddress source_mac_ = {{0x02, 0, 0, 0, 0, 0x01}};
  MacAddress destination_mac_ = {{0x02, 0, 0, 0, 0, 0x02}};
  std::vector<uint16_t> vlans_;
  std::vector<uint8_t> payload_;
  uint8_t traffic_class_ = 0;
  bool has_udp_checksum_ = true;
  uint16_t udp_checksum_damage_ = 0;
  bool damage_ip_checksum_ = false;
  std::optional<uint16_t> ether_type_;
  uint8_t protocol_ = 17;
  std::optional<uint8_t> version_;
  uint8_t header_words_ = 5;
  uint16_t fragment_ = 0x4000;
  int ip_length_off_ = 0;
  int udp_length_off_ = 0;
  size_t padding_ = 0;
  std::optional<size_t> cut_;
};

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_PACKET_BUILDER_H_
