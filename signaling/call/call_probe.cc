#include <algorithm>

#include "absl/strings/str_cat.h"
#include "signaling/call/call_core.h"
#include "signaling/call/q850.h"

namespace sluice::call {

bool Call::Core::IsProbed(const Leg& leg) const {
  // Who does not know yet where we are is told so by a refresh, and may hear nothing before.
  return leg.state == Leg::State::kAnswered && IsEnd(leg) && !leg.timer.is_running() && !leg.has_moved;
}

void Call::Core::ScheduleProbe() {
  if (options_.probe_interval == absl::ZeroDuration() || IsSet(CallTimer::kProbe)) return;
  absl::Time due = absl::InfiniteFuture();
  for (const Leg& leg : legs_) {
    if (IsProbed(leg)) due = std::min(due, leg.heard_at() + options_.probe_interval);
  }
  if (due != absl::InfiniteFuture()) SetTimer(CallTimer::kProbe, std::max(due - now_, absl::ZeroDuration()));
}

void Call::Core::ProbeSilentLegs() {
  absl::Time next = absl::InfiniteFuture();
  for (Leg& leg : legs_) {
    if (!IsProbed(leg)) continue;
    absl::Time due = leg.heard_at() + options_.probe_interval;
    if (due <= now_) {
      // What is under way says as well as a probe whether the peer is there.
      const bool is_waited_for = exchange_ || leg.IsNegotiating() ||
                                 std::any_of(requests_.begin(), requests_.end(),
                                             [&](const ClientRequest& request) { return request.leg == leg.number; });
      if (!is_waited_for) Probe(leg);
      due = now_ + (is_waited_for ? kRetry : options_.probe_interval);
    }
    next = std::min(next, due);
  }
  if (next != absl::InfiniteFuture()) SetTimer(CallTimer::kProbe, next - now_);
}

void Call::Core::Probe(Leg& leg) {
  sip::Message options = leg.dialog->MakeRequest(sip::Method::kOptions);
  options.Add(sip::Header::kContact, ContactOf(leg));
  options.Add(sip::Header::kUserAgent, options_.user_agent);
  options.Add(sip::Header::kAccept, "application/sdp");
  Send(leg, ClientRequest::Kind::kProbe, std::move(options));
}

void Call::Core::OnProbeResponse(const ClientRequest& request, const sip::Message& response) {
  Leg& leg = legs_[request.leg];
  if (response.is_provisional() || leg.state != Leg::State::kAnswered || !IsEnd(leg)) return;
  const absl::string_view who = leg.side == 0 ? "the caller" : "the callee";
  // One that could not be sent is tried once more, since a phone may come back over another connection. As long as its
  // media is watched, that says more of it than a connection that is gone.
  const bool is_lost = now_ - leg.heard_at() >= 2 * options_.probe_interval && !IsMediaWatched();
  if (response.status() == 481) {
    leg.state = Leg::State::kOver;
    Finish({Ended::By::kUnreachable, 200, kTemporaryFailure, absl::StrCat(who, " does not know the dialog any more")});
  } else if (response.status() == 408 || is_lost) {
    Finish({Ended::By::kUnreachable, 200, kTimerExpiry, absl::StrCat(who, " does not answer any more")});
  }
}

bool Call::Core::IsMediaWatched() const {
  if (!media_created_) return false;
  return std::any_of(media_.streams.begin(), media_.streams.end(), [](const MediaStream& stream) {
    return std::all_of(stream.legs.begin(), stream.legs.end(),
                       [](const MediaLeg& leg) { return leg.direction == MediaDirection::kSendRecv; });
  });
}

}  // namespace sluice::call
