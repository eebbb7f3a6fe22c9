// Where the servers of trunks are: the addresses behind the config's names, there when a call comes.
//
// Names are asked for when the plan comes and every 30 s from then on (the resolver keeps answers for as long as the
// DNS says), so neither a call nor an answer ever waits for the DNS. The order of the answer is drawn anew for each
// call where its records have weights (RFC 2782). When no DNS server answers, what was said last stands; when it says
// that there is nothing, there is nothing.
//
// A server that is reached by TLS must show a certificate for the name that the config gives (RFC 5922). Two trunks may
// have servers at one address under two names, or show certificates of their own: each has connections of its own
// there.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_TRUNK_SERVERS_H_
#define SLUICE_SIGNALING_AGENT_TRUNK_SERVERS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "signaling/agent/tried_server.h"
#include "signaling/dns/resolver.h"
#include "signaling/routing/plan.h"
#include "signaling/sip/hop.h"
#include "signaling/transport/network.h"

namespace sluice::agent {

struct TrunkServer {
  dns::Destination destination;
  // As the config names it, for URIs where the trunk has no domain; port 0: none is written.
  std::string host;
  uint16_t port = 0;
  // As in sip::Hop; 0 where it is not reached by TLS.
  uint32_t tls_peer = 0;

  TriedServer tried() const { return {destination, tls_peer}; }
};

// The way there.
sip::Hop HopTo(const TrunkServer& server, const transport::Network& network);

class TrunkServers {
 public:
  // Both outlive it.
  TrunkServers(dns::Resolver& resolver, transport::Network& network) : resolver_(resolver), network_(network) {}

  // Trunks that are as they were keep their addresses.
  void SetPlan(const routing::Plan& plan, absl::Time now);

  // Those of a trunk of the plan in the order in which they are to be tried. Empty: none of its names has an address.
  std::vector<TrunkServer> Find(const routing::Trunk& trunk);
  // The trunk whose calls may come from wherever its servers are, and that has one at the address of `source`; null:
  // there is none. `name`: only that one; empty: any.
  std::shared_ptr<const routing::Trunk> FindSource(const sip::Endpoint& source, const std::string& name = "") const;
  // As in sip::Hop, for connections to `source`, where a call of the trunk has come from: as to its server at that
  // address; if none is there, for its domain, else for `certificate_name`, by which it was known.
  uint32_t TlsPeerAt(const routing::Trunk& trunk, const sip::Endpoint& source,
                     const std::string& certificate_name) const;
  // As any trunk has it; nothing: none has it.
  std::optional<TrunkServer> FindServer(const TriedServer& server) const;
  // Whether a trunk that has one there may be told how many calls it wants (RFC 7339).
  bool HasOverloadControl(const dns::Destination& server) const;

  void Advance(absl::Time now);
  absl::Time NextDeadline() const { return next_refresh_; }

 private:
  // An entry of a trunk's list. Shared with the answers that it waits for.
  struct Peer {
    dns::SipTarget target;
    std::string uri_host;
    uint32_t tls_peer = 0;
    std::vector<dns::Destination> known;
    bool asking = false;
  };
  struct Entry {
    std::shared_ptr<const routing::Trunk> trunk;
    std::vector<std::shared_ptr<Peer>> peers;
  };

  uint32_t NumberOf(const routing::Trunk& trunk, const std::string& name) const;
  std::shared_ptr<Peer> MakePeer(const routing::Trunk& trunk, const routing::TrunkPeer& peer);
  void Ask(const std::shared_ptr<Peer>& peer);
  static TrunkServer ServerOf(const Peer& peer, const dns::Destination& destination);
  // `matches` is asked about each server.
  template <typename Match>
  static std::optional<TrunkServer> FindServer(const Entry& entry, Match matches);

  dns::Resolver& resolver_;
  transport::Network& network_;
  // By the trunk's name.
  absl::flat_hash_map<std::string, Entry> entries_;
  absl::Time next_refresh_ = absl::InfiniteFuture();
  // Of any trunk: looked at with every request.
  bool has_overload_control_ = false;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_TRUNK_SERVERS_H_
