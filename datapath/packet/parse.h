// From the bytes of a frame to a UDP datagram, or to the reason why it is none.
//
// What is taken: Ethernet II with at most one VLAN tag, IPv4 without options or IPv6 without extension headers,
// unfragmented UDP whose lengths agree with each other and with the frame. The XDP program accepts exactly this (it
// looks at the same fields in the same order), so that what it sends up parses.
//
// All in the first 62 bytes of the frame (18 + 40 + 8 with everything), nothing of the payload is touched.
//
// Threads: a pure function.

#ifndef SLUICE_DATAPATH_PACKET_PARSE_H_
#define SLUICE_DATAPATH_PACKET_PARSE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "datapath/packet/byte_order.h"
#include "datapath/packet/checksum.h"
#include "datapath/packet/drop_reason.h"
#include "datapath/packet/ethernet.h"
#include "datapath/packet/ip_address.h"
#include "datapath/packet/ipv4.h"
#include "datapath/packet/ipv6.h"
#include "datapath/packet/udp.h"

namespace sluice::packet {

// Where things are. Only `verdict` counts unless it is kNone.
struct ParsedPacket {
  DropReason verdict = DropReason::kNone;
  bool is_v4 = false;
  uint8_t ip_offset = 0;   // 14 or 18.
  uint8_t udp_offset = 0;  // ip_offset + 20 or 40.
  uint16_t vlan = 0;       // 0: untagged.
  // Of the whole datagram, header included: at least 8, and the frame has as much.
  uint16_t udp_size = 0;
  uint8_t traffic_class = 0;

  size_t payload_offset() const { return udp_offset + sizeof(UdpHeader); }
  size_t payload_size() const { return udp_size - sizeof(UdpHeader); }
  // Of the frame without padding.
  size_t frame_size() const { return udp_offset + udp_size; }

