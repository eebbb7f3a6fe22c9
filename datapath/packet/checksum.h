// The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
//
// Theory of operation. The checksum field is the complement of the one's complement sum of all 16-bit words. When a
// word m of the data becomes m', the new field is HC' = ~(~HC + ~m + m') (RFC 1624 eqn. 3). So what a flow always
// changes is added up once, when the flow is made, and each packet adds only its own source. A payload that was damaged
// on the way stays visibly damaged.
//
// One's complement sums do not depend on byte order (RFC 1071 2.B), so all functions here work on words as the host
// loads them ("raw"), and their results are stored as they are. Sums are 64 bits wide and are folded once, at the end.
//
// Threads: pure functions.

#ifndef SLUICE_DATAPATH_PACKET_CHECKSUM_H_
#define SLUICE_DATAPATH_PACKET_CHECKSUM_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "datapath/packet/ip_address.h"

namespace sluice::packet {

// A one's complement sum of raw words that is not folded yet. Adding 32-bit words is allowed, since 2^16 and 2^32 are
// both 1 modulo 0xffff.
using ChecksumSum = uint64_t;

// Folds to 16 bits. 0 only if all words were 0. Both halves of a word plus its rotation are their one's complement sum:
// the carry out of the lower half goes into the upper one.
constexpr uint16_t Fold32(uint32_t sum) { return static_cast<uint16_t>((sum + std::rotl(sum, 16)) >> 16); }
constexpr uint16_t Fold(ChecksumSum sum) { return Fold32(static_cast<uint32_t>((sum + std::rotl(sum, 32)) >> 32)); }

// The sum of two folded sums, folded.
constexpr uint16_t AddFolded(uint16_t a, uint16_t b) { return Fold32(uint32_t{a} + b); }

// Whether the words of something with its right checksum among them have this sum: it is one of the two zeros of one's
// complement. For words that are not all 0.
constexpr bool IsRightSum(ChecksumSum sum) { return Fold(sum) == 0xffff; }

// The address's words as they count in a pseudo-header: two for IPv4, eight for IPv6.
constexpr ChecksumSum SumOf(const IpAddress& address) {
  if (address.is_v4()) return address.v4().raw();
  return (address.raw_high() >> 32) + (address.raw_high() & 0xffffffff) + (address.raw_low() >> 32) +
         (address.raw_low() & 0xffffffff);
}

// The words of `size` bytes; an odd last byte counts as if a zero byte followed.
inline ChecksumSum SumOf(const uint8_t* data, size_t size) {
  ChecksumSum sum = 0;
  while (size >= 4) {
    uint32_t word;
    std::memcpy(&word, data, 4);
    sum += word;
    data += 4;
    size -= 4;
  }
  uint32_t rest = 0;
  std::memcpy(&rest, data, size);
  return sum + rest;
}

// Subtraction in one's complement: adding the complement of the folded sum.
constexpr ChecksumSum Negate(ChecksumSum sum) { return static_cast<uint16_t>(~Fold(sum)); }

// The same for words as they are, without folding.
constexpr ChecksumSum Complement(uint16_t word) { return word ^ 0xffffu; }
constexpr ChecksumSum Complement(uint32_t words) { return ~words; }
[[gnu::always_inline]] constexpr ChecksumSum Complement(const IpAddress& address) {
  return (address.is_v4() ? 1 : 4) * ChecksumSum{0xffffffff} - SumOf(address);
}

// A UDP checksum field from a complete sum: never 0, which would mean "no checksum" (RFC 768).
[[gnu::always_inline]] constexpr uint16_t UdpField(ChecksumSum sum) {
  const uint16_t field = static_cast<uint16_t>(~Fold(sum));
  return field == 0 ? 0xffff : field;
}

// The words of 20 bytes, an IPv4 header's: SumOf without its loop.
inline ChecksumSum SumOf20(const uint8_t* header) {
  uint64_t first, second;
  uint32_t last;
  std::memcpy(&first, header, 8);
  std::memcpy(&second, header + 8, 8);
  std::memcpy(&last, header + 16, 4);
  // Carries out of 64 bits count 1, as all carries do. The second one leaves a sum so small that there is no third.
  uint64_t sum;
  const bool carry = __builtin_add_overflow(first, second, &sum);
  const bool second_carry = __builtin_add_overflow(sum, uint64_t{last} + carry, &sum);
  return sum + second_carry;
}

// RFC 1624 eqn. 3: the field after the words that sum up to `removed` became words that sum up to `added`; the former
// come as Negate or Complement. For a field that is not 0.
[[gnu::always_inline]] constexpr uint16_t UpdateUdpField(uint16_t field, ChecksumSum minus_removed, ChecksumSum added) {
  return UdpField(Complement(field) + minus_removed + added);
}

// The whole checksum of a UDP datagram of `size` bytes, header included; its checksum field is taken as 0. Both
// addresses are of one family.
inline uint16_t FullUdpField(const IpAddress& source, const IpAddress& destination, const uint8_t* datagram,
                             size_t size) {
  uint16_t old_field;
  std::memcpy(&old_field, datagram + 6, 2);
  ChecksumSum sum = SumOf(source) + SumOf(destination) + SumOf(datagram, size) + Negate(old_field);
  // The pseudo-header's protocol and length; the length of IPv6 has 32 bits of which the upper are 0 here.
  sum += BigEndian16(17).raw() + BigEndian16(static_cast<uint16_t>(size)).raw();
  return UdpField(sum);
}

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_CHECKSUM_H_
