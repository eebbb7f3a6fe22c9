// What the disk does not know yet of standing calls: the latest state of each that has changed, and which are over.
// Pure.
//
// A call that is over before any of its states was taken for the disk leaves nothing to be written. States that could
// not be written come back, unless a newer one, or the end of the call, has come meanwhile. So what waits while a disk
// is full is bounded by the calls that stand and those that the disk has.
//
// Threads: one at a time; the owner locks.
#ifndef SLUICE_SIGNALING_STORE_STANDING_CALL_QUEUE_H_
#define SLUICE_SIGNALING_STORE_STANDING_CALL_QUEUE_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "signaling/store/store.h"

namespace sluice::store {

class StandingCallQueue {
 public:
  struct Kept : StandingCall {
    // The disk has no earlier state of it.
    bool is_first = false;
  };
  // To be written together.
  struct Batch {
    std::vector<Kept> kept;
    std::vector<std::string> forgotten;
  };

  // The disk has it from before.
  void NoteOnDisk(std::string call_id) { on_disk_.insert(std::move(call_id)); }

  void Keep(absl::string_view call_id, std::string state) { kept_.insert_or_assign(call_id, std::move(state)); }
  void Forget(absl::string_view call_id) {
    kept_.erase(call_id);
    if (on_disk_.contains(call_id)) forgotten_.emplace(call_id);
  }

  // `limit` states and, `with_ends`, as many ends at most.
  Batch Take(size_t limit, bool with_ends);
  // `batch` could not be written.
  void PutBack(Batch batch);

  bool empty() const { return kept_.empty() && forgotten_.empty(); }
  size_t waiting() const { return kept_.size() + forgotten_.size(); }
  // Of which the disk has some state, perhaps not the latest.
  size_t on_disk() const { return on_disk_.size(); }

 private:
  absl::flat_hash_map<std::string, std::string> kept_;
  // On disk and not to stay there.
  absl::flat_hash_set<std::string> forgotten_;
  // Those of which a state was taken and not put back, and not yet the end.
  absl::flat_hash_set<std::string> on_disk_;
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_STANDING_CALL_QUEUE_H_
