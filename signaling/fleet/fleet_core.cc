#include "signaling/fleet/fleet_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sluice::fleet {

using relay::v1::Session;
using relay::v1::SessionState;
using relay::v1::SessionWrite;

namespace {

// Others delete their silent sessions; what is more than that is not worth the memory.
constexpr size_t kMostSilent = 10000;

SessionState UnknownSession(const std::string& session_id) {
  SessionState state;
  state.set_session_id(session_id);
  return state;
}

absl::Status NoSuchSession(const std::string& session_id) {
  return absl::NotFoundError(absl::StrCat("session_id: no relay has session ", session_id));
}

}  // namespace

FleetCore::FleetCore(const FleetOptions& options, CallHome home)
    : options_(options),
      home_(std::move(home)),
      restoring_(options.relays.size()),
      orphan_timers_(options.relays.size()),
      book_(options.relays.size(), options.writer),
      waiting_deletes_(options.relays.size()),
      owed_(home_.loop) {
  ConnectionOptions connection;
  connection.writer.set_shard(options_.writer);
  connection.writer.set_epoch(options_.epoch);
  connection.connect_timeout = options_.connect_timeout;
  connection.heartbeat = options_.heartbeat;
  connection.silence_limit = options_.silence_limit;
  for (size_t i = 0; i < options_.relays.size(); ++i) {
    relays_.push_back(std::make_unique<RelayMember>(i, options_.relays[i].name, options_.relays[i].address, home_,
                                                    connection, static_cast<RelayMember::Owner*>(this)));
  }
}

void FleetCore::Start() {
  for (const std::unique_ptr<RelayMember>& relay : relays_) {
    if (options_.adopts_late) relay->HearThePast();
    relay->Start();
  }
}

void FleetCore::Stop() {
  for (const std::unique_ptr<RelayMember>& relay : relays_) relay->Stop();
  const absl::Status stopped = absl::CancelledError("the fleet has stopped");
  owed_.GiveAll(stopped);
  std::vector<std::string> creating;
  for (const auto& [id, creation] : creations_) creating.push_back(id);
  for (const std::string& id : creating) EndCreation(id, stopped);
}

void FleetCore::Create(Session session, Fleet::PlacedCallback done) {
  const std::string id = session.session_id();
  if (book_.Contains(id) || creations_.contains(id)) {
    done(absl::AlreadyExistsError(absl::StrCat("session_id: ", id, " is there already")));
    return;
  }
  auto creation = std::make_unique<Creation>();
  creation->session = std::move(session);
  creation->done = std::move(done);
  creation->tried.resize(relays_.size());
  creation->deadline = home_.loop.After(options_.deadline, [this, id] { OnCreationLate(id); });
  creations_[id] = std::move(creation);
  Place(id);
}

std::vector<Candidate> FleetCore::Candidates(const Creation& creation) const {
  std::vector<Candidate> candidates;
  candidates.reserve(relays_.size());
  for (size_t i = 0; i < relays_.size(); ++i) {
    candidates.push_back(relays_[i]->AsCandidate(book_.CountOn(i)));
    candidates.back().tried = creation.tried[i];
  }
  return candidates;
}

absl::Status FleetCore::NoRelay(const Creation& creation) const {
  if (!creation.refusal.ok()) return creation.refusal;
  std::vector<std::string> reasons;
  bool full = false;
  for (const std::unique_ptr<RelayMember>& relay : relays_) {
    if (relay->health() == RelayHealth::kHealthy) {
      full = true;
      reasons.push_back(absl::StrCat(relay->name(), " is full"));
    } else {
      reasons.push_back(relay->Describe());
    }
  }
  const std::string text =
      absl::StrCat("no relay takes calls: ", relays_.empty() ? "none is configured" : absl::StrJoin(reasons, ", "));
  return full ? absl::ResourceExhaustedError(text) : absl::UnavailableError(text);
}

void FleetCore::Place(const std::string& session_id) {
  Creation& creation = *creations_.at(session_id);
  const std::optional<size_t> chosen = ChooseRelay(Candidates(creation));
  if (!chosen) {
    if (creation.asked) return;
    for (size_t i = 0; i < relays_.size(); ++i) {
      // It may be back in a moment; OnHealth places again.
      if (!creation.tried[i] && relays_[i]->health() == RelayHealth::kConnecting) return;
    }
    TakeBack(session_id, creation, std::nullopt);
    EndCreation(session_id, NoRelay(creation));
    return;
  }
  home_.loop.Cancel(creation.attempt_timer);
  TakeBack(session_id, creation, chosen);
  creation.asked = chosen;
  creation.tried[*chosen] = true;
  creation.attempt = next_attempt_++;
  creation.attempt_timer =
      home_.loop.After(options_.attempt_timeout, [this, session_id] { OnAttemptLate(session_id); });
  relays_[*chosen]->CountPlaced();
  SessionWrite write;
  *write.mutable_create() = creation.session;
  relays_[*chosen]->Write(std::move(write),
                          [this, session_id, relay = *chosen, attempt = creation.attempt](StateOr state) {
                            OnAttemptAnswered(session_id, relay, attempt, std::move(state));
                          });
}

