// A prefix of IPv4 or IPv6 addresses, "198.18.2.0/24" or "2001:db8::/64".
//
// Threads: values.

#ifndef SLUICE_DATAPATH_PACKET_IP_PREFIX_H_
#define SLUICE_DATAPATH_PACKET_IP_PREFIX_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "datapath/packet/ip_address.h"

namespace sluice::packet {

class IpPrefix {
 public:
  // Contains no address.
  constexpr IpPrefix() = default;

  // The prefix of the first `length` bits of `address` (at most 32 or 128); bits after them are cleared. None if
  // `length` is too long.
  static std::optional<IpPrefix> Of(const IpAddress& address, unsigned length);

  // Reads "address/length", or an address alone, which is a prefix of that one address. None if bits after the length
  // are set, since that is nearly always a mistake.
  static std::optional<IpPrefix> Parse(std::string_view text);

  std::string ToString() const;

  constexpr bool Contains(const IpAddress& address) const {
    return (address.raw_high() & mask_high_) == base_.raw_high() &&
           (address.raw_low() & mask_low_) == base_.raw_low() && valid_;
  }

  const IpAddress& base() const { return base_; }
  // In bits of the family: 0 to 32 for IPv4, 0 to 128 for IPv6.
  unsigned length() const { return length_; }

  friend constexpr bool operator==(const IpPrefix&, const IpPrefix&) = default;

 private:
  IpAddress base_;
  uint64_t mask_high_ = 0;
  uint64_t mask_low_ = 0;
  uint8_t length_ = 0;
  bool valid_ = false;
};

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_IP_PREFIX_H_
