// Fixed-capacity pools of things that workers read by index. Index 0 is never given out.
//
// Threads: operator[] from any thread (what it may be used for is the owner's matter); all else from one control thread
// at a time.

#ifndef SLUICE_DATAPATH_FLOW_ENTRY_POOL_H_
#define SLUICE_DATAPATH_FLOW_ENTRY_POOL_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "datapath/flow/deferred_reclaim.h"
#include "datapath/flow/memory.h"

namespace sluice::flow {

// Hands out indices 1 to `capacity`, the lowest never used first, so that what is in use stays dense; then the most
// recently freed.
class IndexPool final : public Reclaimable {
 public:
  explicit IndexPool(uint32_t capacity) : capacity_(capacity) {}

  // 0 if none is left.
  uint32_t Take() {
    if (!free_.empty()) {
      const uint32_t index = free_.back();
      free_.pop_back();
      return index;
    }
    return next_ <= capacity_ ? next_++ : 0;
  }
  // At once: nobody has seen it.
  void Reclaim(uint32_t index) override { free_.push_back(index); }

  uint32_t capacity() const { return capacity_; }
  uint32_t available() const { return capacity_ - next_ + 1 + static_cast<uint32_t>(free_.size()); }

 private:
  uint32_t capacity_;
  uint32_t next_ = 1;
  std::vector<uint32_t> free_;
};

template <typename Entry>
class EntryPool {
 public:
  EntryPool(Memory& memory, std::string_view name, uint32_t capacity)
      : indices_(capacity), entries_(memory, name, size_t{capacity} + 1) {}

  bool has_memory() const { return entries_.size() > 0; }
  IndexPool& indices() { return indices_; }
  const IndexPool& indices() const { return indices_; }
  Entry& operator[](uint32_t index) { return entries_[index]; }
  const Entry& operator[](uint32_t index) const { return entries_[index]; }

 private:
  IndexPool indices_;
  MemoryArray<Entry> entries_;
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_ENTRY_POOL_H_