void FleetCore::OnAttemptAnswered(const std::string& session_id, size_t relay, uint64_t attempt, StateOr state) {
  const auto found = creations_.find(session_id);
  if (found == creations_.end() || found->second->attempt != attempt) return;
  Creation& creation = *found->second;
  home_.loop.Cancel(creation.attempt_timer);
  if (state.ok()) {
    Keep(relay, std::move(creation.session), *state);
    EndCreation(session_id, PlacedSession{relays_[relay]->name(), *std::move(state)});
  } else if (IsLost(state.status())) {
    // Asked again when it is back, unless another one takes it.
    creation.tried[relay] = false;
    creation.unsure.push_back(relay);
    creation.asked.reset();
    Place(session_id);
  } else if (absl::IsResourceExhausted(state.status())) {
    creation.asked.reset();
    creation.refusal = state.status();
    Place(session_id);
  } else {
    creation.asked.reset();
    TakeBack(session_id, creation, std::nullopt);
    EndCreation(session_id, state.status());
  }
}

void FleetCore::TakeBack(const std::string& session_id, Creation& creation, std::optional<size_t> kept) {
  if (creation.asked) creation.unsure.push_back(*creation.asked);
  creation.asked.reset();
  for (const size_t relay : std::exchange(creation.unsure, {})) {
    if (relay == kept) continue;
    // The relay keeps a tombstone and would not make it again.
    creation.tried[relay] = true;
    EndAt(relay, session_id, nullptr);
  }
}

void FleetCore::OnAttemptLate(const std::string& session_id) {
  if (creations_.contains(session_id)) Place(session_id);
}

void FleetCore::OnCreationLate(const std::string& session_id) {
  const auto found = creations_.find(session_id);
  if (found == creations_.end()) return;
  const std::optional<size_t> asked = found->second->asked;
  TakeBack(session_id, *found->second, std::nullopt);
  const absl::Status status =
      asked ? absl::DeadlineExceededError(absl::StrCat(relays_[*asked]->name(), " has not answered within ",
                                                       absl::FormatDuration(options_.deadline)))
            : NoRelay(*found->second);
  EndCreation(session_id, status);
}

void FleetCore::EndCreation(const std::string& session_id, absl::StatusOr<PlacedSession> answer) {
  const auto found = creations_.find(session_id);
  const std::unique_ptr<Creation> creation = std::move(found->second);
  creations_.erase(found);
  home_.loop.Cancel(creation->deadline);
  home_.loop.Cancel(creation->attempt_timer);
  creation->done(std::move(answer));
}

void FleetCore::Keep(size_t relay, Session session, const SessionState& state) {
  book_.Add(relay, std::move(session), state);
  relays_[relay]->SetSessions(book_.CountOn(relay));
}

void FleetCore::Forget(const std::string& session_id) {
  if (!book_.Contains(session_id)) return;
  const size_t relay = book_.RelayOf(session_id);
  book_.Forget(session_id);
  relays_[relay]->SetSessions(book_.CountOn(relay));
}

absl::Status FleetCore::Unreachable(size_t relay) const {
  return absl::UnavailableError(absl::StrCat("relay ", relays_[relay]->Describe()));
}

void FleetCore::Update(Session session, Fleet::StateCallback done) {
  const std::string id = session.session_id();
  if (!book_.Contains(id)) {
    done(NoSuchSession(id));
    return;
  }
  const size_t relay = book_.RelayOf(id);
  session = book_.SetNext(std::move(session));
  OwedAnswer owed = Owe(std::move(done));
  if (relays_[relay]->ready()) {
    WriteUpdate(std::move(session), std::move(owed));
  } else if (relays_[relay]->health() == RelayHealth::kDown) {
    owed->Give(Unreachable(relay));
  } else {
    waiting_updates_[id].push_back(std::move(owed));
  }
}

void FleetCore::WriteUpdate(Session session, OwedAnswer owed) {
  const size_t relay = book_.RelayOf(session.session_id());
  SessionWrite write;
  *write.mutable_update() = session;
  relays_[relay]->Write(std::move(write),
                        [this, session = std::move(session), owed = std::move(owed)](StateOr state) mutable {
                          OnUpdateAnswered(std::move(session), owed, std::move(state));
                        });
}

void FleetCore::OnUpdateAnswered(Session session, const OwedAnswer& owed, StateOr state) {
  const std::string& id = session.session_id();
  if (state.ok()) {
    book_.Confirm(std::move(session), *state);
    owed->Give(std::move(state));
  } else if (!book_.Contains(id)) {
    owed->Give(NoSuchSession(id));
  } else if (IsLost(state.status())) {
    waiting_updates_[id].push_back(owed);
  } else {
    if (absl::IsNotFound(state.status())) {
      Forget(id);
    } else {
      book_.DropNext(session);
    }
    owed->Give(std::move(state));
  }
}

