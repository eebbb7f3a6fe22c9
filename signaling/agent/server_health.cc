#include "signaling/agent/server_health.h"

#include <algorithm>
#include <optional>

namespace sluice::agent {
namespace {

constexpr absl::Duration kFirstPause = absl::Seconds(5);
constexpr absl::Duration kLongestPause = absl::Minutes(5);
constexpr absl::Duration kLongestRest = absl::Hours(1);
// Longer than Timer F (32 s), after which a probe has failed.
constexpr absl::Duration kProbeLimit = absl::Seconds(40);

}  // namespace

void ServerHealth::Failed(const TriedServer& server, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  const auto [entry, is_new] = marks_.try_emplace(server, Mark{kFirstPause, now + kFirstPause});
  if (is_new) return;
  Mark& mark = entry->second;
  // What began before it was marked fails too, and says nothing new.
  if (!mark.probing) return;
  mark.probing = false;
  mark.pause = std::min(mark.pause * 2, kLongestPause);
  mark.next_probe = now + mark.pause;
}

void ServerHealth::Rests(const TriedServer& server, absl::Duration rest, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  Mark& mark = marks_.try_emplace(server, Mark{kFirstPause, now}).first->second;
  mark.rests_until = now + std::min(rest, kLongestRest);
  mark.next_probe = mark.rests_until;
  mark.probing = false;
}

void ServerHealth::Worked(const TriedServer& server, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  const auto known = marks_.find(server);
  if (known != marks_.end() && now >= known->second.rests_until) marks_.erase(known);
}

void ServerHealth::Heard(const TriedServer& server, const sip::Message& response, absl::Time now) {
  const std::optional<sip::RetryAfter> retry = response.RetryAfter();
  // A 503 that does not say for how long is about this request alone (RFC 3261 21.5.4).
  if (response.status() == 503 && retry.has_value()) {
    Rests(server, absl::Seconds(retry->seconds), now);
  } else {
    Worked(server, now);
  }
}

void ServerHealth::Forget(const TriedServer& server) {
  absl::MutexLock lock(&mutex_);
  marks_.erase(server);
}

bool ServerHealth::IsDown(const TriedServer& server) const {
  absl::MutexLock lock(&mutex_);
  return marks_.contains(server);
}

std::vector<TriedServer> ServerHealth::TakeDue(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  std::vector<TriedServer> due;
  for (auto& [server, mark] : marks_) {
    if (mark.next_probe > now) continue;
    mark.probing = true;
    mark.next_probe = now + kProbeLimit;
    due.push_back(server);
  }
  return due;
}

absl::Time ServerHealth::NextDue() const {
  absl::MutexLock lock(&mutex_);
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [server, mark] : marks_) next = std::min(next, mark.next_probe);
  return next;
}

}  // namespace sluice::agent
