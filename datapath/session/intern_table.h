// Keeps equal things once: few different codec lists and prefix lists exist among very many legs.
//
// How it works. Acquire answers the index of an equal key, or makes its value; every Acquire is one reference. Index 0
// is no key. Indices are reused after the last Release.
//
// Threads: one control thread at a time.

#ifndef SLUICE_DATAPATH_SESSION_INTERN_TABLE_H_
#define SLUICE_DATAPATH_SESSION_INTERN_TABLE_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace sluice::session {

template <typename Key, typename Value>
class InternTable {
 public:
  using Index = uint32_t;

  // `make(key)` makes the value of a key that is not there.
  template <typename Make>
  Index Acquire(const Key& key, Make&& make) {
    if (const auto found = index_of_.find(key); found != index_of_.end()) {
      ++entries_[found->second].references;
      return found->second;
    }
    Index index = static_cast<Index>(entries_.size());
    if (free_.empty()) {
      entries_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Entry& entry = entries_[index];
    entry.references = 1;
    entry.key = key;
    entry.value = std::make_unique<Value>(make(key));
    index_of_.emplace(key, index);
    return index;
  }

  void Release(Index index) {
    if (index == 0 || --entries_[index].references != 0) return;
    index_of_.erase(entries_[index].key);
    entries_[index].value.reset();
    free_.push_back(index);
  }

  // Of an index that is referenced, not 0. Stays where it is as long as it is referenced.
  const Value& operator[](Index index) const { return *entries_[index].value; }
  size_t size() const { return index_of_.size(); }

 private:
  struct Entry {
    uint32_t references = 0;
    Key key;
    std::unique_ptr<Value> value;
  };

  std::vector<Entry> entries_{1};
  std::vector<Index> free_;
  absl::flat_hash_map<Key, Index> index_of_;
};

}  // namespace sluice::session

#endif  // SLUICE_DATAPATH_SESSION_INTERN_TABLE_H_
