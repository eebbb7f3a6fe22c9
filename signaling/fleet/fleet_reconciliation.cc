// The part of FleetCore that brings a relay and the book together whenever the relay is reached or lost.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "signaling/fleet/fleet_core.h"

namespace sluice::fleet {

using relay::v1::Session;
using relay::v1::SessionState;
using relay::v1::SessionWrite;

void FleetCore::OnReady(size_t relay, bool restarted, std::vector<SessionState> held) {
  if (restarted) book_.BeginLife(relay);
  // One that restarted has forgotten them.
  for (const auto& [writer, epoch] : fences_) relays_[relay]->Fence(writer, epoch);
  const Difference difference = book_.Compare(relay, held);
  if (!difference.restore.empty() || !difference.lost.empty() || !difference.end.empty() ||
      !difference.orphans.empty()) {
    spdlog::info("fleet: relay {} holds {} sessions: {} to give back, {} lost, {} to end, {} that nobody wants",
                 relays_[relay]->name(), held.size(), difference.restore.size(), difference.lost.size(),
                 difference.end.size(), difference.orphans.size());
  }

  absl::flat_hash_set<std::string> there;
  for (const SessionState& state : held) there.insert(state.session_id());
  restoring_[relay] = difference.restore.size();
  relays_[relay]->SetRestoring(restoring_[relay]);
  for (const std::string& id : difference.restore) Restore(relay, id, !there.contains(id));
  for (const std::string& id : difference.lost) Lose(relay, id, absl::NotFoundError("the relay has ended it"));

  auto waiting = std::exchange(waiting_deletes_[relay], {});
  for (const std::string& id : difference.end) {
    const auto owed = waiting.find(id);
    WriteDelete(relay, id, owed == waiting.end() ? nullptr : owed->second);
    if (owed != waiting.end()) waiting.erase(owed);
  }
  for (const auto& [id, owed] : waiting) {
    owed->Give(absl::UnavailableError(
        absl::StrCat("relay ", relays_[relay]->name(), " does not hold it any more: its statistics are lost")));
  }

  book_.NoteOrphans(relay, difference.orphans, absl::Now());
  WatchOrphans(relay);
}

void FleetCore::OnHealth(size_t relay) {
  if (relays_[relay]->health() == RelayHealth::kDown) {
    const absl::Status down = Unreachable(relay);
    for (const auto& [id, owed] : std::exchange(waiting_deletes_[relay], {})) owed->Give(down);
    std::vector<std::string> updated;
    for (const auto& [id, owed] : waiting_updates_) {
      if (book_.Contains(id) && book_.RelayOf(id) == relay) updated.push_back(id);
    }
    for (const std::string& id : updated) AnswerWaitingUpdates(id, down);
  }
  // Creations wait for a relay that is being connected: now there is one, or one less to wait for.
  std::vector<std::string> waiting;
  for (const auto& [id, creation] : creations_) {
    if (!creation->asked) waiting.push_back(id);
  }
  for (const std::string& id : waiting) {
    if (creations_.contains(id)) Place(id);
  }
}

void FleetCore::Restore(size_t relay, const std::string& session_id, bool missing) {
  SessionWrite write;
  *write.mutable_update() = book_.Wanted(session_id);
  write.set_allow_missing(true);
  relays_[relay]->Write(write, [this, relay, session = write.update(), missing](StateOr state) {
    OnRestored(relay, session, missing, std::move(state));
  });
}

void FleetCore::OnRestored(size_t relay, const Session& session, bool missing, StateOr state) {
  const std::string& id = session.session_id();
  if (!state.ok() && IsLost(state.status())) return;
  if (!book_.Contains(id)) {
    // Deleted meanwhile.
    CountDownRestoring(relay);
    return;
  }
  if (state.ok()) {
    book_.Confirm(session, *state);
    if (missing) relays_[relay]->CountRestored();
    AnswerWaitingUpdates(id, state);
  } else if (book_.DropNext(session)) {
    // The relay refuses the update that was waiting: the session stays as it was, which a restarted relay does not
    // know.
    AnswerWaitingUpdates(id, state);
    if (missing) {
      Restore(relay, id, missing);
      return;
    }
  } else {
    Lose(relay, id, state.status());
  }
  CountDownRestoring(relay);
}

void FleetCore::CountDownRestoring(size_t relay) {
  if (restoring_[relay] == 0) return;
  relays_[relay]->SetRestoring(--restoring_[relay]);
}

void FleetCore::Lose(size_t relay, const std::string& session_id, const absl::Status& reason) {
  spdlog::warn("fleet: relay {} has lost session {}: {}", relays_[relay]->name(), session_id, reason.ToString());
  Forget(session_id);
  AnswerWaitingUpdates(session_id, absl::NotFoundError(absl::StrCat("session_id: ", reason.message())));
  absl::MutexLock lock(&listener_mutex_);
  if (listener_ != nullptr) listener_->OnSessionLost(relays_[relay]->name(), session_id, reason);
}

void FleetCore::WatchOrphans(size_t relay) {
  home_.loop.Cancel(orphan_timers_[relay]);
  if (!relays_[relay]->ready()) return;
  for (const std::string& id : book_.TakeExpiredOrphans(relay, absl::Now(), options_.orphan_grace)) {
    spdlog::info("fleet: ends session {} at relay {}: nobody wants it", id, relays_[relay]->name());
    EndAt(relay, id, nullptr);
  }
  const absl::Time oldest = book_.OldestOrphan(relay);
  if (oldest == absl::InfiniteFuture()) return;
  const absl::Duration wait = oldest + options_.orphan_grace - absl::Now();
  orphan_timers_[relay] =
      home_.loop.After(std::max(wait, absl::Milliseconds(1)), [this, relay] { WatchOrphans(relay); });
}

}  // namespace sluice::fleet
