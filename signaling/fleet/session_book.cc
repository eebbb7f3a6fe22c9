#include "signaling/fleet/session_book.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace sluice::fleet {

using relay::v1::Endpoint;
using relay::v1::Session;
using relay::v1::SessionState;
using relay::v1::Stream;
using relay::v1::StreamState;

namespace {

// No relay starts as often.
constexpr uint32_t kUnknownLife = std::numeric_limits<uint32_t>::max();

bool IsSame(const Endpoint& a, const Endpoint& b) { return a.port() == b.port() && a.address() == b.address(); }

Session Parse(const std::string& serialised) {
  Session session;
  session.ParseFromString(serialised);
  return session;
}

// Ports of streams that `known` and `session` share go into `session`.
void CopyPorts(const Session& known, Session& session) {
  for (Stream& stream : *session.mutable_streams()) {
    for (const Stream& old : known.streams()) {
      if (old.stream_id() != stream.stream_id()) continue;
      for (int leg = 0; leg < std::min(old.legs_size(), stream.legs_size()); ++leg) {
        if (!stream.legs(leg).has_requested_local() && old.legs(leg).has_requested_local()) {
          *stream.mutable_legs(leg)->mutable_requested_local() = old.legs(leg).requested_local();
        }
      }
    }
  }
}

}  // namespace

bool RequestKnownPorts(const SessionState& state, Session& session) {
  bool asks_more = false;
  for (Stream& stream : *session.mutable_streams()) {
    for (const StreamState& known : state.streams()) {
      if (known.stream_id() != stream.stream_id()) continue;
      for (int leg = 0; leg < std::min(known.legs_size(), stream.legs_size()); ++leg) {
        const Endpoint& local = known.legs(leg).local();
        if (!known.legs(leg).has_local() || IsSame(local, stream.legs(leg).requested_local())) continue;
        *stream.mutable_legs(leg)->mutable_requested_local() = local;
        asks_more = true;
      }
    }
  }
  return asks_more;
}

void SessionBook::Add(size_t relay, Session session, const SessionState& state) {
  RequestKnownPorts(state, session);
  Entry& entry = sessions_[session.session_id()];
  entry.relay = relay;
  entry.life = relays_[relay].life;
  entry.confirmed = session.SerializeAsString();
  ++relays_[relay].sessions;
}

void SessionBook::Adopt(size_t relay, Session session, const SessionState& state) {
  const std::string id = session.session_id();
  Add(relay, std::move(session), state);
  sessions_.at(id).life = kUnknownLife;
}

Session SessionBook::SetNext(Session session) {
  Entry& entry = sessions_.at(session.session_id());
  CopyPorts(Parse(entry.confirmed), session);
  entry.next = session.SerializeAsString();
  return session;
}

void SessionBook::Confirm(Session session, const SessionState& state) {
  const auto found = sessions_.find(session.session_id());
  if (found == sessions_.end()) return;
  Entry& entry = found->second;
  // A newer update may be on its way; it stays wanted.
  std::string confirmed = session.SerializeAsString();
  if (entry.next == confirmed) entry.next = std::string();
  if (RequestKnownPorts(state, session)) confirmed = session.SerializeAsString();
  entry.confirmed = std::move(confirmed);
  entry.life = relays_[entry.relay].life;
}

bool SessionBook::DropNext(const Session& session) {
  const auto found = sessions_.find(session.session_id());
  if (found == sessions_.end() || found->second.next != session.SerializeAsString()) return false;
  found->second.next = std::string();
  return true;
}

Session SessionBook::Wanted(const std::string& session_id) const {
  const Entry& entry = sessions_.at(session_id);
  return Parse(entry.next.empty() ? entry.confirmed : entry.next);
}

void SessionBook::Forget(const std::string& session_id) {
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end()) return;
  --relays_[found->second.relay].sessions;
  sessions_.erase(found);
}

Difference SessionBook::Compare(size_t relay, absl::Span<const SessionState> held) {
  RelayPage& page = relays_[relay];
  Difference difference;
  absl::flat_hash_set<std::string> there;
  there.reserve(held.size());
  absl::flat_hash_set<std::string> doomed;
  absl::flat_hash_set<std::string> others;
  for (const SessionState& state : held) {
    const std::string& id = state.session_id();
    there.insert(id);
    const auto found = sessions_.find(id);
    if (found != sessions_.end() && found->second.relay == relay) {
      if (found->second.life == kUnknownLife && state.shard() != writer_) others.insert(id);
      found->second.life = page.life;
      continue;
    }
    if (page.doomed.contains(id)) {
      doomed.insert(id);
      difference.end.push_back(id);
    } else if (state.shard() == writer_) {
      difference.orphans.push_back(id);
    }
  }
  page.doomed = std::move(doomed);
  for (const auto& [id, entry] : sessions_) {
    if (entry.relay != relay) continue;
    if (!there.contains(id)) {
      (entry.life == page.life ? difference.lost : difference.restore).push_back(id);
    } else if (!entry.next.empty() || others.contains(id)) {
      difference.restore.push_back(id);
    }
  }
  return difference;
}

void SessionBook::NoteOrphans(size_t relay, const std::vector<std::string>& orphans, absl::Time seen) {
  absl::flat_hash_map<std::string, absl::Time> noted;
  for (const std::string& id : orphans) {
    const auto known = relays_[relay].orphans.find(id);
    noted[id] = known == relays_[relay].orphans.end() ? seen : known->second;
  }
  relays_[relay].orphans = std::move(noted);
}

std::vector<std::string> SessionBook::TakeExpiredOrphans(size_t relay, absl::Time now, absl::Duration grace) {
  std::vector<std::string> expired;
  absl::erase_if(relays_[relay].orphans, [&](const auto& orphan) {
    // Somebody may want it by now: its create was on the way when it was seen.
    const auto wanted = sessions_.find(orphan.first);
    if (wanted != sessions_.end() && wanted->second.relay == relay) return true;
    if (now - orphan.second < grace) return false;
    expired.push_back(orphan.first);
    return true;
  });
  return expired;
}

absl::Time SessionBook::OldestOrphan(size_t relay) const {
  absl::Time oldest = absl::InfiniteFuture();
  for (const auto& [id, seen] : relays_[relay].orphans) oldest = std::min(oldest, seen);
  return oldest;
}

}  // namespace sluice::fleet
