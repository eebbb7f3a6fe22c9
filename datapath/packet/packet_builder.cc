#include "datapath/packet/packet_builder.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "datapath/packet/checksum.h"
#include "datapath/packet/ethernet.h"
#include "datapath/packet/ipv4.h"
#include "datapath/packet/ipv6.h"
#include "datapath/packet/udp.h"

namespace sluice::packet {
namespace {

template <typename Header>
void Append(std::vector<uint8_t>& frame, const Header& header) {
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&header);
  frame.insert(frame.end(), bytes, bytes + sizeof(header));
}

Endpoint MustParse(std::string_view text) {
  const std::optional<Endpoint> endpoint = Endpoint::Parse(text);
  if (!endpoint) std::abort();
  return *endpoint;
}

}  // namespace

PacketBuilder::PacketBuilder(std::string_view from, std::string_view to)
    : PacketBuilder(MustParse(from), MustParse(to)) {}

PacketBuilder::PacketBuilder(const Endpoint& from, const Endpoint& to) : from_(from), to_(to) { PayloadOfSize(172); }

PacketBuilder& PacketBuilder::Macs(const MacAddress& source, const MacAddress& destination) {
  source_mac_ = source;
  destination_mac_ = destination;
  return *this;
}
PacketBuilder& PacketBuilder::Vlan(uint16_t vlan) {
  vlans_.push_back(vlan);
  return *this;
}
PacketBuilder& PacketBuilder::Payload(std::vector<uint8_t> payload) {
  payload_ = std::move(payload);
  return *this;
}
PacketBuilder& PacketBuilder::PayloadOfSize(size_t size) {
  payload_.resize(size);
  for (size_t i = 0; i < size; ++i) payload_[i] = static_cast<uint8_t>(i);
  return *this;
}
PacketBuilder& PacketBuilder::TrafficClass(uint8_t traffic_class) {
  traffic_class_ = traffic_class;
  return *this;
}
PacketBuilder& PacketBuilder::WithoutUdpChecksum() {
  has_udp_checksum_ = false;
  return *this;
}
PacketBuilder& PacketBuilder::DamageUdpChecksum(uint16_t amount) {
  udp_checksum_damage_ = amount;
  return *this;
}
PacketBuilder& PacketBuilder::DamageIpChecksum() {
  damage_ip_checksum_ = true;
  return *this;
}
PacketBuilder& PacketBuilder::EtherType(uint16_t type) {
  ether_type_ = type;
  return *this;
}
PacketBuilder& PacketBuilder::Protocol(uint8_t protocol) {
  protocol_ = protocol;
  return *this;
}
PacketBuilder& PacketBuilder::IpVersion(uint8_t version) {
  version_ = version;
  return *this;
}
PacketBuilder& PacketBuilder::HeaderWords(uint8_t words) {
  header_words_ = words;
  return *this;
}
PacketBuilder& PacketBuilder::Fragment(uint16_t flags_and_offset) {
  fragment_ = flags_and_offset;
  return *this;
}
PacketBuilder& PacketBuilder::IpLengthOff(int difference) {
  ip_length_off_ = difference;
  return *this;
}
PacketBuilder& PacketBuilder::UdpLengthOff(int difference) {
  udp_length_off_ = difference;
  return *this;
}
PacketBuilder& PacketBuilder::Padding(size_t bytes) {
  padding_ = bytes;
  return *this;
}
PacketBuilder& PacketBuilder::CutTo(size_t size) {
  cut_ = size;
  return *this;
}

std::vector<uint8_t> PacketBuilder::Build() const {
  std::vector<uint8_t> frame;
  Append(frame, destination_mac_);
  Append(frame, source_mac_);
  for (const uint16_t vlan : vlans_) {
    Append(frame, BigEndian16(kEtherTypeVlan));
    Append(frame, BigEndian16(vlan));
  }
  const bool is_v4 = to_.address.is_v4();
  Append(frame, BigEndian16(ether_type_.value_or(is_v4 ? kEtherTypeIpv4 : kEtherTypeIpv6)));
  if (is_v4) {
    AppendIpv4(frame);
  } else {
    AppendIpv6(frame);
  }
  AppendUdp(frame);
  frame.resize(frame.size() + padding_);
  if (cut_) frame.resize(std::min(*cut_, frame.size()));
  return frame;
}

void PacketBuilder::AppendIpv4(std::vector<uint8_t>& frame) const {
  const size_t options = header_words_ > 5 ? 4 * (header_words_ - size_t{5}) : 0;
  const size_t begin = frame.size();
  Ipv4Header header;
  header.version_ihl = static_cast<uint8_t>(version_.value_or(4) << 4 | header_words_);
  header.tos = traffic_class_;
  header.total_length = BigEndian16(static_cast<uint16_t>(
      static_cast<int>(sizeof(Ipv4Header) + options + sizeof(UdpHeader) + payload_.size()) + ip_length_off_));
  header.identification = BigEndian16(0x1234);
  header.fragment = BigEndian16(fragment_);
  header.ttl = 57;
  header.protocol = protocol_;
  header.checksum = BigEndian16(0);
  header.source = from_.address.v4();
  header.destination = to_.address.v4();
  Append(frame, header);
  frame.insert(frame.end(), options, 0x01);  // No operation.
  const uint16_t checksum =
      static_cast<uint16_t>(~Fold(SumOf(&frame[begin], frame.size() - begin)) + (damage_ip_checksum_ ? 1 : 0));
  std::memcpy(&frame[begin + offsetof(Ipv4Header, checksum)], &checksum, sizeof(checksum));
}

void PacketBuilder::AppendIpv6(std::vector<uint8_t>& frame) const {
  Ipv6Header header;
  header.version_class_flow =
      BigEndian32(static_cast<uint32_t>(version_.value_or(6)) << 28 | static_cast<uint32_t>(traffic_class_) << 20);
  header.payload_length =
      BigEndian16(static_cast<uint16_t>(static_cast<int>(sizeof(UdpHeader) + payload_.size()) + ip_length_off_));
  header.next_header = protocol_;
  header.hop_limit = 57;
  header.source = from_.address.bytes();
  header.destination = to_.address.bytes();
  Append(frame, header);
}

void PacketBuilder::AppendUdp(std::vector<uint8_t>& frame) const {
  const size_t begin = frame.size();
  const uint16_t size = static_cast<uint16_t>(sizeof(UdpHeader) + payload_.size());
  Append(frame, UdpHeader{BigEndian16(from_.port), BigEndian16(to_.port), BigEndian16(size), BigEndian16(0)});
  frame.insert(frame.end(), payload_.begin(), payload_.end());
  uint8_t* udp = &frame[begin];
  if (has_udp_checksum_) {
    const uint16_t checksum =
        static_cast<uint16_t>(FullUdpField(from_.address, to_.address, udp, size) + udp_checksum_damage_);
    std::memcpy(udp + offsetof(UdpHeader, checksum), &checksum, sizeof(checksum));
  }
  const BigEndian16 said(static_cast<uint16_t>(size + udp_length_off_));
  std::memcpy(udp + offsetof(UdpHeader, length), &said, sizeof(said));
}

}  // namespace sluice::packet
