#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/call/call_core.h"
#include "signaling/call/q850.h"
#include "signaling/call/session_body.h"

namespace sluice::call {

Actions Call::Core::OnTimer(CallTimer timer, absl::Time now) {
  Begin(now);
  // One that was cancelled or moved while it was on its way.
  if (!IsSet(timer)) return Take();
  timers_ &= ~BitOf(timer);
  switch (timer) {
    case CallTimer::kRing:
      if (end_) {
        // Whoever owes an answer now will not give it.
        requests_.clear();
        for (Leg& leg : legs_) leg.state = Leg::State::kOver;
      } else if (exchange_ && !invite_) {
        actions_.push_back(CancelRequest{exchange_->to, exchange_->carried, "SIP;cause=408"});
        FailOffer(Answer(exchange_->request, 408));
      } else {
        Finish({Ended::By::kController, 408, Q850Cause(408), "no answer in time"});
      }
      break;
    case CallTimer::kSession:
      OnSessionExpired();
      break;
    case CallTimer::kRefresh:
      RefreshDueLegs();
      break;
    case CallTimer::kDuration:
      Finish({Ended::By::kController, 200, kNormalClearing, "the longest duration of a call is reached"});
      break;
    case CallTimer::kPrack:
      OnPrackWait();
      break;
    case CallTimer::kTransfer:
      if (exchange_ && exchange_->joins) {
        CarryOffer();
      } else {
        FailTransfer(408);
      }
      break;
    case CallTimer::kPatience:
      OnSilence();
      break;
    case CallTimer::kAnswerWait:
      media_text_ = "the relay does not answer";
      FinishMedia(ports_.empty() ? Outcome::kUnavailable : Outcome::kDelayed);
      break;
    case CallTimer::kProbe:
      ProbeSilentLegs();
      break;
  }
  return Take();
}

void Call::Core::SetTimer(CallTimer timer, absl::Duration after) {
  timers_ |= BitOf(timer);
  actions_.push_back(call::SetTimer{timer, after});
}

void Call::Core::CancelTimer(CallTimer timer) {
  if (!IsSet(timer)) return;
  timers_ &= ~BitOf(timer);
  actions_.push_back(call::CancelTimer{timer});
}

void Call::Core::LimitTo(absl::Time end) {
  if (end >= latest_end_) return;
  latest_end_ = end;
  SetTimer(CallTimer::kDuration, std::max(end - now_, absl::ZeroDuration()));
}

void Call::Core::RestoreEnd(absl::Time end) {
  if (end == latest_end_) return;
  CancelTimer(CallTimer::kDuration);
  latest_end_ = absl::InfiniteFuture();
  LimitTo(end);
}

void Call::Core::ScheduleSessionTimers() {
  absl::Time refresh = absl::InfiniteFuture();
  absl::Time expiry = absl::InfiniteFuture();
  for (const Leg& leg : legs_) {
    if (leg.state != Leg::State::kAnswered) continue;
    refresh = std::min(refresh, leg.timer.refresh_at());
    expiry = std::min(expiry, leg.timer.expires_at());
  }
  const std::pair<CallTimer, absl::Time> deadlines[] = {{CallTimer::kRefresh, refresh}, {CallTimer::kSession, expiry}};
  for (const auto& [timer, deadline] : deadlines) {
    if (deadline == absl::InfiniteFuture()) {
      CancelTimer(timer);
    } else {
      SetTimer(timer, std::max(deadline - now_, absl::ZeroDuration()));
    }
  }
  ScheduleProbe();
}

void Call::Core::RefreshDueLegs() {
  for (Leg& leg : legs_) {
    if (leg.state != Leg::State::kAnswered || leg.timer.refresh_at() > now_) continue;
    if (exchange_ || leg.IsNegotiating()) {
      leg.timer.Postpone(now_ + kRetry);
    } else {
      Refresh(leg);
    }
  }
  ScheduleSessionTimers();
}

void Call::Core::Refresh(Leg& leg) {
  sip::Message request = leg.dialog->MakeRequest(leg.allows_update ? sip::Method::kUpdate : sip::Method::kInvite);
  request.Add(sip::Header::kContact, ContactOf(leg));
  request.Add(sip::Header::kUserAgent, options_.user_agent);
  request.Add(sip::Header::kSupported, "timer");
  // Without a timer it only says where we are.
  if (leg.timer.interval() != absl::ZeroDuration()) {
    request.Add(sip::Header::kSessionExpires, leg.timer.RefreshValue());
  }
  // A re-INVITE has to offer something: the same as before, of the same version.
  if (!leg.allows_update) request.SetBody("application/sdp", leg.sent_sdp);
  leg.request_pending = true;
  leg.timer.Postpone(absl::InfiniteFuture());
  Send(leg, ClientRequest::Kind::kRefresh, std::move(request));
}

void Call::Core::OnRefreshResponse(const ClientRequest& request, const sip::Message& response) {
  if (response.is_provisional()) return;
  Leg& leg = legs_[request.leg];
  leg.request_pending = false;
  const bool is_invite = request.method == sip::Method::kInvite;
  if (response.is_success() && is_invite) Acknowledge(leg, request.number, request.cseq, *leg.dialog, "");
  if (end_) return;
  const uint16_t status = response.status();
  // Who knows us by another address may be behind a NAT that lets nothing of ours through until it comes to us.
  const bool may_be_deaf = leg.has_moved && status == 408;
  // Whatever else it says, it has heard.
  if (!may_be_deaf && status != 405 && status != 501 && status != 491) leg.has_moved = false;
  if (response.is_success()) {
    leg.dialog->RefreshTarget(response);
    leg.timer.OnAnswer(response, leg.timer.interval(), now_);
    const absl::StatusOr<sdp::SessionDescription> answer = sdp::SessionDescription::Parse(SdpOf(response));
    if (is_invite && answer.ok() && !exchange_) {
      AskForMedia(WithSide(media_, *answer, leg.side, Peers()), nullptr);
    }
  } else if ((status == 408 && !may_be_deaf) || status == 481) {
    // RFC 4028 10: the session is gone.
    leg.state = status == 481 ? Leg::State::kOver : leg.state;
    return Finish({Ended::By::kSessionTimer, 200, kTimerExpiry, "a session refresh was not answered"});
  } else if (!is_invite && (status == 405 || status == 501)) {
    leg.allows_update = false;
    leg.timer.Postpone(now_);
  } else if (status == 491) {
    leg.timer.Postpone(now_ + GlareWait(leg));
  } else if (status == 422) {
    leg.timer.Demand(SessionTimer::Demanded(response), now_);
  } else {
    const bool again = leg.timer.is_ours() || leg.has_moved;
    leg.timer.Postpone(again ? now_ + kRetry : absl::InfiniteFuture());
  }
  ScheduleSessionTimers();
}

absl::Duration Call::Core::GlareWait(const Leg& leg) {
  const bool is_ours = leg.number != kCaller;
  const uint64_t steps = names_.NewNumber() % (is_ours ? 191 : 201);
  return absl::Milliseconds((is_ours ? 2100 : 0) + 10 * steps);
}

void Call::Core::OnSessionExpired() {
  for (const Leg& leg : legs_) {
    if (leg.state != Leg::State::kAnswered || leg.timer.expires_at() > now_) continue;
    return Finish({Ended::By::kSessionTimer, 200, kTimerExpiry,
                   leg.side == 0 ? "the session timer towards the caller has expired"
                                 : "the session timer towards the callee has expired"});
  }
  ScheduleSessionTimers();
}

}  // namespace sluice::call
