#include "signaling/fleet/fleet_fake.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace sluice::fleet {

using relay::v1::SessionState;

FakeFleet::FakeFleet(std::string relay, std::string address, Post post)
    : relay_(std::move(relay)), address_(std::move(address)), post_(std::move(post)) {}

absl::Status FakeFleet::Admit(Operation operation) {
  ++counts_[operation];
  std::vector<absl::Status>& failures = failures_[operation];
  if (!failures.empty()) {
    absl::Status status = failures.front();
    failures.erase(failures.begin());
    return status;
  }
  if (!reachable_) return absl::UnavailableError(absl::StrCat("relay ", relay_, " is down"));
  return absl::OkStatus();
}

void FakeFleet::WriteState(Entry& entry) {
  SessionState next;
  next.set_session_id(entry.session.session_id());
  next.set_label(entry.session.label());
  for (const relay::v1::Stream& stream : entry.session.streams()) {
    relay::v1::StreamState* state = next.add_streams();
    for (const relay::v1::StreamState& known : entry.state.streams()) {
      if (known.stream_id() == stream.stream_id()) *state = known;
    }
    state->set_stream_id(stream.stream_id());
    while (state->legs_size() < stream.legs_size()) {
      const relay::v1::Leg& leg = stream.legs(state->legs_size());
      uint32_t port = leg.requested_local().port();
      if (port == 0) {
        port = next_port_;
        next_port_ += 2;
      }
      relay::v1::LegState* leg_state = state->add_legs();
      leg_state->mutable_local()->set_address(address_);
      leg_state->mutable_local()->set_port(port);
      *leg_state->mutable_local_rtcp() = leg_state->local();
      leg_state->mutable_local_rtcp()->set_port(leg.rtcp_mode() == relay::v1::RTCP_MODE_MUX ? port : port + 1);
      *leg_state->mutable_advertised() = leg_state->local();
      *leg_state->mutable_advertised_rtcp() = leg_state->local_rtcp();
      leg_state->set_source_lock(relay::v1::SOURCE_LOCK_OPEN);
    }
  }
  entry.state = std::move(next);
}

void FakeFleet::Answer(std::function<void()> work) {
  {
    absl::MutexLock lock(&mutex_);
    if (hold_) {
      held_.push_back(std::move(work));
      return;
    }
  }
  post_(std::move(work));
}

void FakeFleet::CreateSession(relay::v1::Session session, PlacedCallback done) {
  absl::StatusOr<PlacedSession> answer = absl::UnknownError("");
  {
    absl::MutexLock lock(&mutex_);
    if (absl::Status status = Admit(Operation::kCreate); !status.ok()) {
      answer = status;
    } else if (sessions_.contains(session.session_id())) {
      answer = absl::AlreadyExistsError(absl::StrCat("session_id: ", session.session_id(), " exists"));
    } else {
      Entry& entry = sessions_[session.session_id()];
      entry.session = std::move(session);
      WriteState(entry);
      answer = PlacedSession{relay_, entry.state};
    }
  }
  Answer([done = std::move(done), answer = std::move(answer)] { done(answer); });
}

void FakeFleet::UpdateSession(relay::v1::Session session, StateCallback done) {
  absl::StatusOr<SessionState> answer = absl::UnknownError("");
  {
    absl::MutexLock lock(&mutex_);
    const auto found = sessions_.find(session.session_id());
    if (absl::Status status = Admit(Operation::kUpdate); !status.ok()) {
      answer = status;
    } else if (found == sessions_.end()) {
      answer = absl::NotFoundError(absl::StrCat("session_id: no session ", session.session_id()));
    } else {
      found->second.session = std::move(session);
      WriteState(found->second);
      answer = found->second.state;
    }
  }
  Answer([done = std::move(done), answer = std::move(answer)] { done(answer); });
}

void FakeFleet::DeleteSession(const std::string& session_id, StateCallback done) {
  absl::StatusOr<SessionState> answer = absl::UnknownError("");
  {
    absl::MutexLock lock(&mutex_);
    const auto found = sessions_.find(session_id);
    if (found == sessions_.end()) {
      SessionState unknown;
      unknown.set_session_id(session_id);
      answer = std::move(unknown);
    } else {
      answer = std::move(found->second.state);
      sessions_.erase(found);
    }
    if (absl::Status status = Admit(Operation::kDelete); !status.ok()) answer = status;
  }
  Answer([done = std::move(done), answer = std::move(answer)] { done(answer); });
}

