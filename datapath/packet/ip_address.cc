#include "datapath/packet/ip_address.h"

#include <arpa/inet.h>

#include <charconv>

namespace sluice::packet {

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof(buffer)) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  uint8_t bytes[16];
  if (inet_pton(AF_INET, buffer, bytes) == 1) {
    uint32_t raw;
    std::memcpy(&raw, bytes, sizeof(raw));
    return V4(BigEndian32::FromRaw(raw));
  }
  if (inet_pton(AF_INET6, buffer, bytes) == 1) return V6(bytes);
  return std::nullopt;
}

std::string IpAddress::ToString() const {
  char buffer[INET6_ADDRSTRLEN];
  if (is_v4()) {
    // By hand, since every answer about a session has some, and inet_ntop prints with sprintf.
    const uint32_t address = v4().ToHost();
    char* end = buffer;
    for (int shift = 24; shift >= 0; shift -= 8) {
      if (shift != 24) *end++ = '.';
      end = std::to_chars(end, buffer + sizeof(buffer), address >> shift & 0xff).ptr;
    }
    return std::string(buffer, end);
  }
  const std::array<uint8_t, 16> wire = bytes();
  return inet_ntop(AF_INET6, wire.data(), buffer, sizeof(buffer));
}

}  // namespace sluice::packet
