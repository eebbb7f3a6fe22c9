// What a shard's transaction user sees of transport: a way out, and how we are called on it.
#ifndef SLUICE_SIGNALING_TRANSPORT_NETWORK_H_
#define SLUICE_SIGNALING_TRANSPORT_NETWORK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "signaling/sip/hop.h"
#include "signaling/transport/tls_files.h"
#include "signaling/transport/tls_peers.h"

namespace sluice::transport {

inline bool IsSecure(sip::Protocol protocol) {
  return protocol == sip::Protocol::kTls || protocol == sip::Protocol::kWss;
}
// Only the phone itself can open a connection: it has no server for WebSocket, and no certificate for TLS (RFC 7118 5,
// RFC 5626 1).
inline bool IsOpenedByPhones(sip::Protocol protocol) { return protocol == sip::Protocol::kWs || IsSecure(protocol); }

// An address that we listen on.
struct Listener {
  sip::Protocol protocol = sip::Protocol::kUdp;
  sip::Endpoint address;
  // "host:port" for Via and Contact. Empty: the address itself, or, if that stands for all, the one that a message came
  // to.
  std::string advertised;
  // For TLS and WSS.
  TlsFiles tls;
  // Clients that have no certificate of tls.ca_file are let in too; one that shows another is not.
  bool client_certificates_are_optional = false;
};

class Network {
 public:
  virtual ~Network() = default;

  // Sends soon. Never waits; what cannot be sent is counted and dropped, as a network would. What no connection takes
  // is given back from the event loop (Agent::OnUndelivered).
  virtual void Send(const sip::Hop& hop, absl::string_view message) = 0;

  virtual const std::vector<Listener>& listeners() const = 0;

  // "host:port" that a peer beyond `hop` knows us by.
  virtual std::string Advertised(const sip::Hop& hop) const = 0;

  // A hop of `protocol` towards `remote`, leaving from a listener of the same protocol and family (the first, if there
  // is none).
  virtual sip::Hop HopTo(sip::Protocol protocol, const sip::Endpoint& remote) const = 0;

  // `local` is where we receive what peers send by `protocol`, on this host as it was within the last second.
  virtual bool ListensOn(sip::Protocol protocol, const sip::Endpoint& local) const = 0;

  // Whoever is at `source` has shown who he is: requests from there are not limited as those of strangers are.
  virtual void Trust(const sip::Endpoint& /*source*/) {}

  // What stands for `peer` in Hop::tls_peer. Nothing stands for any in a network without TLS.
  virtual uint32_t TlsPeerNumber(const TlsPeer& /*peer*/) { return 0; }
  // The one that `number` stands for; without name and trunk for 0.
  virtual TlsPeer TlsPeerOf(uint32_t /*number*/) const { return {}; }

  // Whom the client speaks for that has opened the hop's connection, by its certificate (RFC 5922 7), in lower case.
  // Empty: it has shown none that was verified, or the connection is gone.
  virtual std::vector<std::string> ClientIdentities(const sip::Hop& /*hop*/) const { return {}; }
};

}  // namespace sluice::transport

#endif  // SLUICE_SIGNALING_TRANSPORT_NETWORK_H_