absl::Status FakeFleet::AdoptSession(const std::string& relay, relay::v1::Session session, const SessionState& state) {
  absl::MutexLock lock(&mutex_);
  ++counts_[Operation::kAdopt];
  if (relay != relay_) return absl::NotFoundError(absl::StrCat("relay: none is called '", relay, "'"));
  const std::string id = session.session_id();
  sessions_.try_emplace(id, Entry{std::move(session), state});
  return absl::OkStatus();
}

void FakeFleet::Fence(const std::string& writer, uint64_t epoch) {
  absl::MutexLock lock(&mutex_);
  fences_.emplace_back(writer, epoch);
}

std::vector<std::pair<std::string, uint64_t>> FakeFleet::Fences() const {
  absl::MutexLock lock(&mutex_);
  return fences_;
}

void FakeFleet::GetSession(const std::string& session_id, StateCallback done) {
  absl::StatusOr<SessionState> answer = absl::UnknownError("");
  {
    absl::MutexLock lock(&mutex_);
    const auto found = sessions_.find(session_id);
    if (absl::Status status = Admit(Operation::kGet); !status.ok()) {
      answer = status;
    } else if (found == sessions_.end()) {
      answer = absl::NotFoundError(absl::StrCat("session_id: no session ", session_id));
    } else {
      answer = found->second.state;
    }
  }
  Answer([done = std::move(done), answer = std::move(answer)] { done(answer); });
}

std::vector<RelayInfo> FakeFleet::ListRelays() const {
  absl::MutexLock lock(&mutex_);
  RelayInfo info;
  info.name = relay_;
  info.address = "fake";
  info.health = reachable_ ? RelayHealth::kHealthy : RelayHealth::kDown;
  info.since = absl::UnixEpoch();
  info.text = reachable_ ? "" : "told to be unreachable";
  info.instance_id = "fake";
  info.sessions = sessions_.size();
  info.reported_sessions = sessions_.size();
  return {info};
}

void FakeFleet::SetListener(FleetListener* listener) {
  absl::MutexLock lock(&listener_mutex_);
  listener_ = listener;
}

void FakeFleet::FailNext(Operation operation, absl::Status status) {
  absl::MutexLock lock(&mutex_);
  failures_[operation].push_back(std::move(status));
}

void FakeFleet::SetReachable(bool reachable) {
  absl::MutexLock lock(&mutex_);
  reachable_ = reachable;
}

void FakeFleet::HoldAnswers(bool hold) {
  std::vector<std::function<void()>> released;
  {
    absl::MutexLock lock(&mutex_);
    hold_ = hold;
    if (!hold) released.swap(held_);
  }
  for (std::function<void()>& work : released) post_(std::move(work));
}

void FakeFleet::EmitEvent(const relay::v1::Event& event) {
  absl::MutexLock lock(&listener_mutex_);
  if (listener_ != nullptr) listener_->OnSessionEvent(relay_, event);
}

void FakeFleet::LoseSession(const std::string& session_id, const absl::Status& reason) {
  {
    absl::MutexLock lock(&mutex_);
    sessions_.erase(session_id);
  }
  absl::MutexLock lock(&listener_mutex_);
  if (listener_ != nullptr) listener_->OnSessionLost(relay_, session_id, reason);
}

void FakeFleet::SetReceived(const std::string& session_id, uint32_t stream_id, uint32_t leg,
                            const relay::v1::StreamStatistics& statistics) {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end()) return;
  for (relay::v1::StreamState& stream : *found->second.state.mutable_streams()) {
    if (stream.stream_id() != stream_id || leg >= static_cast<uint32_t>(stream.legs_size())) continue;
    *stream.mutable_legs(static_cast<int>(leg))->mutable_received() = statistics;
  }
}

std::map<std::string, relay::v1::Session> FakeFleet::Sessions() const {
  absl::MutexLock lock(&mutex_);
  std::map<std::string, relay::v1::Session> sessions;
  for (const auto& [id, entry] : sessions_) sessions[id] = entry.session;
  return sessions;
}

uint64_t FakeFleet::Count(Operation operation) const {
  absl::MutexLock lock(&mutex_);
  const auto found = counts_.find(operation);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace sluice::fleet
