#include "signaling/fleet/placement.h"

#include <tuple>

namespace sluice::fleet {
namespace {

bool CanBeAsked(const Candidate& candidate) {
  const bool full = candidate.session_capacity != 0 && candidate.sessions >= candidate.session_capacity;
  return candidate.health == RelayHealth::kHealthy && !candidate.tried && !full;
}

// Smaller is better.
std::tuple<bool, double, uint64_t> Rank(const Candidate& candidate) {
  const double share = candidate.session_capacity == 0
                           ? 0
                           : static_cast<double>(candidate.sessions) / static_cast<double>(candidate.session_capacity);
  return {candidate.busy_share >= kBusyShare, share, candidate.sessions};
}

}  // namespace

std::optional<size_t> ChooseRelay(absl::Span<const Candidate> candidates) {
  std::optional<size_t> best;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!CanBeAsked(candidates[i])) continue;
    if (!best || Rank(candidates[i]) < Rank(candidates[*best])) best = i;
  }
  return best;
}

}  // namespace sluice::fleet
