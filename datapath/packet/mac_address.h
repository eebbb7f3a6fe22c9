// Ethernet addresses.
//
// Threads: values.

#ifndef SLUICE_DATAPATH_PACKET_MAC_ADDRESS_H_
#define SLUICE_DATAPATH_PACKET_MAC_ADDRESS_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::packet {

struct MacAddress {
  std::array<uint8_t, 6> bytes = {};

  // Reads "02:00:00:00:00:01".
  static std::optional<MacAddress> Parse(std::string_view text);
  std::string ToString() const;

  // The address as the first six bytes of a word; the other two are 0.
  uint64_t Word() const {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), bytes.size());
    return word;
  }

  friend constexpr bool operator==(const MacAddress&, const MacAddress&) = default;
};

static_assert(sizeof(MacAddress) == 6 && alignof(MacAddress) == 1);

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_MAC_ADDRESS_H_
