// The new headers of a flow's packets, worked out when the flow is made.
//
// Theory of operation. The relay is an endpoint, not a router: each packet gets a fresh IP header (TTL 64, the flow's
// DSCP, "don't fragment", identification 0 as RFC 6864 allows for atomic datagrams), so nothing of the inner network
// leaks. The IPv4 header checksum is then a constant and the total length. The UDP checksum is updated incrementally:
// all but the packet's own source is a constant of the flow (checksum.h).
//
// The UDP header stays where it is in the buffer. The IP header is written in front of it, so between families the
// packet's beginning moves by 20 bytes, and in front of that the caller writes Ethernet.
//
// Checksum of 0 ("none", IPv4 only): stays 0 in IPv4; towards IPv6, which demands one, it is computed in full.
//
// Debug builds compute the full checksum before and after and check that a right one stays right and a wrong one stays
// wrong.
//
// Threads: made by the control thread, applied by workers; pure functions.

#ifndef SLUICE_DATAPATH_PACKET_REWRITE_H_
#define SLUICE_DATAPATH_PACKET_REWRITE_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "datapath/packet/byte_order.h"
#include "datapath/packet/checksum.h"
#include "datapath/packet/endpoint.h"
#include "datapath/packet/ip_address.h"
#include "datapath/packet/ipv4.h"
#include "datapath/packet/ipv6.h"
#include "datapath/packet/udp.h"

namespace sluice::packet {

// IPv4 to IPv4.
struct Rewrite4 {
  BigEndian32 source;
  BigEndian32 destination;
  BigEndian16 source_port;
  BigEndian16 destination_port;
  // What the UDP sum gains, all but the packet's own source: minus old destination, plus new source and destination.
  // Raw, folded.
  uint16_t udp_gain = 0;
  // Sum of the IPv4 header without total length and checksum. Raw, folded.
  uint16_t ip_constant = 0;
  uint8_t traffic_class = 0;
};
static_assert(sizeof(Rewrite4) == 18);

// Any family to any family.
struct RewriteAny {
  IpAddress source;
  IpAddress destination;
  BigEndian16 source_port;
  BigEndian16 destination_port;
  uint16_t udp_gain = 0;
  uint16_t ip_constant = 0;  // Where the new family is IPv4.
  uint8_t traffic_class = 0;
};
static_assert(sizeof(RewriteAny) == 48);

// The rewrite of packets that arrive at `old_destination`. `source` and `destination` are of one family, IPv4 in
// MakeRewrite4 (as `old_destination`). `dscp` is 0 to 63.
RewriteAny MakeRewrite(const Endpoint& old_destination, const Endpoint& source, const Endpoint& destination,
                       uint8_t dscp);
Rewrite4 MakeRewrite4(const Endpoint& old_destination, const Endpoint& source, const Endpoint& destination,
                      uint8_t dscp);

// Whether the UDP checksum of a datagram is right, 0 included where it is allowed. For debug builds, tests and
// explanations.
bool IsUdpChecksumRight(const IpAddress& source, const IpAddress& destination, const uint8_t* datagram, size_t size);

// Writes the IPv4 header in front of the UDP header at `udp` and changes the latter; `udp_size` is the datagram's size.
// The datagram is in one piece, with the packet's own IP header in front of it, whose source address is taken into
// account, and 20 bytes in front of `udp` belong to the packet. Returns where the IP header begins.
inline uint8_t* Apply(const Rewrite4& rewrite, uint8_t* udp, size_t udp_size);

// The same for any family: 20 or 40 bytes in front of `udp`. `from_v4` is the family of the packet's own header.
inline uint8_t* Apply(const RewriteAny& rewrite, bool from_v4, uint8_t* udp, size_t udp_size);

// Implementation.

namespace internal {

// Headers are made in registers and stored in words where they belong: one that is built aside and copied in one piece
// would wait for its own small stores, some fifteen cycles each time.
template <typename Field>
void WriteField(uint8_t* header, size_t offset, const Field& field) {
  std::memcpy(header + offset, &field, sizeof(field));
}

// Two neighbouring fields of a rewrite in one piece.
template <typename Word, typename Rewrite>
Word LoadFields(const Rewrite& rewrite, size_t offset) {
  return Load<Word>(reinterpret_cast<const uint8_t*>(&rewrite) + offset);
}

// `addresses` is source and destination as they lie in the header.
[[gnu::always_inline]] inline uint8_t* WriteIpv4(uint64_t addresses, uint64_t traffic_class, uint16_t ip_constant,
                                                 uint8_t* udp, size_t udp_size) {
  uint8_t* begin = udp - sizeof(Ipv4Header);
  const BigEndian16 total_length(static_cast<uint16_t>(udp_size + sizeof(Ipv4Header)));
  const uint32_t checksum = static_cast<uint16_t>(~AddFolded(ip_constant, total_length.raw()));
  // Version, length, traffic class, total length, identification 0, flags.
  WriteField(begin, 0,
             0x45 | traffic_class << 8 | uint64_t{total_length.raw()} << 16 |
                 uint64_t{BigEndian16(kIpv4DontFragment).raw()} << 48);
  WriteField(begin, offsetof(Ipv4Header, ttl), kEndpointHopLimit | uint32_t{kProtocolUdp} << 8 | checksum << 16);
  WriteField(begin, offsetof(Ipv4Header, source), addresses);
  return begin;
}

// `ports` is source and destination as they lie in the header.
[[gnu::always_inline]] inline void WriteUdp(uint32_t ports, uint16_t gain, ChecksumSum minus_old_source, uint8_t* udp) {
  const uint16_t checksum = Load<uint16_t>(udp + offsetof(UdpHeader, checksum));
  if (checksum != 0) {
    const ChecksumSum minus_old = minus_old_source + Complement(Load<uint16_t>(udp + offsetof(UdpHeader, source_port)));
    WriteField(udp, offsetof(UdpHeader, checksum), UpdateUdpField(checksum, minus_old, gain));
  }
  WriteField(udp, offsetof(UdpHeader, source_port), ports);
}

// In debug builds: whether the UDP checksum was right before the rewrite, to compare after it. Nothing in others.
class ChecksumWitness {
 public:
#ifdef NDEBUG
  ChecksumWitness(bool, const uint8_t*, size_t) {}
  void Compare(const IpAddress&, const IpAddress&) const {}
#else
  // The packet's own IP header is still in front of `udp`.
  ChecksumWitness(bool is_v4, const uint8_t* udp, size_t size)
      : udp_(udp),
        size_(size),
        was_right_(IsUdpChecksumRight(Source(is_v4, udp), Destination(is_v4, udp), udp, size)) {}
  void Compare(const IpAddress& source, const IpAddress& destination) const {
    assert(IsUdpChecksumRight(source, destination, udp_, size_) == was_right_);
  }

