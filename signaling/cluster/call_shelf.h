// The standing calls of this controller as Redis should have them: the latest state of each, and what of it is not
// there yet. Pure.
//
// Unlike a disk, Redis may come back with less than it had. So the latest states stay in memory, too, and after each
// new connection all of them are written once more (WriteAllAgain).
//
// Threads: one at a time; the owner locks.
#ifndef SLUICE_SIGNALING_CLUSTER_CALL_SHELF_H_
#define SLUICE_SIGNALING_CLUSTER_CALL_SHELF_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "signaling/cluster/cluster.h"
#include "signaling/store/store.h"

namespace sluice::cluster {

class CallShelf {
 public:
  struct Kept {
    std::string call_id;
    std::shared_ptr<const std::string> state;
    // The run in whose name Redis has an earlier state that is to go, because it was taken over; 0: none.
    RunNumber origin = 0;
  };
  struct Ended {
    std::string call_id;
    RunNumber origin = 0;
  };
  // To be written together. One at a time is under way: Done or PutBack follows before the next Take.
  struct Batch {
    std::vector<Kept> kept;
    std::vector<Ended> ended;
    bool empty() const { return kept.empty() && ended.empty(); }
  };

  void Keep(absl::string_view call_id, std::string state);
  void Forget(absl::string_view call_id);
  // Redis has it in the name of `origin`, which is gone. False, and nothing changes, if a state of the call is here.
  bool Adopt(RunNumber origin, const store::StandingCall& call);

  // At most about `bytes` of states and `ends` ends.
  Batch Take(size_t bytes, size_t ends);
  void Done(const Batch& batch);
  void PutBack(const Batch& batch);
  void WriteAllAgain();

  // Whether Redis may have a state of the call in the name of `run`; `self`: this one.
  bool Belongs(absl::string_view call_id, RunNumber run, RunNumber self) const;

  // Calls of which Redis has a state, perhaps not the latest; and what it may not know yet.
  size_t written() const { return written_; }
  size_t waiting() const { return changed_.size() + ended_.size() + under_way_; }

 private:
  struct Call {
    std::shared_ptr<const std::string> state;
    RunNumber origin = 0;
    bool is_written = false;
    // In the batch that is under way.
    bool in_flight = false;
  };

  absl::flat_hash_map<std::string, Call> calls_;
  absl::flat_hash_set<std::string> changed_;
  // Redis has them, and should not; with their origin.
  absl::flat_hash_map<std::string, RunNumber> ended_;
  size_t written_ = 0;
  size_t under_way_ = 0;
};

}  // namespace sluice::cluster

#endif  // SLUICE_SIGNALING_CLUSTER_CALL_SHELF_H_
