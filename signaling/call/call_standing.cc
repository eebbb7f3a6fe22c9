#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "signaling/call/call_core.h"
#include "signaling/call/standing_state.h"
#include "signaling/call/standing_time.h"

namespace sluice::call {
namespace {

// Beyond any call of ours: a number that is damaged must not ask for memory.
constexpr LegNumber kMostKept = 1024;
// When peers hear that we have moved, or get a refresh that is overdue: all calls of a controller come at once, and are
// not to be refreshed at once.
constexpr absl::Duration kFirstNotice = absl::Seconds(1);
constexpr absl::Duration kNotices = absl::Seconds(5);

}  // namespace

bool Call::Core::IsQuiet() const {
  if (end_ || invite_ || exchange_ || transfer_ != nullptr || late_offer_ || media_asked_ || after_media_ ||
      !requests_.empty() || callee() == kCaller) {
    return false;
  }
  return std::all_of(legs_.begin(), legs_.end(), [this](const Leg& leg) {
    if (leg.IsNegotiating()) return false;
    return leg.state == (IsEnd(leg) ? Leg::State::kAnswered : Leg::State::kOver);
  });
}

std::optional<state::v1::Call> Call::Core::StandingState() const {
  if (!IsQuiet()) return std::nullopt;
  state::v1::Call state;
  for (const Leg& leg : legs_) {
    if (leg.number == kCaller || IsEnd(leg)) *state.add_legs() = ToState(leg);
  }
  state.set_caller_end(ends_[0]);
  state.set_callee_end(ends_[1]);
  state.set_next_leg(next_leg());
  state.set_hides_caller(hides_caller_);
  state.set_latest_end_nanos(NanosOf(latest_end_));
  state.set_media_released(!media_created_);
  if (!media_created_) return state;
  for (const MediaStream& stream : media_.streams) *state.add_streams() = ToState(stream);
  for (const MediaAnswer::Stream& ports : ports_) *state.add_ports() = ToState(ports);
  return state;
}

absl::StatusOr<Actions> Call::Core::Restore(const state::v1::Call& state, const CredentialsFunction& credentials,
                                            absl::Time now) {
  Begin(now);
  if (absl::Status status = ReadState(state, credentials); !status.ok()) return status;
  for (const Leg& leg : legs_) {
    if (leg.dialog)
      actions_.push_back(DialogMade{leg.number, leg.dialog->call_id(), std::string(leg.dialog->local_tag())});
  }
  if (media_created_) actions_.push_back(AdoptMedia{media_, ports_});
  LimitTo(TimeOf(state.latest_end_nanos(), absl::InfiniteFuture()));
  for (Leg& leg : legs_) {
    const bool is_due = leg.timer.refresh_at() <= now && leg.timer.expires_at() > now + kFirstNotice + kNotices;
    if (is_due) {
      leg.timer.Postpone(now + NoticeWait());
    } else if (leg.has_moved) {
      leg.timer.Postpone(std::min(leg.timer.refresh_at(), now + NoticeWait()));
    }
  }
  if (const int64_t interval = absl::ToInt64Milliseconds(options_.probe_interval); interval != 0) {
    // Who was silent when is not known any more. All calls of a controller come at once, and ask one after the other.
    const auto passed = absl::Milliseconds(names_.NewNumber() % static_cast<uint64_t>(interval));
    for (Leg& leg : legs_) leg.Hear(now - passed);
  }
  ScheduleSessionTimers();
  return Take();
}

absl::Duration Call::Core::NoticeWait() {
  return kFirstNotice +
         absl::Milliseconds(names_.NewNumber() % static_cast<uint64_t>(kNotices / absl::Milliseconds(1)));
}

absl::Status Call::Core::ReadState(const state::v1::Call& state, const CredentialsFunction& credentials) {
  if (state.next_leg() > kMostKept) return absl::InvalidArgumentError("the number of legs is damaged");
  // Those that are not kept are over.
  for (LegNumber number = 0; number < state.next_leg(); ++number) {
    Leg& leg = legs_.emplace_back();
    leg.number = number;
    leg.side = number == kCaller ? 0 : 1;
    leg.state = Leg::State::kOver;
  }
  for (const state::v1::Leg& kept : state.legs()) {
    Leg* leg = Find(kept.number());
    if (leg == nullptr || leg->dialog) return absl::InvalidArgumentError("the numbers of legs are damaged");
    if (absl::Status status = ReadLeg(kept, *leg); !status.ok()) return status;
    if (kept.party().has_credentials()) leg->SetCredentials(credentials(leg->party.account));
  }
  ends_ = {state.caller_end(), state.callee_end()};
  if (ends_[0] == ends_[1] || ends_[1] == kCaller) return absl::InvalidArgumentError("the ends are damaged");
  for (size_t side = 0; side < ends_.size(); ++side) {
    Leg* leg = Find(ends_[side]);
    if (leg == nullptr || !leg->dialog) return absl::InvalidArgumentError("an end is missing");
    leg->side = side;
    leg->state = Leg::State::kAnswered;
  }
  // Also of a call that it has left, its dialog gives responses their tag.
  if (!caller().dialog) return absl::InvalidArgumentError("the caller is missing");
  for (const state::v1::MediaStream& kept : state.streams()) {
    absl::StatusOr<MediaStream> stream = ReadStream(kept);
    if (!stream.ok()) return stream.status();
    media_.streams.push_back(*std::move(stream));
  }
  for (const state::v1::MediaPorts& kept : state.ports()) {
    absl::StatusOr<MediaAnswer::Stream> ports = ReadPorts(kept);
    if (!ports.ok()) return ports.status();
    ports_.push_back(*std::move(ports));
  }
  hides_caller_ = state.hides_caller();
  media_created_ = !state.media_released();
  return absl::OkStatus();
}

}  // namespace sluice::call