void FleetCore::AnswerWaitingUpdates(const std::string& session_id, const StateOr& state) {
  const auto found = waiting_updates_.find(session_id);
  if (found == waiting_updates_.end()) return;
  const std::vector<OwedAnswer> waiting = std::move(found->second);
  waiting_updates_.erase(found);
  for (const OwedAnswer& owed : waiting) owed->Give(state);
}

void FleetCore::Delete(const std::string& session_id, Fleet::StateCallback done) {
  if (const auto found = creations_.find(session_id); found != creations_.end()) {
    // The one that is asked now is ended by a delete that the caller hears of.
    const std::optional<size_t> asked = std::exchange(found->second->asked, std::nullopt);
    TakeBack(session_id, *found->second, std::nullopt);
    EndCreation(session_id, absl::CancelledError("deleted before it was made"));
    if (asked) {
      EndAt(*asked, session_id, Owe(std::move(done)));
    } else {
      done(UnknownSession(session_id));
    }
    return;
  }
  if (!book_.Contains(session_id)) {
    done(UnknownSession(session_id));
    return;
  }
  const size_t relay = book_.RelayOf(session_id);
  Forget(session_id);
  AnswerWaitingUpdates(session_id, NoSuchSession(session_id));
  EndAt(relay, session_id, Owe(std::move(done)));
}

void FleetCore::Adopt(size_t relay, const Session& session, const SessionState& state) {
  const std::string& id = session.session_id();
  if (book_.Contains(id) || creations_.contains(id)) return;
  book_.Adopt(relay, session, state);
  relays_[relay]->SetSessions(book_.CountOn(relay));
  relays_[relay]->HearThePast();
  // Reached already: what it holds was compared without this one.
  if (relays_[relay]->ready()) Restore(relay, id, false);
  if (const auto silent = silent_.extract(id); !silent.empty()) Tell(relay, silent.mapped());
}

void FleetCore::Fence(const std::string& writer, uint64_t epoch) {
  if (writer == options_.writer) return;
  uint64_t& fence = fences_[writer];
  fence = std::max(fence, epoch);
  for (const std::unique_ptr<RelayMember>& relay : relays_) {
    if (relay->ready()) relay->Fence(writer, fence);
  }
}

std::optional<size_t> FleetCore::IndexOf(const std::string& relay) const {
  for (size_t i = 0; i < relays_.size(); ++i) {
    if (relays_[i]->name() == relay) return i;
  }
  return std::nullopt;
}

void FleetCore::EndAt(size_t relay, const std::string& session_id, OwedAnswer owed) {
  book_.Doom(relay, session_id);
  if (relays_[relay]->ready()) {
    WriteDelete(relay, session_id, std::move(owed));
  } else if (owed != nullptr && relays_[relay]->health() == RelayHealth::kDown) {
    owed->Give(Unreachable(relay));
  } else if (owed != nullptr) {
    waiting_deletes_[relay][session_id] = std::move(owed);
  }
}

void FleetCore::WriteDelete(size_t relay, const std::string& session_id, OwedAnswer owed) {
  SessionWrite write;
  write.set_delete_(session_id);
  relays_[relay]->Write(std::move(write), [this, relay, session_id, owed = std::move(owed)](StateOr state) {
    if (!state.ok() && IsLost(state.status())) {
      if (owed != nullptr) waiting_deletes_[relay][session_id] = owed;
      return;
    }
    book_.Absolve(relay, session_id);
    if (state.ok()) state->set_session_id(session_id);
    if (owed != nullptr) owed->Give(std::move(state));
  });
}

void FleetCore::Get(const std::string& session_id, Fleet::StateCallback done) {
  if (!book_.Contains(session_id)) {
    done(NoSuchSession(session_id));
    return;
  }
  const size_t relay = book_.RelayOf(session_id);
  if (!relays_[relay]->ready()) {
    done(Unreachable(relay));
    return;
  }
  relays_[relay]->Get(session_id, options_.deadline,
                      [owed = Owe(std::move(done))](StateOr state) { owed->Give(std::move(state)); });
}

std::vector<RelayInfo> FleetCore::Infos() const {
  std::vector<RelayInfo> infos;
  for (const std::unique_ptr<RelayMember>& relay : relays_) infos.push_back(relay->Info());
  return infos;
}

void FleetCore::SetListener(FleetListener* listener) {
  absl::MutexLock lock(&listener_mutex_);
  listener_ = listener;
}

void FleetCore::OnEvent(size_t relay, const relay::v1::Event& event) {
  const std::string& id = event.session_id();
  const bool ours = book_.Contains(id) ? book_.RelayOf(id) == relay : creations_.contains(id);
  if (ours) return Tell(relay, event);
  if (event.kind() == relay::v1::EVENT_KIND_SILENCE && silent_.size() < kMostSilent) silent_[id] = event;
  if (event.kind() == relay::v1::EVENT_KIND_SESSION_DELETED) silent_.erase(id);
}

void FleetCore::Tell(size_t relay, const relay::v1::Event& event) {
  absl::MutexLock lock(&listener_mutex_);
  if (listener_ != nullptr) listener_->OnSessionEvent(relays_[relay]->name(), event);
}

}  // namespace sluice::fleet
