// Who has failed how often, and when last. Bounded: with `capacity` names known, the one that failed longest ago is
// forgotten. So is, with its next failure, whoever has not failed for `memory`.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_FAILURE_TABLE_H_
#define SLUICE_SIGNALING_AGENT_FAILURE_TABLE_H_

#include <cstdint>
#include <list>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::agent {

class FailureTable {
 public:
  struct Failures {
    uint32_t count = 0;
    absl::Time last;
  };

  FailureTable(absl::Duration memory, size_t capacity) : memory_(memory), capacity_(capacity) {}

  // One more; answers how many there are now.
  uint32_t Add(std::string name, absl::Time now);
  // As of the last Add; 0 for a stranger.
  Failures Find(absl::string_view name) const;
  void Forget(absl::string_view name);

  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string name;
    Failures failures;
  };

  const absl::Duration memory_;
  const size_t capacity_;
  // The one that failed last in front.
  std::list<Entry> entries_;
  absl::flat_hash_map<absl::string_view, std::list<Entry>::iterator> by_name_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_FAILURE_TABLE_H_
