#include "signaling/agent/failure_table.h"

#include <utility>

namespace sluice::agent {

uint32_t FailureTable::Add(std::string name, absl::Time now) {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    Failures& failures = found->second->failures;
    if (now - failures.last > memory_) failures.count = 0;
    failures.last = now;
    entries_.splice(entries_.begin(), entries_, found->second);
    return ++failures.count;
  }
  if (entries_.size() >= capacity_) {
    by_name_.erase(entries_.back().name);
    entries_.pop_back();
  }
  entries_.push_front({std::move(name), {1, now}});
  by_name_.emplace(entries_.front().name, entries_.begin());
  return 1;
}

FailureTable::Failures FailureTable::Find(absl::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? Failures() : found->second->failures;
}

void FailureTable::Forget(absl::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  const auto entry = found->second;
  by_name_.erase(found);
  entries_.erase(entry);
}

}  // namespace sluice::agent
