// Which destinations are not worth trying first, because they have failed lately.
//
// A failure marks a destination for a while, twice as long with each further one in a row. Then one attempt may go
// there again as a probe: as long as its outcome is not known (or a while has passed), others still see the mark. A
// success clears it.
//
// Threads: one; the clock is passed in.
#ifndef SLUICE_SIGNALING_DNS_FAILED_DESTINATIONS_H_
#define SLUICE_SIGNALING_DNS_FAILED_DESTINATIONS_H_

#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "signaling/dns/resolver.h"

namespace sluice::dns {

struct FailedDestinationsOptions {
  absl::Duration first = absl::Seconds(30);
  absl::Duration longest = absl::Minutes(10);
  // How long the outcome of a probe is waited for: longer than Timer B (32 s).
  absl::Duration probe = absl::Seconds(40);
  // With this many, those whose time is over are forgotten, and a new one is not marked if that frees nothing.
  size_t max_marked = 4096;
};

class FailedDestinations {
 public:
  explicit FailedDestinations(const FailedDestinationsOptions& options = {}) : options_(options) {}

  void Failed(const Destination& destination, absl::Time now);
  void Worked(const Destination& destination) { marks_.erase(destination); }

  // True if others should be tried first. False makes the asker the probe, if a probe is due.
  bool ShouldAvoid(const Destination& destination, absl::Time now);

  size_t size() const { return marks_.size(); }

 private:
  struct Mark {
    absl::Time until;
    absl::Duration length;
    // A probe is on its way, and `until` is how long it is waited for.
    bool probing = false;
  };

  const FailedDestinationsOptions options_;
  absl::flat_hash_map<Destination, Mark> marks_;
};

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_FAILED_DESTINATIONS_H_
