#include "signaling/dns/failed_destinations.h"

#include <algorithm>

namespace sluice::dns {

void FailedDestinations::Failed(const Destination& destination, absl::Time now) {
  const auto known = marks_.find(destination);
  if (known != marks_.end()) {
    Mark& mark = known->second;
    // Attempts that began before it was marked fail too; they say nothing new.
    if (now < mark.until && !mark.probing) return;
    mark.probing = false;
    mark.length = std::min(mark.length * 2, options_.longest);
    mark.until = now + mark.length;
    return;
  }
  if (marks_.size() >= options_.max_marked) {
    absl::erase_if(marks_, [&](const auto& entry) { return entry.second.until <= now; });
    if (marks_.size() >= options_.max_marked) return;
  }
  marks_.emplace(destination, Mark{now + options_.first, options_.first, false});
}

bool FailedDestinations::ShouldAvoid(const Destination& destination, absl::Time now) {
  const auto known = marks_.find(destination);
  if (known == marks_.end()) return false;
  if (now < known->second.until) return true;
  known->second.until = now + options_.probe;
  known->second.probing = true;
  return false;
}

}  // namespace sluice::dns
