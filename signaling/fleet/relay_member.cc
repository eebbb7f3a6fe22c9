#include "signaling/fleet/relay_member.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::fleet {

using relay::v1::SessionState;

namespace {

// A connection that has held for so long was a success: the next loss is tried again at once.
constexpr absl::Duration kSettled = absl::Seconds(1);
// Resume token of no run of a relay: it tells all events that it has.
constexpr char kFirstEvent[] = "none.0";

}  // namespace

RelayMember::RelayMember(size_t index, std::string name, std::string address, CallHome home, ConnectionOptions options,
                         Owner* owner)
    : index_(index),
      name_(std::move(name)),
      address_(std::move(address)),
      home_(std::move(home)),
      options_(std::move(options)),
      owner_(owner) {
  info_.name = name_;
  info_.address = address_;
  info_.health = health_;
  info_.text = text_;
  info_.since = absl::Now();
}

void RelayMember::Stop() {
  stopped_ = true;
  home_.loop.Cancel(connect_timer_);
  home_.loop.Cancel(settled_timer_);
  if (connection_ != nullptr) connection_->Close();
  connection_.reset();
  ready_ = false;
}

void RelayMember::Connect() {
  connection_ =
      std::make_shared<RelayConnection>(home_, address_, options_, static_cast<RelayConnection::Owner*>(this));
  connection_->Start();
}

std::string RelayMember::OnReached(const relay::v1::Relay& relay) {
  const bool restarted = !instance_id_.empty() && instance_id_ != relay.instance_id();
  if (restarted) {
    // Kept until the fleet has been told, also if the connection is lost before that.
    restarted_ = true;
    spdlog::warn("fleet: relay {} has restarted", name_);
    resume_token_.clear();
  }
  instance_id_ = relay.instance_id();
  session_capacity_ = relay.session_capacity();
  Change([&](RelayInfo& info) {
    info.instance_id = relay.instance_id();
    info.session_capacity = relay.session_capacity();
    if (restarted) ++info.restarts;
  });
  return resume_token_;
}

void RelayMember::OnReady(std::vector<SessionState> held) {
  ready_ = true;
  reported_sessions_ = held.size();
  placed_ = 0;
  settled_timer_ = home_.loop.After(kSettled, [this] { backoff_.Reset(); });
  owner_->OnReady(index_, restarted_, std::move(held));
  restarted_ = false;
  Judge();
}

void RelayMember::OnAdmission(RelayConnection::Admission admission) {
  admission_ = admission;
  Judge();
}

void RelayMember::OnStatistics(const relay::v1::RelayStatistics& statistics) {
  reported_sessions_ = statistics.sessions();
  busy_share_ = statistics.busy_share();
  placed_ = 0;
  Change([&](RelayInfo& info) { info.reported_sessions = statistics.sessions(); });
}

void RelayMember::OnEvents(const relay::v1::WatchEventsResponse& events) {
  const bool is_past = resume_token_ == kFirstEvent;
  if (!events.resume_token().empty()) resume_token_ = events.resume_token();
  // What it does not know any more of the past is so old that an earlier run was told.
  if (events.missed() != 0 && !is_past) {
    spdlog::warn("fleet: relay {} could not tell {} events", name_, events.missed());
    Change([&](RelayInfo& info) { info.missed_events += events.missed(); });
  }
  for (const relay::v1::Event& event : events.events()) owner_->OnEvent(index_, event);
}

void RelayMember::OnLost(const absl::Status& reason, bool forget_token) {
  const bool was_ready = std::exchange(ready_, false);
  // The connection may still be running its last functions: it is let go after them.
  home_.loop.Post([connection = std::move(connection_)] {});
  home_.loop.Cancel(settled_timer_);
  admission_ = RelayConnection::Admission::kUnknown;
  restoring_ = 0;
  if (forget_token) resume_token_.clear();
  const bool at_once = was_ready && backoff_.fresh();
  SetHealth(was_ready ? RelayHealth::kConnecting : RelayHealth::kDown, std::string(reason.message()));
  const absl::Duration wait = backoff_.Next(absl::Uniform(random_, 0.0, 1.0));
  connect_timer_ = home_.loop.After(at_once ? absl::ZeroDuration() : wait, [this] { Connect(); });
}

void RelayMember::HearThePast() {
  if (resume_token_.empty()) resume_token_ = kFirstEvent;
}

void RelayMember::SetRestoring(uint64_t sessions) {
  restoring_ = sessions;
  Judge();
}

void RelayMember::Judge() {
  if (!ready_) return;
  if (restoring_ != 0) {
    SetHealth(RelayHealth::kConnecting, "gets its sessions back");
  } else if (admission_ == RelayConnection::Admission::kServing) {
    SetHealth(RelayHealth::kHealthy, "");
  } else if (admission_ == RelayConnection::Admission::kNotServing) {
    SetHealth(RelayHealth::kDraining, "drains");
  } else {
    SetHealth(RelayHealth::kConnecting, "has not told yet whether it takes sessions");
  }
}

void RelayMember::SetHealth(RelayHealth health, std::string text) {
  if (stopped_) return;
  const bool changed = health != health_;
  health_ = health;
  text_ = std::move(text);
  Change([&](RelayInfo& info) {
    if (changed) info.since = absl::Now();
    info.health = health;
    info.text = text_;
  });
  if (!changed) return;
  switch (health) {
    case RelayHealth::kHealthy:
      spdlog::info("fleet: relay {} is healthy ({})", name_, address_);
      break;
    case RelayHealth::kDraining:
      spdlog::info("fleet: relay {} drains", name_);
      break;
    case RelayHealth::kDown:
      spdlog::warn("fleet: relay {} is down ({}): {}", name_, address_, text_);
      break;
    default:
      spdlog::info("fleet: relay {} {}", name_, text_);
  }
  owner_->OnHealth(index_);
}

void RelayMember::Write(relay::v1::SessionWrite write, RelayConnection::WriteDone done) {
  Change([](RelayInfo& info) { ++info.writes; });
  connection_->Write(std::move(write), [this, done = std::move(done)](absl::StatusOr<SessionState> state) {
    if (!state.ok()) Change([](RelayInfo& info) { ++info.failed_writes; });
    done(std::move(state));
  });
}

void RelayMember::Get(const std::string& session_id, absl::Duration timeout, RelayConnection::WriteDone done) {
  connection_->Get(session_id, timeout, std::move(done));
}

Candidate RelayMember::AsCandidate(uint64_t wanted) const {
  Candidate candidate;
  candidate.health = health_;
  candidate.sessions = std::max(reported_sessions_ + placed_, wanted);
  candidate.session_capacity = session_capacity_;
  candidate.busy_share = busy_share_;
  return candidate;
}

void RelayMember::Change(const std::function<void(RelayInfo&)>& change) {
  absl::MutexLock lock(&info_mutex_);
  change(info_);
}

RelayInfo RelayMember::Info() const {
  absl::MutexLock lock(&info_mutex_);
  return info_;
}

std::string RelayMember::Describe() const {
  switch (health_) {
    case RelayHealth::kHealthy:
      return absl::StrCat(name_, " is healthy");
    case RelayHealth::kDraining:
      return absl::StrCat(name_, " drains");
    case RelayHealth::kDown:
      return absl::StrCat(name_, " is down (", text_, ")");
    default:
      return absl::StrCat(name_, " is being connected (", text_, ")");
  }
}

}  // namespace sluice::fleet
