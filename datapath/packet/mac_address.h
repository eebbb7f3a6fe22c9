// Ethernet addresses.
//
// Threads: values.

#ifndef SLUICE_DATAPATH_PACKET_MAC_ADDRESS_H_
#define SLUICE_DATAPATH_PACKET_MAC_ADDRESS_H_

#include <array>
#include <bit>
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
    static_assert(std::endian::native == std::endian::little);
    uint64_t word = 0;
    for (int i = 5; i >= 0; --i) word = word << 8 | bytes[i];
    return word;
  }
  static constexpr MacAddress FromWord(uint64_t word) {
    struct Word {
      MacAddress address;
      std::array<uint8_t, 2> rest;
    };
    return std::bit_cast<Word>(word).address;
  }

  friend constexpr bool operator==(const MacAddress&, const MacAddress&) = default;
};

static_assert(sizeof(MacAddress) == 6 && alignof(MacAddress) == 1);

}  // namespace sluice::packet

#endif  // SLUICE_DATAPATH_PACKET_MAC_ADDRESS_H_
