#include "signaling/agent/trunk_servers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"

namespace sluice::agent {
namespace {

constexpr absl::Duration kRefresh = absl::Seconds(30);

}  // namespace

sip::Hop HopTo(const TrunkServer& server, const transport::Network& network) {
  sip::Hop hop = network.HopTo(server.destination.protocol, server.destination.address);
  hop.tls_peer = server.tls_peer;
  return hop;
}

uint32_t TrunkServers::NumberOf(const routing::Trunk& trunk, const std::string& name) const {
  return network_.TlsPeerNumber({name, trunk.has_own_tls ? trunk.name : ""});
}

std::shared_ptr<TrunkServers::Peer> TrunkServers::MakePeer(const routing::Trunk& trunk,
                                                           const routing::TrunkPeer& peer) {
  auto made = std::make_shared<Peer>();
  made->target = {.host = peer.host, .port = peer.port, .protocol = peer.protocol};
  made->uri_host = peer.host;
  std::string name = peer.host;
  if (const auto address = sip::Endpoint::Make(peer.host, 0); address.has_value()) {
    made->uri_host = address->Address();
    name = trunk.domain.empty() ? made->uri_host : trunk.domain;
  }
  made->tls_peer = NumberOf(trunk, name);
  return made;
}

void TrunkServers::SetPlan(const routing::Plan& plan, absl::Time now) {
  absl::flat_hash_map<std::string, Entry> entries;
  for (const std::shared_ptr<const routing::Trunk>& trunk : plan.trunks()) {
    Entry& entry = entries[trunk->name];
    const auto known = entries_.find(trunk->name);
    if (known != entries_.end() && known->second.trunk->peers == trunk->peers &&
        known->second.trunk->domain == trunk->domain && known->second.trunk->has_own_tls == trunk->has_own_tls) {
      entry.peers = std::move(known->second.peers);
    } else {
      for (const routing::TrunkPeer& peer : trunk->peers) entry.peers.push_back(MakePeer(*trunk, peer));
    }
    entry.trunk = trunk;
  }
  entries_ = std::move(entries);
  has_overload_control_ = std::any_of(plan.trunks().begin(), plan.trunks().end(),
                                      [](const auto& trunk) { return trunk->overload_control; });
  Advance(now);
}

void TrunkServers::Advance(absl::Time now) {
  next_refresh_ = entries_.empty() ? absl::InfiniteFuture() : now + kRefresh;
  for (const auto& [name, entry] : entries_) {
    for (const std::shared_ptr<Peer>& peer : entry.peers) Ask(peer);
  }
}

void TrunkServers::Ask(const std::shared_ptr<Peer>& peer) {
  if (peer->asking) return;
  peer->asking = true;
  resolver_.Resolve(peer->target,
                    [weak = std::weak_ptr<Peer>(peer)](absl::StatusOr<std::vector<dns::Destination>> answer) {
                      const std::shared_ptr<Peer> asked = weak.lock();
                      if (asked == nullptr) return;
                      asked->asking = false;
                      if (absl::IsNotFound(answer.status())) asked->known.clear();
                      if (answer.ok()) asked->known = *std::move(answer);
                    });
}

std::vector<TrunkServer> TrunkServers::Find(const routing::Trunk& trunk) {
  std::vector<TrunkServer> servers;
  const auto found = entries_.find(trunk.name);
  if (found == entries_.end()) return servers;
  for (const std::shared_ptr<Peer>& peer : found->second.peers) {
    Ask(peer);
    for (const dns::Destination& known : peer->known) servers.push_back(ServerOf(*peer, known));
  }
  return servers;
}

template <typename Match>
std::optional<TrunkServer> TrunkServers::FindServer(const Entry& entry, Match matches) {
  for (const std::shared_ptr<Peer>& peer : entry.peers) {
    for (const dns::Destination& known : peer->known) {
      if (const TrunkServer server = ServerOf(*peer, known); matches(server)) return server;
    }
  }
  return std::nullopt;
}

std::shared_ptr<const routing::Trunk> TrunkServers::FindSource(const sip::Endpoint& source,
                                                               const std::string& name) const {
  const auto is_there = [&](const TrunkServer& one) { return one.destination.address.SameAddress(source); };
  for (const auto& [trunk, entry] : entries_) {
    if (!name.empty() && trunk != name) continue;
    if (entry.trunk->sources_are_servers && FindServer(entry, is_there).has_value()) return entry.trunk;
  }
  return nullptr;
}

TrunkServer TrunkServers::ServerOf(const Peer& peer, const dns::Destination& destination) {
  return {.destination = destination,
          .host = peer.uri_host,
          .port = peer.target.port,
          .tls_peer = transport::IsSecure(destination.protocol) ? peer.tls_peer : 0};
}

uint32_t TrunkServers::TlsPeerAt(const routing::Trunk& trunk, const sip::Endpoint& source,
                                 const std::string& certificate_name) const {
  if (const auto found = entries_.find(trunk.name); found != entries_.end()) {
    const auto server = FindServer(found->second, [&](const TrunkServer& one) {
      return one.tls_peer != 0 && one.destination.address.SameAddress(source);
    });
    if (server.has_value()) return server->tls_peer;
  }
  return NumberOf(trunk, trunk.domain.empty() ? certificate_name : trunk.domain);
}

std::optional<TrunkServer> TrunkServers::FindServer(const TriedServer& server) const {
  for (const auto& [name, entry] : entries_) {
    auto found = FindServer(entry, [&](const TrunkServer& one) { return one.tried() == server; });
    if (found.has_value()) return found;
  }
  return std::nullopt;
}

bool TrunkServers::HasOverloadControl(const dns::Destination& server) const {
  if (!has_overload_control_) return false;
  const auto is_there = [&](const TrunkServer& one) { return one.destination == server; };
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.second.trunk->overload_control && FindServer(entry.second, is_there).has_value();
  });
}

}  // namespace sluice::agent
