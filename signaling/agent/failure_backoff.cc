#include "signaling/agent/failure_backoff.h"

#include <algorithm>

namespace sluice::agent {

bool FailureBackoff::MustWait(absl::string_view name, absl::Time now) const {
  const FailureTable::Failures failures = failures_.Find(name);
  if (failures.count < allowed_) return false;
  // Doubled more often it is longer than any that is configured.
  const uint32_t doublings = std::min(failures.count - allowed_, uint32_t{30});
  return now < failures.last + std::min(absl::Seconds(1) * (int64_t{1} << doublings), longest_wait_);
}

}  // namespace sluice::agent
