#include "signaling/fleet/backoff.h"

#include <algorithm>

namespace sluice::fleet {

absl::Duration Backoff::Next(double random) {
  const absl::Duration wait = next_ * (0.9 + 0.2 * random);
  next_ = std::min(next_ * 1.5, kLongest);
  return std::min(wait, kLongest);
}

}  // namespace sluice::fleet
