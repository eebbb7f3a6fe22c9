// Sessions that were deleted a moment ago, so that a create which its own delete overtook does not come to life.
//
// How it works. A 64-bit hash of the id, seeded by the process, in a set and in a queue by age. At most kMax: beyond
// that the oldest go early, so a flood of deletes costs at most 40 MB.
//
// Threads: one control thread at a time. Time is passed in and does not go back.

#ifndef SLUICE_DATAPATH_SESSION_TOMBSTONES_H_
#define SLUICE_DATAPATH_SESSION_TOMBSTONES_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::session {

class Tombstones {
 public:
  static constexpr absl::Duration kAge = absl::Seconds(60);
  static constexpr size_t kMax = size_t{1} << 20;

  void Add(absl::string_view session_id, absl::Time now);
  bool Contains(absl::string_view session_id, absl::Time now);
  size_t size() const { return set_.size(); }

 private:
  struct Stone {
    int64_t until;  // Nanoseconds since 1970.
    uint64_t hash;
  };

  void Expire(absl::Time now);

  absl::flat_hash_set<uint64_t> set_;
  std::deque<Stone> queue_;
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_TOMBSTONES_H_
