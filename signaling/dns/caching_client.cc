#include "signaling/dns/caching_client.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace sluice::dns {

void CachingClient::Ask(const std::string& name, RecordType type, Callback done) {
  const Key key(absl::AsciiStrToLower(name), type);
  if (const auto known = entries_.find(key); known != entries_.end() && now_() < known->second.end) {
    // A copy: the callback may ask again, which may move the entry.
    const absl::StatusOr<Records> records = known->second.records;
    done(records);
    return;
  }
  std::vector<Callback>& waiting = waiting_[key];
  waiting.push_back(std::move(done));
  if (waiting.size() > 1) return;
  client_.Ask(key.first, type, [this, key](const absl::StatusOr<Records>& records) { Take(key, records); });
}

void CachingClient::Take(const Key& key, const absl::StatusOr<Records>& records) {
  Keep(key, records);
  const auto found = waiting_.find(key);
  const std::vector<Callback> waiting = std::move(found->second);
  waiting_.erase(found);
  for (const Callback& done : waiting) done(records);
}

void CachingClient::Keep(const Key& key, const absl::StatusOr<Records>& records) {
  const absl::Time now = now_();
  if (entries_.size() >= options_.max_entries) {
    absl::erase_if(entries_, [&](const auto& entry) { return entry.second.end <= now; });
    if (entries_.size() >= options_.max_entries) return;
  }
  const absl::Duration lifetime =
      records.ok() ? std::clamp(records->lifetime, options_.shortest, options_.longest) : options_.failure;
  entries_.insert_or_assign(key, Entry{records, now + lifetime});
}

}  // namespace sluice::dns
