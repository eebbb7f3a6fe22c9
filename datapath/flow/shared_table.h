// Values that many flows have in common (payload maps, prefix sets), each kept once and named by a 16-bit index.
//
// How it works. Acquire answers the index of an equal value if there is one and counts the reference, else it takes a
// free place. The last Release retires the place; it is reused after a grace period. Index 0 is the default value and
// always there.
//
// Threads: operator[] from workers, for indices of published entries. All else from one control thread at a time.

#ifndef SLUICE_DATAPATH_FLOW_SHARED_TABLE_H_
#define SLUICE_DATAPATH_FLOW_SHARED_TABLE_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "datapath/flow/deferred_reclaim.h"
#include "datapath/flow/entry_pool.h"
#include "datapath/flow/memory.h"

namespace sluice::flow {

template <typename Value>
class SharedTable {
 public:
  static constexpr uint32_t kMaxCapacity = 65535;
  static constexpr uint16_t kNone = 0xffff;

  SharedTable(Memory& memory, std::string_view name, uint32_t capacity, DeferredReclaim& reclaim)
      : reclaim_(reclaim), pool_(memory, name, capacity < kMaxCapacity ? capacity : kMaxCapacity - 1) {
    references_.resize(pool_.indices().capacity() + 1);
  }

  bool has_memory() const { return pool_.has_memory(); }

  // kNone if the table is full.
  uint16_t Acquire(const Value& value) {
    if (value == Value()) return 0;
    if (const auto found = index_of_.find(value); found != index_of_.end()) {
      ++references_[found->second];
      return found->second;
    }
    const uint32_t index = pool_.indices().Take();
    if (index == 0) return kNone;
    pool_[index] = value;
    references_[index] = 1;
    index_of_.emplace(value, static_cast<uint16_t>(index));
    return static_cast<uint16_t>(index);
  }

  void Release(uint16_t index) {
    if (index == 0 || --references_[index] != 0) return;
    index_of_.erase(pool_[index]);
    reclaim_.Retire(pool_.indices(), index);
  }

  const Value& operator[](uint16_t index) const { return pool_[index]; }
  size_t size() const { return index_of_.size(); }

 private:
  DeferredReclaim& reclaim_;
  EntryPool<Value> pool_;
  std::vector<uint32_t> references_;
  absl::flat_hash_map<Value, uint16_t> index_of_;
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_SHARED_TABLE_H_
