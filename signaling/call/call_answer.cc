#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/call/call_core.h"
#include "signaling/call/callee_failure.h"
#include "signaling/call/header_passing.h"
#include "signaling/call/q850.h"
#include "signaling/call/session_body.h"
#include "signaling/sdp/offer_answer.h"

namespace sluice::call {
namespace {

// Provisional responses that wait for the PRACK of one before; what comes beyond is not passed on.
constexpr size_t kMostHeld = 8;

}  // namespace

void Call::Core::OnInviteResponse(Leg& leg, const ClientRequest& request, const sip::Message& response) {
  leg.answered = true;
  if (leg.state == Leg::State::kCancelling) {
    if (response.is_success()) {
      // It crossed the CANCEL.
      leg.dialog->OnResponse(response);
      Acknowledge(leg, request.number, request.cseq, *leg.dialog, "");
      SendBye(leg);
    } else if (response.is_final()) {
      leg.state = Leg::State::kOver;
    }
    return;
  }
  if (leg.state != Leg::State::kInviting) return;
  if (response.is_provisional()) {
    return leg.is_target ? OnTargetProvisional(leg, response) : OnProvisional(leg, response);
  }
  if (response.is_success()) {
    if (leg.is_target) return OnTargetSuccess(leg, request, response);
    if (!exchange_) return OnSuccess(leg, response);
    early_->successes.push_back({request, response});
    return;
  }
  const absl::Duration demanded = SessionTimer::Demanded(response);
  if (response.status() == 422 && demanded > leg.asked_expires) {
    leg.min_expires = static_cast<uint32_t>(absl::ToInt64Seconds(demanded));
    return InviteCallee(leg);
  }
  OnFailure(leg, response);
}

void Call::Core::OnProvisional(Leg& leg, const sip::Message& response) {
  // 199 tells of an early dialog's end and is for those who asked for it (RFC 6228).
  if (response.status() == 100 || response.status() == 199) return;
  const absl::string_view sdp = SdpOf(response);
  // Where the caller hears one branch behind the callee and has agreed with it, that one stays the leg's dialog.
  const bool agreed = leg.number == early_leg_ && !leg.EarlySession(leg.dialog->remote_tag()).empty();
  const bool reliable = EarlyDialogs::IsReliable(response) && TakesReliableResponses();
  if (reliable) {
    if (leg.early_dialogs == nullptr) leg.early_dialogs = std::make_unique<EarlyDialogs>();
    if (!leg.early_dialogs->Take(response, sdp)) return;
  }
  if (!agreed) leg.dialog->OnResponse(response);
  if (response.Has(sip::Header::kAllow)) leg.allows_update = response.HasElement(sip::Header::kAllow, "UPDATE");
  if (!ringing_) {
    ringing_ = true;
    actions_.push_back(Progress{Progress::Step::kRinging, leg.number});
  }
  if (reliable && late_offer_ && !sdp.empty()) return OnEarlyOffer(leg, response);
  if (reliable) SendPrack(leg, response);
  // Where none was made an offer comes reliably or in the 2xx; and of several callees the first that sends early media
  // is heard.
  if (sdp.empty() || late_offer_ || agreed || (early_leg_ != 0 && early_leg_ != leg.number)) {
    return PassProvisional(response, "");
  }
  const absl::StatusOr<sdp::SessionDescription> offer = sdp::SessionDescription::Parse(SdpOf(invite_->request));
  absl::StatusOr<sdp::SessionDescription> answer = sdp::SessionDescription::Parse(sdp);
  if (!answer.ok() || !sdp::CheckAnswer(*offer, *answer).ok()) return PassProvisional(response, "");
  early_leg_ = leg.number;
  leg.early_sdp = std::string(sdp);
  MediaSession session = AgreedSession(*offer, *answer, 0, Peers());
  AskForMedia(std::move(session), [this, response, answer = *std::move(answer)](Outcome outcome) {
    const bool heard = outcome == Outcome::kDone || outcome == Outcome::kDelayed;
    PassProvisional(response, heard ? WriteSdp(caller(), answer) : "");
  });
}

void Call::Core::PassProvisional(const sip::Message& response, absl::string_view sdp) {
  if (early_ != nullptr && early_->responses.is_outstanding() && early_->responses.AppliesTo(!sdp.empty())) {
    if (early_->provisionals.size() < kMostHeld) early_->provisionals.push_back({response, std::string(sdp)});
    return;
  }
  RenewCallerDialog(sdp);
  sip::Message passed =
      sip::Message::ResponseTo(invite_->request, response.status(), caller().dialog->local_tag(), response.reason());
  passed.Add(sip::Header::kContact, ContactOf(caller()));
  PassHeaders(response, options_.blocked_headers, passed);
  // The caller may send UPDATE and PRACK from here on.
  passed.Add(sip::Header::kAllow, kAllow);
  const Leg* sender = SenderOf(response);
  NameSession(caller(), sender, passed);
  if (sender != nullptr) PassIdentity(*sender, caller(), response, passed);
  PassSessionBody(response, sdp, passed);
  RespondEarly(std::move(passed), sdp);
}

void Call::Core::OnSuccess(Leg& leg, const sip::Message& response) {
  CancelTimer(CallTimer::kRing);
  const bool agreed = IsAgreedEarly(leg) && IsAgreedEarly(caller()) && leg.dialog->remote_tag() == response.ToTag();
  leg.dialog->OnResponse(response);
  leg.state = Leg::State::kAnswered;
  leg.ForgetInvite();
  ends_[1] = leg.number;
  redirections_ = nullptr;
  if (response.Has(sip::Header::kAllow)) leg.allows_update = response.HasElement(sip::Header::kAllow, "UPDATE");
  leg.timer.OnAnswer(response, leg.asked_expires, now_);
  for (Leg& other : legs_) {
    if (other.IsUnasked()) {
      other.state = Leg::State::kOver;
    } else if (other.number != kCaller && other.state == Leg::State::kInviting) {
      Cancel(other, "SIP;cause=200;text=\"Call completed elsewhere\"", kNonSelectedUser);
    }
  }
  if (early_ != nullptr) early_->provisionals.clear();
  // Also of a branch behind the callee that is not the one whose early offer was answered.
  late_offer_ = !agreed && SdpOf(invite_->request).empty();
  if (late_offer_) return OnLateOffer(leg, response);

  Acknowledge(leg, leg.invite, leg.invite_cseq, *leg.dialog, "");
  // A 2xx without SDP stands by what the same callee has said before, and any one by what it has said reliably.
  const std::string early = std::exchange(leg.early_sdp, std::string());
  const std::string reliable(leg.EarlySession(response.ToTag()));
  leg.early_dialogs = nullptr;
  // Both have agreed, and perhaps on something else since.
  if (agreed) return AnswerCaller(response, "");
  absl::string_view sdp = early;
  if (!SdpOf(response).empty()) sdp = SdpOf(response);
  if (!reliable.empty()) sdp = reliable;
  if (sdp.empty()) return EndUnusable(488, "the callee's 2xx has no SDP");
  const absl::StatusOr<sdp::SessionDescription> offer = sdp::SessionDescription::Parse(SdpOf(invite_->request));
  absl::StatusOr<sdp::SessionDescription> answer = sdp::SessionDescription::Parse(sdp);
  if (!answer.ok()) return EndUnusable(488, absl::StrCat("the callee's answer: ", answer.status().message()));
  if (const absl::Status fits = sdp::CheckAnswer(*offer, *answer); !fits.ok()) return EndUnusable(488, fits.message());
  MediaSession session = AgreedSession(*offer, *answer, 0, Peers());
  AskForMedia(std::move(session), [this, response, answer = *std::move(answer)](Outcome outcome) {
    if (outcome == Outcome::kRefused) return EndUnusable(488, media_text_);
    if (outcome == Outcome::kUnavailable) return EndUnusable(503, media_text_);
    AnswerCaller(response, WriteSdp(caller(), answer));
  });
}

void Call::Core::OnLateOffer(Leg& leg, const sip::Message& response) {
  leg.unacknowledged = leg.invite;
  if (leg.owed_rseq != 0) return EndUnusable(488, "the callee's 2xx came ahead of the answer to its offer");
  absl::StatusOr<sdp::SessionDescription> offer = sdp::SessionDescription::Parse(SdpOf(response));
  if (!offer.ok() || !HasCarried(*offer)) return EndUnusable(488, "the callee's 2xx has no offer that can be carried");
  MediaSession session = ProposedSession({}, *offer, 1, Peers());
  AskForMedia(std::move(session), [this, response, offer = *std::move(offer)](Outcome outcome) {
    if (outcome == Outcome::kRefused) return EndUnusable(488, media_text_);
    if (outcome != Outcome::kDone) return EndUnusable(503, media_text_);
    legs_[callee()].early_sdp = std::string(SdpOf(response));
    AnswerCaller(response, WriteSdp(caller(), offer));
  });
}

void Call::Core::AnswerCaller(const sip::Message& response, absl::string_view sdp) {
  Leg& leg = caller();
  if (early_ != nullptr && early_->responses.DelaysSuccess()) {
    early_->answer = EarlyCaller::Held{response, std::string(sdp)};
    return;
  }
  // A provisional response that still waits for its media comes too late.
  after_media_ = nullptr;
  RenewCallerDialog(sdp);
  sip::Message answer =
      sip::Message::ResponseTo(invite_->request, response.status(), leg.dialog->local_tag(), response.reason());
  answer.Add(sip::Header::kContact, ContactOf(leg));
  PassHeaders(response, options_.blocked_headers, answer);
  PassIdentity(legs_[callee()], leg, response, answer);
  answer.Add(sip::Header::kAllow, kAllow);
  answer.Add(sip::Header::kSupported, kSupported);
  leg.timer.Answer(invite_->request, options_.session_expires, now_, answer);
  PassSessionBody(response, sdp, answer);
  Respond(leg, invite_->transaction, std::move(answer));
  invite_.reset();
  failure_.reset();
  CancelTimer(CallTimer::kPrack);
  leg.dialog->Confirm();
  leg.state = Leg::State::kAnswered;
  leg.ack_awaited = true;
  actions_.push_back(Progress{Progress::Step::kAnswered, callee()});
  for (const absl::Duration longest : {options_.max_duration, legs_[callee()].party.max_duration}) {
    if (longest != absl::ZeroDuration()) LimitTo(now_ + longest);
  }
  ScheduleSessionTimers();
}

void Call::Core::OnCallerAck(const sip::Message& ack) {
  if (!late_offer_) return;
  late_offer_ = false;
  Leg& leg = legs_[callee()];
  const std::string offered = std::exchange(leg.early_sdp, std::string());
  const absl::StatusOr<sdp::SessionDescription> offer = sdp::SessionDescription::Parse(offered);
  absl::StatusOr<sdp::SessionDescription> answer = sdp::SessionDescription::Parse(SdpOf(ack));
  if (!answer.ok() || !sdp::CheckAnswer(*offer, *answer).ok()) {
    return Finish({Ended::By::kController, 200, kNormalClearing, "the caller's ACK has no answer to the offer"});
  }
  MediaSession session = AgreedSession(*offer, *answer, 1, Peers());
  AskForMedia(std::move(session), [this, answer = *std::move(answer)](Outcome outcome) {
    if (outcome == Outcome::kRefused || outcome == Outcome::kUnavailable) {
      return Finish({Ended::By::kController, 200, Q850Cause(503), media_text_});
    }
    Leg& callee = legs_[ends_[1]];
    Acknowledge(callee, std::exchange(callee.unacknowledged, 0), callee.invite_cseq, *callee.dialog,
                WriteSdp(callee, answer));
  });
}

void Call::Core::OnFailure(Leg& leg, const sip::Message& response) {
  leg.state = Leg::State::kOver;
  EndLeg(leg, SenderOf(response) == nullptr ? Ended::By::kController : EndedBy(leg),
         NamedCause(response, Q850Cause(response.status())));
  ForgetEarly(leg);
  if (!FollowRedirection(leg, response)) GoOnWithout(leg.is_target, response);
}

void Call::Core::GoOnWithout(bool is_target, const sip::Message& response) {
  if (!failure_ || FailureRank(response.status()) < FailureRank(failure_->status())) failure_ = response;
  // 6xx speaks for the callee wherever it is (RFC 3261 16.7 step 5).
  const bool for_all = response.status() >= 600;
  if (for_all) redirections_ = nullptr;
  bool others = redirections_ != nullptr && !redirections_->open.empty();
  for (Leg& other : legs_) {
    if (other.number == kCaller || other.state != Leg::State::kInviting || other.IsUnasked()) continue;
    if (for_all) {
      Cancel(other, absl::StrCat("SIP;cause=", response.status()), Q850Cause(response.status()));
    } else {
      others = true;
    }
  }
  if (others || (IsOutOfService(failure_->status()) && InviteNextGroup())) return;
  for (Leg& other : legs_) {
    if (other.IsUnasked()) other.state = Leg::State::kOver;
  }
  if (is_target) return FailTransfer(std::exchange(failure_, std::nullopt)->status());
  PassFailure();
}

void Call::Core::PassFailure() {
  const sip::Message failure = *std::exchange(failure_, std::nullopt);
  const uint16_t status = PassedStatus(failure.status());
  const bool same = status == failure.status();
  sip::Message response = sip::Message::ResponseTo(invite_->request, status, caller().dialog->local_tag(),
                                                   same ? failure.reason() : absl::string_view());
  PassHeaders(failure, options_.blocked_headers, response);
  if (!same) response.Add(sip::Header::kReason, absl::StrCat("SIP;cause=", failure.status()));
  if (!response.Has(sip::Header::kServer) && !response.Has(sip::Header::kUserAgent)) {
    response.Add(sip::Header::kServer, options_.user_agent);
  }
  // A redirection is nothing without its targets.
  if (status < 400) {
    for (const absl::string_view contact : failure.Elements(sip::Header::kContact)) {
      response.Add(sip::Header::kContact, contact);
    }
  }
  if (SdpOf(failure).empty()) PassBody(failure, response);
  const std::string reason(response.reason());
  NameSession(caller(), SenderOf(failure), response);
  Respond(caller(), invite_->transaction, std::move(response));
  invite_.reset();
  caller().state = Leg::State::kOver;
  Finish({Ended::By::kCallee, status, NamedCause(failure, Q850Cause(status)), reason});
}

void Call::Core::EndSpareDialog(Leg& leg, const sip::Message& response) {
  // The one that was taken repeats itself only to the transaction layer.
  if (leg.dialog->remote_tag() == response.ToTag()) return;
  sip::Dialog spare = *leg.dialog;
  spare.OnResponse(response);
  Acknowledge(leg, leg.invite, leg.invite_cseq, spare, "");
  sip::Message bye = spare.MakeRequest(sip::Method::kBye);
  bye.Add(sip::Header::kUserAgent, options_.user_agent);
  bye.Add(sip::Header::kReason, "SIP;cause=200;text=\"Call completed elsewhere\"");
  NameSession(leg, Opposite(leg), bye);
  actions_.push_back(SendRequest{leg.number, ++last_request_, std::move(bye), HopOf(leg)});
}

void Call::Core::EndUnusable(uint16_t status, absl::string_view text) {
  sip::Message response = Answer(*invite_, status);
  if (status == 503) response.Add(sip::Header::kRetryAfter, absl::StrCat(options_.retry_after_seconds));
  Respond(caller(), invite_->transaction, std::move(response));
  invite_.reset();
  caller().state = Leg::State::kOver;
  Finish({Ended::By::kController, status, Q850Cause(status), std::string(text)});
}

}  // namespace sluice::call