 private:
  static IpAddress Source(bool is_v4, const uint8_t* udp) {
    return is_v4 ? IpAddress::V4(Load<BigEndian32>(udp - 8)) : IpAddress::V6(udp - 32);
  }
  static IpAddress Destination(bool is_v4, const uint8_t* udp) {
    return is_v4 ? IpAddress::V4(Load<BigEndian32>(udp - 4)) : IpAddress::V6(udp - 16);
  }

  const uint8_t* udp_;
  size_t size_;
  bool was_right_;
#endif
};

// The complement of the source address in the IP header in front of `udp`.
inline ChecksumSum MinusSource(bool is_v4, const uint8_t* udp) {
  if (is_v4) return Complement(Load<uint32_t>(udp - sizeof(Ipv4Header) + offsetof(Ipv4Header, source)));
  return Complement(IpAddress::V6(udp - sizeof(Ipv6Header) + offsetof(Ipv6Header, source)));
}

[[gnu::always_inline]] inline uint8_t* WriteIpv6(const RewriteAny& rewrite, uint8_t* udp, size_t udp_size) {
  uint8_t* begin = udp - sizeof(Ipv6Header);
  const BigEndian32 first(0x60000000u | static_cast<uint32_t>(rewrite.traffic_class) << 20);
  WriteField(begin, 0,
             first.raw() | uint64_t{BigEndian16(static_cast<uint16_t>(udp_size)).raw()} << 32 |
                 uint64_t{kProtocolUdp} << 48 | uint64_t{kEndpointHopLimit} << 56);
  rewrite.source.CopyTo(begin + offsetof(Ipv6Header, source));
  rewrite.destination.CopyTo(begin + offsetof(Ipv6Header, destination));
  return begin;
}

}  // namespace internal

[[gnu::always_inline]] inline uint8_t* Apply(const Rewrite4& rewrite, uint8_t* udp, size_t udp_size) {
  const internal::ChecksumWitness witness(true, udp, udp_size);
  internal::WriteUdp(internal::LoadFields<uint32_t>(rewrite, offsetof(Rewrite4, source_port)), rewrite.udp_gain,
                     internal::MinusSource(true, udp), udp);
  witness.Compare(IpAddress::V4(rewrite.source), IpAddress::V4(rewrite.destination));
  return internal::WriteIpv4(internal::LoadFields<uint64_t>(rewrite, offsetof(Rewrite4, source)), rewrite.traffic_class,
                             rewrite.ip_constant, udp, udp_size);
}

[[gnu::always_inline]] inline uint8_t* Apply(const RewriteAny& rewrite, bool from_v4, uint8_t* udp, size_t udp_size) {
  const internal::ChecksumWitness witness(from_v4, udp, udp_size);
  internal::WriteUdp(internal::LoadFields<uint32_t>(rewrite, offsetof(RewriteAny, source_port)), rewrite.udp_gain,
                     internal::MinusSource(from_v4, udp), udp);
  const bool is_v4 = rewrite.destination.is_v4();
  if (!is_v4) {
    // From IPv4 without a checksum: IPv6 has to have one.
    uint16_t field;
    std::memcpy(&field, udp + 6, sizeof(field));
    if (field == 0) [[unlikely]] {
      field = FullUdpField(rewrite.source, rewrite.destination, udp, udp_size);
      std::memcpy(udp + 6, &field, sizeof(field));
    }
  }
  witness.Compare(rewrite.source, rewrite.destination);
  if (!is_v4) return internal::WriteIpv6(rewrite, udp, udp_size);
  const uint64_t addresses = rewrite.source.v4().raw() | uint64_t{rewrite.destination.v4().raw()} << 32;
  return internal::WriteIpv4(addresses, rewrite.traffic_class, rewrite.ip_constant, udp, udp_size);
}

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_REWRITE_H_
