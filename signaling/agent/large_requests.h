// The way of requests that are too large for a datagram: TCP to the same address (RFC 3261 18.1.1).
//
// Not for whom no connection reaches (NAT), and not for half an hour to where nobody has answered by TCP: there the
// request has gone by UDP after all, and so do the next ones at once.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_LARGE_REQUESTS_H_
#define SLUICE_SIGNALING_AGENT_LARGE_REQUESTS_H_

#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "signaling/sip/hop.h"
#include "signaling/transport/network.h"

namespace sluice::agent {

class LargeRequests {
 public:
  // `network` outlives this.
  explicit LargeRequests(const transport::Network& network) : network_(network) {}

  // As sip::Wire says.
  std::optional<sip::Hop> StreamHop(const sip::Hop& hop, absl::Time now) const;
  void OnStreamSilent(const sip::Hop& hop, absl::Time now);

 private:
  const transport::Network& network_;
  // Until when nobody is tried there again. Bounded.
  absl::flat_hash_map<sip::Endpoint, absl::Time> silent_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_LARGE_REQUESTS_H_
