// Ethernet addresses.
//
// Threads: values.

#ifndef SLUICE_DATAPATH_PACKET_MAC_ADDRESS_H_
#define SLUICE_DATAPATH_PACKET_MAC_ADDRESS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::packet {

struct MacAddress {
  std::array<uint8_t, 6> bytes = {};

  // Reads "02:00:00:00:00:01".
  static std::optional<MacAddress> Parse(std::string_view text);
  std::string ToString() const;

  // The six bytes in the low 48 bits, first byte lowest: for tables that hold an address in an atomic word.
  constexpr uint64_t ToWord() const {
    uint64_t word = 0;
    for (int i = 5; i >= 0; --i) word = word << 8 | bytes[i];
    return word;
  }
  static constexpr MacAddress FromWord(uint64_t word) {
    MacAddress result;
    for (int i = 0; i < 6; ++i) result.bytes[i] = static_cast<uint8_t>(word >> (8 * i));
    return result;
  }

  friend constexpr bool operator==(const MacAddress&, const MacAddress&) = default;
};

static_assert(sizeof(MacAddress) == 6 && alignof(MacAddress) == 1);

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_MAC_ADDRESS_H_
