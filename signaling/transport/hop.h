// Where a message came from or goes to: everything that transport needs to send, and everything that an answer needs to
// find its way back.
#ifndef SLUICE_SIGNALING_TRANSPORT_HOP_H_
#define SLUICE_SIGNALING_TRANSPORT_HOP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "signaling/transport/socket_address.h"

namespace sluice::transport {

enum class Protocol : uint8_t { kUdp, kTcp, kTls, kWs, kWss };

// "udp", "tcp", "tls", "ws", "wss".
absl::string_view ProtocolName(Protocol protocol);
// In any case. Nothing for another word.
std::optional<Protocol> ParseProtocol(absl::string_view name);
inline bool IsReliable(Protocol protocol) { return protocol != Protocol::kUdp; }

struct Hop {
  Protocol protocol = Protocol::kUdp;
  // Which of our addresses the message came to or leaves from.
  SocketAddress local;
  SocketAddress remote;
  // The connection of a reliable protocol; 0: none yet.
  uint64_t connection = 0;
  // The peer cannot be connected to (it is behind NAT): only the connection that it made itself reaches it.
  bool only_connection = false;

  // "udp:198.18.1.2:45426".
  std::string PeerName() const;
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_HOP_H_
