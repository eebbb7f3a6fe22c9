// Where a message came from or goes to, as the SIP core sees it: addresses as plain bytes and the id of a connection.
//
// The core compares and copies hops and reads nothing else in them; transport makes them and sends by them. A response
// goes by the hop that its request came by, so it cannot reach a third party (RFC 3581, RFC 5626).
#ifndef SLUICE_SIGNALING_SIP_HOP_H_
#define SLUICE_SIGNALING_SIP_HOP_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace sluice::sip {

enum class Protocol : uint8_t { kUdp, kTcp, kTls, kWs, kWss };

// As in Via: "UDP", "TCP", "TLS", "WS", "WSS".
absl::string_view ProtocolName(Protocol protocol);
// In any case. Nothing for another word.
std::optional<Protocol> ParseProtocol(absl::string_view name);
// Reliable protocols retransmit by themselves, so the timers A, E, G are off and D, I, J, K are zero (RFC 3261 17).
inline bool IsReliable(Protocol protocol) { return protocol != Protocol::kUdp; }

// An IP address and a port.
struct Endpoint {
  // Network order; IPv4 in the first four.
  std::array<uint8_t, 16> address = {};
  uint16_t port = 0;
  bool is_v6 = false;

  // "198.18.1.1:5060" or "[2001:db8::1]:5060". Names are not taken.
  static std::optional<Endpoint> Parse(absl::string_view text);
  // `host` as "198.18.1.1", "2001:db8::1" or "[2001:db8::1]".
  static std::optional<Endpoint> Make(absl::string_view host, uint16_t port);

  // "198.18.1.1", "2001:db8::1": as received= carries it.
  std::string Address() const;
  // As Parse takes it.
  std::string ToString() const;

  bool SameAddress(const Endpoint& other) const { return address == other.address && is_v6 == other.is_v6; }
  bool operator==(const Endpoint& other) const = default;

  template <typename H>
  friend H AbslHashValue(H state, const Endpoint& endpoint) {
    return H::combine(std::move(state), endpoint.address, endpoint.port, endpoint.is_v6);
  }
};

struct Hop {
  Protocol protocol = Protocol::kUdp;
  // Which of our addresses the message came to or leaves from.
  Endpoint local;
  Endpoint remote;
  // The connection of a reliable protocol; 0: none yet.
  uint64_t connection = 0;
  // The peer cannot be connected to (it is behind NAT): only the connection that it made itself reaches it; by UDP,
  // what comes from where it has sent to.
  bool only_connection = false;
  // Of a connection by TLS that we open: whose certificate it must find there (RFC 5922), and which trunk's own it
  // shows. A number of transport's; 0: that of the address itself, and no trunk's.
  uint32_t tls_peer = 0;

  bool operator==(const Hop& other) const = default;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_HOP_H_
