#include "signaling/transport/socket_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sluice::transport {

std::optional<SocketAddress> SocketAddress::Make(absl::string_view address, uint16_t port) {
  if (address.size() >= 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  }
  char text[INET6_ADDRSTRLEN];
  if (address.empty() || address.size() >= sizeof(text)) return std::nullopt;
  std::memcpy(text, address.data(), address.size());
  text[address.size()] = '\0';
  SocketAddress result;
  result.port_ = port;
  if (inet_pton(AF_INET, text, result.bytes_.data()) == 1) return result;
  if (inet_pton(AF_INET6, text, result.bytes_.data()) != 1) return std::nullopt;
  result.is_v6_ = true;
  return result;
}

std::optional<SocketAddress> SocketAddress::Parse(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  const absl::string_view address = text.substr(0, colon);
  // "2001:db8::1:5060" could be read in two ways, so IPv6 wants its brackets.
  if (address.find(':') != absl::string_view::npos && (address.front() != '[' || address.back() != ']')) {
    return std::nullopt;
  }
  uint32_t port = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535) return std::nullopt;
  return Make(address, static_cast<uint16_t>(port));
}

std::optional<SocketAddress> SocketAddress::FromSockaddr(const sockaddr* address) {
  SocketAddress result;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    std::memcpy(result.bytes_.data(), &v4.sin_addr, sizeof(v4.sin_addr));
    result.port_ = ntohs(v4.sin_port);
    return result;
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6;
  std::memcpy(&v6, address, sizeof(v6));
  result.port_ = ntohs(v6.sin6_port);
  const uint8_t* const bytes = v6.sin6_addr.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    std::memcpy(result.bytes_.data(), bytes + 12, 4);
  } else {
    std::memcpy(result.bytes_.data(), bytes, 16);
    result.is_v6_ = true;
  }
  return result;
}

bool SocketAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](uint8_t byte) { return byte == 0; });
}

bool SocketAddress::is_loopback() const {
  if (!is_v6_) return bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t byte) { return byte == 0; }) && bytes_[15] == 1;
}

SocketAddress SocketAddress::WithPort(uint16_t port) const {
  SocketAddress result = *this;
  result.port_ = port;
  return result;
}

std::string SocketAddress::Address() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(is_v6_ ? AF_INET6 : AF_INET, bytes_.data(), text, sizeof(text)) == nullptr ? "" : text;
}

std::string SocketAddress::ToString() const {
  return is_v6_ ? absl::StrCat("[", Address(), "]:", port_) : absl::StrCat(Address(), ":", port_);
}

socklen_t SocketAddress::ToSockaddr(sockaddr_storage& storage) const {
  std::memset(&storage, 0, sizeof(storage));
  if (is_v6_) {
    sockaddr_in6 v6 = {};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port_);
    std::memcpy(&v6.sin6_addr, bytes_.data(), 16);
    std::memcpy(&storage, &v6, sizeof(v6));
    return sizeof(v6);
  }
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port_);
  std::memcpy(&v4.sin_addr, bytes_.data(), 4);
  std::memcpy(&storage, &v4, sizeof(v4));
  return sizeof(v4);
}

}  // namespace sluice::transport
