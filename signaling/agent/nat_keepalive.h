// Whose turn it is to be sent something, so that the NAT before the phone keeps the mapping by which we reach it.
//
// Phones should see to that themselves (RFC 5626 4.4); many do not. All bindings behind NAT over UDP are gone through
// once an interval, some of them each second, so that they do not come in bursts. An OPTIONS is what is sent: its
// answer goes out through the NAT, which is what many of them count.
//
// Threads: the shard's that looks after the bindings.
#ifndef SLUICE_SIGNALING_AGENT_NAT_KEEPALIVE_H_
#define SLUICE_SIGNALING_AGENT_NAT_KEEPALIVE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "signaling/sip/hop.h"
#include "signaling/store/store.h"

namespace sluice::agent {

class NatKeepalive {
 public:
  struct Ping {
    // The Contact that is asked.
    std::string uri;
    sip::Hop hop;
  };

  // `interval` 0: never. `store` outlives it.
  NatKeepalive(const store::Store& store, absl::Duration interval) : store_(store), interval_(interval) {}

  std::vector<Ping> Due(absl::Time now);
  // When to ask again.
  absl::Time NextDeadline() const { return interval_ > absl::ZeroDuration() ? next_ : absl::InfiniteFuture(); }

 private:
  const store::Store& store_;
  const absl::Duration interval_;
  absl::Time next_ = absl::InfinitePast();
  // Of the round: where it is in the list of bindings, how many it takes a second, and when the next one begins.
  std::string token_;
  size_t slice_ = 0;
  absl::Time next_round_ = absl::InfinitePast();
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_NAT_KEEPALIVE_H_
