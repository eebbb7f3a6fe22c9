// Gives things back to their pools once no worker can still see them.
//
// How it works. Retired things gather in a batch. Collect closes the batch with a token of the QSBR and frees the
// batches whose grace period has passed, so one grace period serves many retirements.
//
// Threads: one control thread at a time.

#ifndef SLUICE_DATAPATH_FLOW_DEFERRED_RECLAIM_H_
#define SLUICE_DATAPATH_FLOW_DEFERRED_RECLAIM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "datapath/flow/qsbr.h"

namespace sluice::flow {

// A pool whose things are named by an index.
class Reclaimable {
 public:
  virtual ~Reclaimable() = default;
  // No worker can see `index` any more.
  virtual void Reclaim(uint32_t index) = 0;
};

class DeferredReclaim {
 public:
  explicit DeferredReclaim(Qsbr& qsbr) : qsbr_(qsbr) {}

  // `pool` outlives this. The thing has been unpublished before.
  void Retire(Reclaimable& pool, uint32_t index);

  // Frees what can be freed; answers how much. To be called every few milliseconds, and when a pool is empty.
  size_t Collect();

  // Retired and not freed yet.
  size_t pending() const { return pending_; }

 private:
  struct Item {
    Reclaimable* pool;
    uint32_t index;
  };
  struct Batch {
    Qsbr::Token token;
    std::vector<Item> items;
  };

  Qsbr& qsbr_;
  std::vector<Item> open_;
  std::deque<Batch> closed_;
  std::vector<std::vector<Item>> spare_;  // Emptied vectors, kept for their memory.
  size_t pending_ = 0;
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_DEFERRED_RECLAIM_H_
