// IP addresses of both families in 16 bytes.
//
// An IPv4 address is held in its IPv4-mapped form (::ffff:a.b.c.d, RFC 4291 2.5.5.2), so one comparison of two words
// serves both families on the hot path. The mapped form is never valid on the wire as an IPv6 address (RFC 4038 4.2),
// so nothing is lost.
//
// Threads: values.

#ifndef SLUICE_DATAPATH_PACKET_IP_ADDRESS_H_
#define SLUICE_DATAPATH_PACKET_IP_ADDRESS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "datapath/packet/byte_order.h"

namespace sluice::packet {

class IpAddress {
 public:
  // The unspecified IPv6 address, "::": stands for "no address".
  constexpr IpAddress() = default;

  static constexpr IpAddress V4(BigEndian32 address) {
    return IpAddress(0, kMappedRaw | uint64_t{address.raw()} << 32);
  }

  // From eight bytes as on the wire of which the last four are the address. Cheaper than V4 where a worker reads a
  // header: gcc stores the address as four bytes when registers are short and loads it as eight, for which the
  // processor waits.
  static constexpr IpAddress V4InUpperHalf(uint64_t raw) {
    return IpAddress(0, kMappedRaw | (raw & 0xffff'ffff'0000'0000));
  }

  // From 16 bytes as on the wire.
  static IpAddress V6(const void* bytes) {
    IpAddress result;
    std::memcpy(&result.high_, bytes, 8);
    std::memcpy(&result.low_, static_cast<const uint8_t*>(bytes) + 8, 8);
    return result;
  }

  // Reads "198.18.1.2" or "2001:db8::1". Neither brackets nor zone nor prefix length. "::ffff:1.2.3.4" is the IPv4
  // address.
  static std::optional<IpAddress> Parse(std::string_view text);

  // The canonical text (RFC 5952 for IPv6).
  std::string ToString() const;

  constexpr bool is_v4() const { return high_ == 0 && static_cast<uint32_t>(low_) == kMappedRaw; }
  constexpr bool is_v6() const { return !is_v4(); }
  // "::" or 0.0.0.0.
  constexpr bool is_unspecified() const { return (high_ == 0 && low_ == 0) || (high_ == 0 && low_ == kMappedRaw); }

  // Of an IPv4 address only.
  constexpr BigEndian32 v4() const { return BigEndian32::FromRaw(static_cast<uint32_t>(low_ >> 32)); }

  // 16 bytes in network order, the mapped form for IPv4.
  std::array<uint8_t, 16> bytes() const {
    std::array<uint8_t, 16> result;
    CopyTo(result.data());
    return result;
  }
  void CopyTo(void* bytes) const {
    std::memcpy(bytes, &high_, 8);
    std::memcpy(static_cast<uint8_t*>(bytes) + 8, &low_, 8);
  }

  // The halves as this host loads them from the wire; for comparison and checksums.
  constexpr uint64_t raw_high() const { return high_; }
  constexpr uint64_t raw_low() const { return low_; }
  static constexpr IpAddress FromRaw(uint64_t high, uint64_t low) { return IpAddress(high, low); }

  friend constexpr bool operator==(const IpAddress&, const IpAddress&) = default;
  // In the order of the bytes on the wire; all of IPv4 lies together.
  friend constexpr std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b) {
    if (a.high_ != b.high_) return SwapBytes(a.high_) <=> SwapBytes(b.high_);
    return SwapBytes(a.low_) <=> SwapBytes(b.low_);
  }

 private:
  static constexpr uint32_t kMappedRaw = 0xffff0000;  // The bytes 00 00 ff ff.

  constexpr IpAddress(uint64_t high, uint64_t low) : high_(high), low_(low) {}

  uint64_t high_ = 0;
  uint64_t low_ = 0;
};

static_assert(sizeof(IpAddress) == 16);

}  // namespace sluice::packet

template <>
struct std::hash<sluice::packet::IpAddress> {
  size_t operator()(const sluice::packet::IpAddress& address) const {
    uint64_t mixed = (address.raw_high() ^ 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;
    mixed = (mixed ^ (mixed >> 32) ^ address.raw_low()) * 0xc4ceb9fe1a85ec53ULL;
    return mixed ^ (mixed >> 29);
  }
};

#endif  // SLUICE_DATAPATH_PACKET_IP_ADDRESS_H_
