#include "signaling/agent/call_limiter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sluice::agent {

std::string CallLimiter::AccountKey(absl::string_view name) { return absl::StrCat("account:", name); }
std::string CallLimiter::TrunkKey(absl::string_view name) { return absl::StrCat("trunk:", name); }

void CallLimiter::Place::Leave() {
  if (limiter_ != nullptr) std::exchange(limiter_, nullptr)->Leave(key_);
}

CallLimiter::Verdict CallLimiter::Take(const std::string& key, const routing::CallLimits& limits, absl::Time now,
                                       Place& place) {
  // Before the lock, which giving it up takes too.
  place = Place();
  absl::MutexLock lock(&mutex_);
  Entry& entry = entries_[key];
  if (limits.calls != 0 && entry.usage.calls >= limits.calls) {
    ++entry.usage.refused;
    return Verdict::kTooMany;
  }
  if (limits.calls_per_second != 0) {
    const absl::Duration interval = absl::Seconds(1) / limits.calls_per_second;
    if (entry.next > now + absl::Seconds(1) - interval) {
      ++entry.usage.refused;
      return Verdict::kTooFast;
    }
    entry.next = std::max(entry.next, now) + interval;
  }
  ++entry.usage.calls;
  place = Place(*this, key);
  return Verdict::kTaken;
}

CallLimiter::Place CallLimiter::TakeAgain(const std::string& key) {
  if (key.empty()) return Place();
  absl::MutexLock lock(&mutex_);
  ++entries_[key].usage.calls;
  return Place(*this, key);
}

CallLimiter::Usage CallLimiter::UsageOf(const std::string& key) const {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? Usage() : found->second.usage;
}

void CallLimiter::Leave(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  --entries_[key].usage.calls;
}

}  // namespace sluice::agent
