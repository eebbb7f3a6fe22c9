// A trunk: a carrier or another server that calls go to and come from, as the config describes it.
//
// Threads: any; a value that does not change once it is in a plan.
#ifndef SLUICE_SIGNALING_ROUTING_TRUNK_H_
#define SLUICE_SIGNALING_ROUTING_TRUNK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "signaling/sip/hop.h"

namespace sluice::routing {

// What somebody may do at most; 0: no limit.
struct CallLimits {
  uint32_t calls = 0;
  uint32_t calls_per_second = 0;

  bool operator==(const CallLimits&) const = default;
};

struct TrunkPeer {
  // Nothing: the DNS says (RFC 3263).
  std::optional<sip::Protocol> protocol;
  // An address as in URIs, or a name.
  std::string host;
  // 0: not given. Of a name, the DNS says then.
  uint16_t port = 0;

  bool operator==(const TrunkPeer&) const = default;
};

struct Trunk {
  std::string name;
  // In the order in which they are tried; not empty.
  std::vector<TrunkPeer> peers;
  // Host part of URIs there; empty: the peer's host.
  std::string domain;
  // Only challenges of `realm` are answered. All three are set or none.
  std::string username;
  std::string password;
  std::string realm;
  bool registers = false;
  absl::Duration register_expires = absl::Seconds(600);
  // Of our From; empty: the calling number, our own host.
  std::string from_user;
  std::string from_domain;
  // Where its calls come from; port 0: any.
  std::vector<sip::Endpoint> sources;
  // And from wherever its peers are, any port.
  bool sources_are_servers = false;
  // And by whom the client's certificate of a TLS connection speaks for; lower case.
  std::vector<std::string> certificate_names;
  // TLS connections to its servers are made from files of its own, and are for this trunk alone.
  bool has_own_tls = false;
  CallLimits limits;
  // Without any answer for as long the next server or trunk is asked.
  absl::Duration failover_after = absl::Seconds(4);
  // Its servers may say how much of our new calls they want (RFC 7339).
  bool overload_control = false;
  // It is told who callers are, and believed (RFC 3325).
  bool trusts_identities = false;
  // Its redirections are followed, or passed on to the caller; nothing: as for all.
  std::optional<bool> follow_redirections;

  bool operator==(const Trunk&) const = default;
};

}  // namespace sluice::routing

#endif  // SLUICE_SIGNALING_ROUTING_TRUNK_H_
