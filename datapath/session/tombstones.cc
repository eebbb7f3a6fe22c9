#include "datapath/session/tombstones.h"

#include "absl/hash/hash.h"

namespace sluice::session {

void Tombstones::Add(absl::string_view session_id, absl::Time now) {
  Expire(now);
  const uint64_t hash = absl::Hash<absl::string_view>()(session_id);
  // A second delete of the same session does not lengthen the rest.
  if (!set_.insert(hash).second) return;
  queue_.push_back({absl::ToUnixNanos(now + kAge), hash});
}

bool Tombstones::Contains(absl::string_view session_id, absl::Time now) {
  Expire(now);
  return set_.contains(absl::Hash<absl::string_view>()(session_id));
}

void Tombstones::Expire(absl::Time now) {
  const int64_t nanoseconds = absl::ToUnixNanos(now);
  while (!queue_.empty() && (queue_.front().until <= nanoseconds || queue_.size() > kMax)) {
    set_.erase(queue_.front().hash);
    queue_.pop_front();
  }
}

}  // namespace sluice::session
