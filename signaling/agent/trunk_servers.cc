#include "signaling/agent/trunk_servers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"

namespace sluice::agent {
namespace {

constexpr absl::Duration kRefresh = absl::Seconds(30);

}  // namespace

std::shared_ptr<TrunkServers::Peer> TrunkServers::MakePeer(const routing::Trunk& trunk,
                                                           const routing::TrunkPeer& peer) {
  auto made = std::make_shared<Peer>();
  made->target = {.host = peer.host, .port = peer.port, .protocol = peer.protocol};
  made->uri_host = peer.host;
  made->tls_name = peer.host;
  if (const auto address = sip::Endpoint::Make(peer.host, 0); address.has_value()) {
    made->uri_host = address->Address();
    made->tls_name = trunk.domain.empty() ? made->uri_host : trunk.domain;
  }
  return made;
}

void TrunkServers::SetPlan(const routing::Plan& plan, absl::Time now) {
  absl::flat_hash_map<std::string, Entry> entries;
  for (const std::shared_ptr<const routing::Trunk>& trunk : plan.trunks()) {
    Entry& entry = entries[trunk->name];
    const auto known = entries_.find(trunk->name);
    if (known != entries_.end() && known->second.trunk->peers == trunk->peers &&
        known->second.trunk->domain == trunk->domain) {
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
  resolver_.Resolve(peer->target, [&network = network_, weak = std::weak_ptr<Peer>(peer)](
                                      absl::StatusOr<std::vector<dns::Destination>> answer) {
    const std::shared_ptr<Peer> asked = weak.lock();
    if (asked == nullptr) return;
    asked->asking = false;
    if (absl::IsNotFound(answer.status())) asked->known.clear();
    if (!answer.ok()) return;
    asked->known = *std::move(answer);
    for (const dns::Destination& server : asked->known) {
      if (transport::IsSecure(server.protocol)) network.SetPeerName(server.address, asked->tls_name);
    }
  });
}

std::vector<TrunkServer> TrunkServers::Find(const routing::Trunk& trunk) {
  std::vector<TrunkServer> servers;
  const auto found = entries_.find(trunk.name);
  if (found == entries_.end()) return servers;
  for (const std::shared_ptr<Peer>& peer : found->second.peers) {
    Ask(peer);
    for (const dns::Destination& known : peer->known) servers.push_back({known, peer->uri_host, peer->target.port});
  }
  return servers;
}

std::shared_ptr<const routing::Trunk> TrunkServers::FindSource(const sip::Endpoint& source) const {
  const auto is_there = [&](const dns::Destination& server) { return server.address.SameAddress(source); };
  for (const auto& [name, entry] : entries_) {
    if (!entry.trunk->sources_are_servers) continue;
    for (const std::shared_ptr<Peer>& peer : entry.peers) {
      if (std::any_of(peer->known.begin(), peer->known.end(), is_there)) return entry.trunk;
    }
  }
  return nullptr;
}

bool TrunkServers::Has(const Entry& entry, const dns::Destination& server) {
  return std::any_of(entry.peers.begin(), entry.peers.end(), [&](const std::shared_ptr<Peer>& peer) {
    return std::find(peer->known.begin(), peer->known.end(), server) != peer->known.end();
  });
}

bool TrunkServers::Has(const dns::Destination& server) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) { return Has(entry.second, server); });
}

bool TrunkServers::HasOverloadControl(const dns::Destination& server) const {
  if (!has_overload_control_) return false;
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.second.trunk->overload_control && Has(entry.second, server);
  });
}

}  // namespace sluice::agent
