// How much less a trunk's server wants of us: the client's side of RFC 7339 with the loss algorithm.
//
// Requests to servers of trunks that are to do this say in their Via that we understand it (`kViaParameters`), and the
// Via of a response tells which part of new calls to leave away, and for how long. What is left away goes to the next
// server or trunk, or is answered 503. Requests in dialogs, REGISTERs and calls with a Resource-Priority always go.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_OVERLOAD_CONTROL_H_
#define SLUICE_SIGNALING_AGENT_OVERLOAD_CONTROL_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/dns/resolver.h"
#include "signaling/sip/via.h"

namespace sluice::agent {

class OverloadControl {
 public:
  // Behind the Via of a request to a server that may tell us.
  static constexpr absl::string_view kViaParameters = ";oc;oc-algo=\"loss\"";

  // The topmost Via of a response of `server`, who was asked. What is not of this algorithm, older than what it said
  // before, or damaged, changes nothing (4.3, 4.4).
  void OnResponse(const dns::Destination& server, const sip::Via& via, absl::Time now);

  // Whether a new call to `server` is left away; `random`: 64 random bits.
  bool LeavesAway(const dns::Destination& server, uint64_t random, absl::Time now) const;

 private:
  struct Demand {
    // Of 100 calls.
    uint32_t loss = 0;
    absl::Time until = absl::InfinitePast();
    // Of what was said last.
    double sequence = 0;
  };

  // Servers of trunks only, so there are few.
  absl::flat_hash_map<dns::Destination, Demand> demands_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_OVERLOAD_CONTROL_H_
