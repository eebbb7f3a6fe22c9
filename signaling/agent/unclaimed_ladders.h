// Messages of INVITEs that are no calls yet: the caller is asked for credentials first, and whoever looks at the call
// later wants to see that too.
//
// Bounded by number and age, since anybody can send an INVITE; the oldest goes first.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_UNCLAIMED_LADDERS_H_
#define SLUICE_SIGNALING_AGENT_UNCLAIMED_LADDERS_H_

#include <list>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/ladder.h"

namespace sluice::agent {

class UnclaimedLadders {
 public:
  UnclaimedLadders(size_t capacity, absl::Duration lifetime) : capacity_(capacity), lifetime_(lifetime) {}

  // The ladder of this Call-ID, to add to. Valid until the next call.
  Ladder& Of(absl::string_view sip_call_id, absl::Time now);
  // Takes it away. Empty if there is none, or only one that is older than `lifetime`.
  Ladder Claim(absl::string_view sip_call_id, absl::Time now);

  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string sip_call_id;
    absl::Time begun;
    Ladder ladder;
  };
  using Entries = std::list<Entry>;

  void Erase(Entries::iterator entry);

  const size_t capacity_;
  const absl::Duration lifetime_;
  // The oldest in front.
  Entries entries_;
  absl::flat_hash_map<absl::string_view, Entries::iterator> by_call_id_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_UNCLAIMED_LADDERS_H_
