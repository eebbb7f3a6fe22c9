#include "signaling/agent/failure_limiter.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::agent {
namespace {

// No address and no account name has a blank in it.
std::string Key(absl::string_view address, absl::string_view account) { return absl::StrCat(address, " ", account); }

}  // namespace

bool FailureLimiter::Fail(absl::string_view address, absl::string_view account, absl::Time now) {
  std::string key = Key(address, account);
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    Entry& entry = *found->second;
    if (now - entry.last > window_) entry.failures = 0;
    entry.last = now;
    entries_.splice(entries_.begin(), entries_, found->second);
    return ++entry.failures >= tries_;
  }
  if (entries_.size() >= capacity_) {
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({std::move(key), 1, now});
  by_key_.emplace(entries_.front().key, entries_.begin());
  return tries_ <= 1;
}

void FailureLimiter::Succeed(absl::string_view address, absl::string_view account) {
  if (entries_.empty()) return;
  const auto found = by_key_.find(Key(address, account));
  if (found == by_key_.end()) return;
  const auto entry = found->second;
  by_key_.erase(found);
  entries_.erase(entry);
}

}  // namespace sluice::agent
