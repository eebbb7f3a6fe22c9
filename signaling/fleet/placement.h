// Chooses the relay of a new session. Pure.
//
// Of the healthy relays the one with the smallest share of its capacity in use; where shares are equal (or capacities
// are not told) the one with fewer sessions; then the order of the config. A relay whose workers have hardly an idle
// cycle comes after all others, however few sessions it has: its sessions are heavier than theirs.
#ifndef SLUICE_SIGNALING_FLEET_PLACEMENT_H_
#define SLUICE_SIGNALING_FLEET_PLACEMENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "signaling/fleet/fleet.h"

namespace sluice::fleet {

struct Candidate {
  RelayHealth health = RelayHealth::kUnknown;
  uint64_t sessions = 0;
  // 0: not told.
  uint64_t session_capacity = 0;
  // Share of its workers' cycles in use, 0 to 1.
  double busy_share = 0;
  // It was asked for this session already.
  bool tried = false;
};

// From this share on a relay counts as busy.
inline constexpr double kBusyShare = 0.85;

// Index of the relay to ask; none if no healthy one is left that has room.
std::optional<size_t> ChooseRelay(absl::Span<const Candidate> candidates);

}  // namespace sluice::fleet

#endif  // SLUICE_SIGNALING_FLEET_PLACEMENT_H_
