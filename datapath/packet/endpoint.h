// An IP address with a UDP port.
//
// Threads: values.

#ifndef SLUICE_DATAPATH_PACKET_ENDPOINT_H_
#define SLUICE_DATAPATH_PACKET_ENDPOINT_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "datapath/packet/ip_address.h"

namespace sluice::packet {

struct Endpoint {
  IpAddress address;
  // Host order. 0 stands for "no endpoint".
  uint16_t port = 0;

  // Reads "198.18.1.2:5060" or "[2001:db8::1]:5060". The port is 1 to 65535.
  static std::optional<Endpoint> Parse(std::string_view text);
  std::string ToString() const;

  constexpr bool is_set() const { return port != 0; }

  friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace sluice::packet

template <>
struct std::hash<sluice::packet::Endpoint> {
  size_t operator()(const sluice::packet::Endpoint& endpoint) const {
    return std::hash<sluice::packet::IpAddress>()(endpoint.address) ^ (endpoint.port * 0x9e3779b97f4a7c15ULL);
  }
};

#endif  // SLUICE_DATAPATH_PACKET_ENDPOINT_H_
