// What is tried, and found up or down, as one server: an address by one protocol and, by TLS, under one name and
// for one trunk, if that shows a certificate of its own.
//
// Two names at one address are two servers: the certificate of one may be wrong and that of the other right.
#ifndef SLUICE_SIGNALING_AGENT_TRIED_SERVER_H_
#define SLUICE_SIGNALING_AGENT_TRIED_SERVER_H_

#include <cstdint>
#include <utility>

#include "signaling/dns/resolver.h"
#include "signaling/sip/hop.h"

namespace sluice::agent {

struct TriedServer {
  dns::Destination destination;
  // As in sip::Hop: the same for all shards.
  uint32_t tls_peer = 0;

  static TriedServer At(const sip::Hop& hop) { return {{hop.protocol, hop.remote}, hop.tls_peer}; }

  bool operator==(const TriedServer& other) const = default;

  template <typename H>
  friend H AbslHashValue(H state, const TriedServer& server) {
    return H::combine(std::move(state), server.destination, server.tls_peer);
  }
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_TRIED_SERVER_H_
