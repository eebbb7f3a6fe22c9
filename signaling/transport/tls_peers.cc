#include "signaling/transport/tls_peers.h"

#include <algorithm>

namespace sluice::transport {

uint32_t TlsPeers::NumberOf(const TlsPeer& peer) {
  if (peer == TlsPeer()) return 0;
  absl::MutexLock lock(&mutex_);
  const auto found = std::find(peers_.begin(), peers_.end(), peer);
  const auto number = static_cast<uint32_t>(found - peers_.begin()) + 1;
  if (found == peers_.end()) peers_.push_back(peer);
  return number;
}

TlsPeer TlsPeers::Find(uint32_t number) const {
  if (number == 0) return {};
  absl::MutexLock lock(&mutex_);
  return number > peers_.size() ? TlsPeer() : peers_[number - 1];
}

}  // namespace sluice::transport
