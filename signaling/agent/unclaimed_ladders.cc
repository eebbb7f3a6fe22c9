#include "signaling/agent/unclaimed_ladders.h"

#include <iterator>
#include <utility>

namespace sluice::agent {

void UnclaimedLadders::Erase(Entries::iterator entry) {
  by_call_id_.erase(entry->sip_call_id);
  entries_.erase(entry);
}

Ladder& UnclaimedLadders::Of(absl::string_view sip_call_id, absl::Time now) {
  while (!entries_.empty() && now - entries_.front().begun > lifetime_) Erase(entries_.begin());
  if (const auto found = by_call_id_.find(sip_call_id); found != by_call_id_.end()) return found->second->ladder;
  if (entries_.size() >= capacity_) Erase(entries_.begin());
  entries_.push_back({std::string(sip_call_id), now, {}});
  const auto last = std::prev(entries_.end());
  by_call_id_.emplace(last->sip_call_id, last);
  return last->ladder;
}

Ladder UnclaimedLadders::Claim(absl::string_view sip_call_id, absl::Time now) {
  const auto found = by_call_id_.find(sip_call_id);
  if (found == by_call_id_.end()) return {};
  const auto entry = found->second;
  Ladder ladder = now - entry->begun > lifetime_ ? Ladder() : std::move(entry->ladder);
  Erase(entry);
  return ladder;
}

}  // namespace sluice::agent
