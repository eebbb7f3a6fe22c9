#include "signaling/transport/sockaddr.h"

#include <ifaddrs.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace sluice::transport {

socklen_t ToSockaddr(const sip::Endpoint& endpoint, sockaddr_storage& storage) {
  std::memset(&storage, 0, sizeof(storage));
  if (endpoint.is_v6) {
    sockaddr_in6 v6 = {};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, endpoint.address.data(), 16);
    std::memcpy(&storage, &v6, sizeof(v6));
    return sizeof(v6);
  }
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(endpoint.port);
  std::memcpy(&v4.sin_addr, endpoint.address.data(), 4);
  std::memcpy(&storage, &v4, sizeof(v4));
  return sizeof(v4);
}

std::optional<sip::Endpoint> FromSockaddr(const sockaddr* address) {
  sip::Endpoint result;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    std::memcpy(result.address.data(), &v4.sin_addr, sizeof(v4.sin_addr));
    result.port = ntohs(v4.sin_port);
    return result;
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6;
  std::memcpy(&v6, address, sizeof(v6));
  result.port = ntohs(v6.sin6_port);
  const uint8_t* const bytes = v6.sin6_addr.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    std::memcpy(result.address.data(), bytes + 12, 4);
  } else {
    std::memcpy(result.address.data(), bytes, 16);
    result.is_v6 = true;
  }
  return result;
}

bool IsUnspecified(const sip::Endpoint& endpoint) {
  return std::all_of(endpoint.address.begin(), endpoint.address.end(), [](uint8_t byte) { return byte == 0; });
}

sip::Endpoint WithPort(sip::Endpoint endpoint, uint16_t port) {
  endpoint.port = port;
  return endpoint;
}

std::vector<sip::Endpoint> AddressesOfThisHost() {
  std::vector<sip::Endpoint> addresses;
  ifaddrs* interfaces = nullptr;
  if (getifaddrs(&interfaces) != 0) return addresses;
  for (const ifaddrs* interface = interfaces; interface != nullptr; interface = interface->ifa_next) {
    if (interface->ifa_addr == nullptr) continue;
    if (std::optional<sip::Endpoint> own = FromSockaddr(interface->ifa_addr)) addresses.push_back(*own);
  }
  freeifaddrs(interfaces);
  return addresses;
}

std::string TransportName(sip::Protocol protocol) { return absl::AsciiStrToLower(sip::ProtocolName(protocol)); }

std::string PeerName(const sip::Hop& hop) {
  return absl::StrCat(TransportName(hop.protocol), ":", hop.remote.ToString());
}

}  // namespace sluice::transport
