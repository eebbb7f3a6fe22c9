// An IP address and a port, small and comparable; the only way that transport speaks of where something comes from or
// goes to.
#ifndef SLUICE_SIGNALING_TRANSPORT_SOCKET_ADDRESS_H_
#define SLUICE_SIGNALING_TRANSPORT_SOCKET_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace sluice::transport {

class SocketAddress {
 public:
  // The unspecified IPv4 address, port 0.
  SocketAddress() = default;

  // "198.18.1.1:5060" or "[2001:db8::1]:5060". Names are not taken: nothing here asks DNS.
  static std::optional<SocketAddress> Parse(absl::string_view text);
  // `address` as "198.18.1.1", "2001:db8::1" or "[2001:db8::1]".
  static std::optional<SocketAddress> Make(absl::string_view address, uint16_t port);
  // AF_INET or AF_INET6; an IPv4-mapped IPv6 address becomes IPv4.
  static std::optional<SocketAddress> FromSockaddr(const sockaddr* address);

  bool is_v6() const { return is_v6_; }
  bool is_unspecified() const;
  bool is_loopback() const;
  uint16_t port() const { return port_; }
  SocketAddress WithPort(uint16_t port) const;

  // "198.18.1.1", "2001:db8::1".
  std::string Address() const;
  // As Parse takes it.
  std::string ToString() const;
  // Fills `storage` and answers its length.
  socklen_t ToSockaddr(sockaddr_storage& storage) const;

  bool SameAddress(const SocketAddress& other) const { return bytes_ == other.bytes_ && is_v6_ == other.is_v6_; }
  bool operator==(const SocketAddress& other) const = default;

  template <typename H>
  friend H AbslHashValue(H state, const SocketAddress& address) {
    return H::combine(std::move(state), address.bytes_, address.port_, address.is_v6_);
  }

 private:
  // Network order; IPv4 in the first four.
  std::array<uint8_t, 16> bytes_ = {};
  uint16_t port_ = 0;
  bool is_v6_ = false;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_SOCKET_ADDRESS_H_
