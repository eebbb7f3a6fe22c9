// Between the addresses of the SIP core and those of the system.
#ifndef SLUICE_SIGNALING_TRANSPORT_SOCKADDR_H_
#define SLUICE_SIGNALING_TRANSPORT_SOCKADDR_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "signaling/sip/hop.h"

namespace sluice::transport {

// Fills `storage` and answers its length.
socklen_t ToSockaddr(const sip::Endpoint& endpoint, sockaddr_storage& storage);
// AF_INET or AF_INET6; an IPv4-mapped IPv6 address becomes IPv4.
std::optional<sip::Endpoint> FromSockaddr(const sockaddr* address);

// 0.0.0.0 or ::
bool IsUnspecified(const sip::Endpoint& endpoint);
sip::Endpoint WithPort(sip::Endpoint endpoint, uint16_t port);

// Of this host, now; ports mean nothing. It takes some 40 us.
std::vector<sip::Endpoint> AddressesOfThisHost();

// "udp", "tcp", …: the protocol in lower case, as URIs, logs and the API show it.
std::string TransportName(sip::Protocol protocol);
// "udp:198.18.1.2:45426".
std::string PeerName(const sip::Hop& hop);

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_SOCKADDR_H_