  friend bool operator==(const ParsedPacket&, const ParsedPacket&) = default;
};

// The source address of a packet whose UDP header is at `udp`.
inline IpAddress SourceInFrontOf(const uint8_t* udp, bool is_v4) {
  if (!is_v4) return IpAddress::V6(udp - sizeof(Ipv6Header) + offsetof(Ipv6Header, source));
  return IpAddress::V4InUpperHalf(Load<uint64_t>(udp - sizeof(Ipv4Header) + offsetof(Ipv4Header, source) - 4));
}

// Addresses and ports of a packet whose verdict is kNone.
inline IpAddress SourceAddress(const ParsedPacket& parsed, const uint8_t* frame) {
  return SourceInFrontOf(frame + parsed.udp_offset, parsed.is_v4);
}
inline IpAddress DestinationAddress(const ParsedPacket& parsed, const uint8_t* frame) {
  const uint8_t* ip = frame + parsed.ip_offset;
  if (!parsed.is_v4) return IpAddress::V6(ip + offsetof(Ipv6Header, destination));
  return IpAddress::V4InUpperHalf(Load<uint64_t>(ip + offsetof(Ipv4Header, destination) - 4));
}
inline UdpHeader ReadUdp(const ParsedPacket& parsed, const uint8_t* frame) {
  UdpHeader header;
  std::memcpy(&header, frame + parsed.udp_offset, sizeof(header));
  return header;
}

// Parses a frame of which `size` bytes are at `frame` in one piece, out of `frame_size` in all. Always inlined: a
// worker spends more on passing the result than on a field.
[[gnu::always_inline]] inline ParsedPacket Parse(const uint8_t* frame, size_t size, size_t frame_size) {
  ParsedPacket parsed;
  const auto drop = [&parsed](DropReason reason) {
    parsed.verdict = reason;
    return parsed;
  };

  if (size < sizeof(EthernetHeader)) return drop(DropReason::kBadLength);
  uint16_t type = Load<BigEndian16>(frame + offsetof(EthernetHeader, type)).ToHost();
  size_t offset = sizeof(EthernetHeader);
  if (type == kEtherTypeVlan) [[unlikely]] {
    if (size < offset + sizeof(VlanTag)) return drop(DropReason::kBadLength);
    VlanTag tag;
    std::memcpy(&tag, frame + offset, sizeof(tag));
    type = tag.type.ToHost();
    parsed.vlan = tag.control.ToHost() & 0x0fff;
    offset += sizeof(tag);
  }
  parsed.ip_offset = static_cast<uint8_t>(offset);

  size_t payload_size;
  if (type == kEtherTypeIpv4) [[likely]] {
    if (size < offset + sizeof(Ipv4Header)) return drop(DropReason::kBadLength);
    const uint8_t* ip = frame + offset;
    const uint8_t version_ihl = ip[offsetof(Ipv4Header, version_ihl)];
    if (version_ihl != 0x45) [[unlikely]] {
      if (version_ihl >> 4 != 4) return drop(DropReason::kBadHeader);
      return drop((version_ihl & 0x0f) < 5 ? DropReason::kBadLength : DropReason::kIpOptions);
    }
    const size_t total = Load<BigEndian16>(ip + offsetof(Ipv4Header, total_length)).ToHost();
    if (total < sizeof(Ipv4Header) || offset + total > frame_size) return drop(DropReason::kBadLength);
    if (!IsRightSum(SumOf20(ip))) return drop(DropReason::kBadHeaderChecksum);
    const uint16_t fragment = Load<uint16_t>(ip + offsetof(Ipv4Header, fragment));
    if ((fragment & BigEndian16(kIpv4FragmentMask).raw()) != 0) return drop(DropReason::kFragment);
    if (ip[offsetof(Ipv4Header, protocol)] != kProtocolUdp) return drop(DropReason::kNotUdp);
    parsed.is_v4 = true;
    parsed.traffic_class = ip[offsetof(Ipv4Header, tos)];
    payload_size = total - sizeof(Ipv4Header);
    offset += sizeof(Ipv4Header);
  } else if (type == kEtherTypeIpv6) {
    if (size < offset + sizeof(Ipv6Header)) return drop(DropReason::kBadLength);
    const uint8_t* ip = frame + offset;
    const uint32_t first = Load<BigEndian32>(ip + offsetof(Ipv6Header, version_class_flow)).ToHost();
    if (first >> 28 != 6) return drop(DropReason::kBadHeader);
    payload_size = Load<BigEndian16>(ip + offsetof(Ipv6Header, payload_length)).ToHost();
    if (offset + sizeof(Ipv6Header) + payload_size > frame_size) return drop(DropReason::kBadLength);
    switch (ip[offsetof(Ipv6Header, next_header)]) {
      case kProtocolUdp:
        break;
      case kV6Fragment:
        return drop(DropReason::kFragment);
      case kV6HopByHop:
      case kV6Routing:
      case kV6AuthenticationHeader:
      case kV6DestinationOptions:
      case kV6Mobility:
        return drop(DropReason::kV6Extension);
      default:
        return drop(DropReason::kNotUdp);
    }
    parsed.traffic_class = static_cast<uint8_t>(first >> 20);
    offset += sizeof(Ipv6Header);
  } else {
    return drop(DropReason::kNotIp);
  }

  if (payload_size < sizeof(UdpHeader) || size < offset + sizeof(UdpHeader)) return drop(DropReason::kBadLength);
  const uint8_t* udp = frame + offset;
  // Bytes of the IP packet behind the datagram would be carried unseen, so the lengths have to be equal.
  if (Load<BigEndian16>(udp + offsetof(UdpHeader, length)).ToHost() != payload_size) {
    return drop(DropReason::kBadLength);
  }
  if (!parsed.is_v4 && Load<uint16_t>(udp + offsetof(UdpHeader, checksum)) == 0) {
    return drop(DropReason::kV6ZeroChecksum);
  }
  parsed.udp_offset = static_cast<uint8_t>(offset);
  parsed.udp_size = static_cast<uint16_t>(payload_size);
  return parsed;
}

[[gnu::always_inline]] inline ParsedPacket Parse(const uint8_t* frame, size_t size) { return Parse(frame, size, size); }

// What Parse finds, for what nearly all frames are: untagged, and nothing wrong. It compares words with several fields
// in them, so it costs half of Parse. False for all others, and for Parse to look at: it does not say why.
[[gnu::always_inline]] inline bool ParseOrdinary(const uint8_t* frame, size_t size, ParsedPacket& parsed) {
  constexpr size_t kIp = sizeof(EthernetHeader);
  // As little-endian words: EtherType, version and header length; fragment, TTL and protocol.
  constexpr uint32_t kV4 = 0x45'0008, kV4Mask = 0xff'ffff;
  constexpr uint32_t kUdpWhole = uint32_t{kProtocolUdp} << 24,
                     kUdpWholeMask = 0xff00'0000 | BigEndian16(kIpv4FragmentMask).raw();
  constexpr uint32_t kV6 = 0x60'dd86, kV6Mask = 0xf0'ffff;
  static_assert(BigEndian16(kEtherTypeIpv4).raw() == (kV4 & 0xffff) &&
                BigEndian16(kEtherTypeIpv6).raw() == (kV6 & 0xffff));

  if (size < kIp + sizeof(Ipv4Header) + sizeof(UdpHeader)) return false;
  const uint32_t type = Load<uint32_t>(frame + offsetof(EthernetHeader, type));
  const uint8_t* ip = frame + kIp;
  if ((type & kV4Mask) == kV4) [[likely]] {
    const uint8_t* udp = ip + sizeof(Ipv4Header);
    const size_t udp_size = Load<BigEndian16>(udp + offsetof(UdpHeader, length)).ToHost();
    if ((Load<uint32_t>(ip + offsetof(Ipv4Header, fragment)) & kUdpWholeMask) != kUdpWhole ||
        Load<BigEndian16>(ip + offsetof(Ipv4Header, total_length)).ToHost() != sizeof(Ipv4Header) + udp_size ||
        udp_size < sizeof(UdpHeader) || size < kIp + sizeof(Ipv4Header) + udp_size || !IsRightSum(SumOf20(ip))) {
      return false;
    }
    parsed.is_v4 = true;
    parsed.udp_offset = kIp + sizeof(Ipv4Header);
    parsed.udp_size = static_cast<uint16_t>(udp_size);
    parsed.traffic_class = ip[offsetof(Ipv4Header, tos)];
  } else {
    if ((type & kV6Mask) != kV6 || size < kIp + sizeof(Ipv6Header) + sizeof(UdpHeader)) return false;
    const uint8_t* udp = ip + sizeof(Ipv6Header);
    const BigEndian16 length = Load<BigEndian16>(udp + offsetof(UdpHeader, length));
    const size_t udp_size = length.ToHost();
    if (ip[offsetof(Ipv6Header, next_header)] != kProtocolUdp ||
        Load<BigEndian16>(ip + offsetof(Ipv6Header, payload_length)) != length || udp_size < sizeof(UdpHeader) ||
        size < kIp + sizeof(Ipv6Header) + udp_size || Load<uint16_t>(udp + offsetof(UdpHeader, checksum)) == 0) {
      return false;
    }
    parsed.is_v4 = false;
    parsed.udp_offset = kIp + sizeof(Ipv6Header);
    parsed.udp_size = static_cast<uint16_t>(udp_size);
    parsed.traffic_class =
        static_cast<uint8_t>(Load<BigEndian32>(ip + offsetof(Ipv6Header, version_class_flow)).ToHost() >> 20);
  }
  parsed.verdict = DropReason::kNone;
  parsed.ip_offset = kIp;
  parsed.vlan = 0;
  return true;
}

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_PARSE_H_
