#include "datapath/packet/mac_address.h"

#include <charconv>
#include <cstdio>

namespace sluice::packet {

std::optional<MacAddress> MacAddress::Parse(std::string_view text) {
  MacAddress result;
  if (text.size() != 17) return std::nullopt;
  for (size_t i = 0; i < 6; ++i) {
    const char* first = text.data() + 3 * i;
    if (i > 0 && first[-1] != ':') return std::nullopt;
    const auto [end, error] = std::from_chars(first, first + 2, result.bytes[i], 16);
    if (error != std::errc() || end != first + 2) return std::nullopt;
  }
  return result;
}

std::string MacAddress::ToString() const {
  char text[18];
  std::snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
                bytes[5]);
  return text;
}

}  // namespace sluice::packet
