#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/call/call_core.h"
#include "signaling/call/session_body.h"
#include "signaling/sdp/offer_answer.h"

namespace sluice::call {

bool Call::Core::TakesReliableResponses() const { return !late_offer_ || (early_ != nullptr && legs_.size() == 2); }

void Call::Core::SendPrack(Leg& leg, const sip::Message& response) {
  const uint32_t rseq = *response.RSeq();
  if (leg.dialog->remote_tag() == response.ToTag()) {
    return SendPrack(leg, leg.dialog->MakeRequest(sip::Method::kPrack), rseq, "");
  }
  // Of another branch behind the callee than the one that is heard.
  sip::Dialog fork = *leg.dialog;
  fork.OnResponse(response);
  sip::Message prack = fork.MakeRequest(sip::Method::kPrack);
  leg.dialog->ShareCSeq(fork);
  SendPrack(leg, std::move(prack), rseq, "");
}

void Call::Core::SendPrack(Leg& leg, sip::Message prack, uint32_t rseq, absl::string_view sdp) {
  prack.Add(sip::Header::kRAck, absl::StrCat(rseq, " ", leg.invite_cseq, " INVITE"));
  prack.Add(sip::Header::kUserAgent, options_.user_agent);
  if (!sdp.empty()) prack.SetBody("application/sdp", sdp);
  Send(leg, ClientRequest::Kind::kPrack, std::move(prack));
}

void Call::Core::OnEarlyOffer(Leg& leg, const sip::Message& response) {
  // The caller is about to answer the first one.
  if (early_leg_ != 0) return;
  absl::StatusOr<sdp::SessionDescription> offer = sdp::SessionDescription::Parse(SdpOf(response));
  if (!offer.ok() || !HasCarried(*offer)) return RefuseCaller(488, "");
  early_leg_ = leg.number;
  leg.owed_rseq = *response.RSeq();
  MediaSession session = ProposedSession({}, *offer, 1, Peers());
  AskForMedia(std::move(session), [this, response, offer = *std::move(offer)](Outcome outcome) {
    if (outcome == Outcome::kRefused) return RefuseCaller(488, "");
    if (outcome != Outcome::kDone) {
      return RefuseCaller(503, "", sip::Header::kRetryAfter, absl::StrCat(options_.retry_after_seconds));
    }
    PassProvisional(response, WriteSdp(caller(), offer));
  });
}

void Call::Core::OnPrack(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& prack) {
  using Prack = ReliableResponses::Prack;
  const bool is_early = leg.number == kCaller && early_ != nullptr;
  const Prack taken = is_early ? early_->responses.OnPrack(prack) : Prack::kUnknown;
  if (taken == Prack::kUnknown) return Refuse(leg, transaction, prack, 481);
  CancelTimer(CallTimer::kPrack);
  const bool answers = taken == Prack::kTakenWithSession && late_offer_ && invite_;
  if (answers || SdpOf(prack).empty()) {
    Respond(leg, transaction, Answer({transaction, prack}, 200));
  } else {
    OnOfferInPrack(leg, transaction, prack);
  }
  // The callee may have taken its offer back meanwhile, by a failure.
  if (answers && early_leg_ != 0) return OnEarlyAnswer(prack);
  if (early_->answer && !early_->responses.DelaysSuccess()) {
    const EarlyCaller::Held held = *std::exchange(early_->answer, std::nullopt);
    return AnswerCaller(held.response, held.sdp);
  }
  while (!early_->provisionals.empty() && !early_->responses.is_outstanding()) {
    EarlyCaller::Held held = std::move(early_->provisionals.front());
    early_->provisionals.erase(early_->provisionals.begin());
    PassProvisional(held.response, held.sdp);
  }
}

void Call::Core::OnEarlyAnswer(const sip::Message& prack) {
  Leg& leg = legs_[early_leg_];
  const absl::StatusOr<sdp::SessionDescription> offer =
      sdp::SessionDescription::Parse(leg.EarlySession(leg.dialog->remote_tag()));
  absl::StatusOr<sdp::SessionDescription> answer = sdp::SessionDescription::Parse(SdpOf(prack));
  if (!answer.ok() || !sdp::CheckAnswer(*offer, *answer).ok()) return RefuseCaller(488, "");
  late_offer_ = false;
  MediaSession session = AgreedSession(*offer, *answer, 1, Peers());
  AskForMedia(std::move(session), [this, answer = *std::move(answer)](Outcome outcome) {
    if (outcome == Outcome::kRefused) return RefuseCaller(488, "");
    if (outcome == Outcome::kUnavailable) {
      return RefuseCaller(503, "", sip::Header::kRetryAfter, absl::StrCat(options_.retry_after_seconds));
    }
    Leg& callee = legs_[early_leg_];
    sip::Message owed = callee.dialog->MakeRequest(sip::Method::kPrack);
    SendPrack(callee, std::move(owed), std::exchange(callee.owed_rseq, 0), WriteSdp(callee, answer));
  });
}

void Call::Core::OnPrackWait() {
  const sip::Message* again = early_->responses.Repeat(now_);
  if (again == nullptr) return RefuseCaller(504, "");
  Respond(caller(), invite_->transaction, *again);
  SetTimer(CallTimer::kPrack, early_->responses.wait());
}

void Call::Core::RespondEarly(sip::Message response, absl::string_view sdp) {
  if (early_ != nullptr && early_->responses.AppliesTo(!sdp.empty())) {
    early_->responses.Send(response, sdp, now_);
    SetTimer(CallTimer::kPrack, early_->responses.wait());
  }
  Respond(caller(), invite_->transaction, std::move(response));
}

void Call::Core::RenewCallerDialog(absl::string_view sdp) {
  if (early_ == nullptr || sdp.empty() || early_->responses.session().empty() || early_->responses.session() == sdp)
    return;
  Leg& leg = caller();
  Close(leg);
  leg.dialog = sip::Dialog::OfReceivedRequest(invite_->request, names_.NewTag());
  actions_.push_back(DialogMade{kCaller, leg.dialog->call_id(), std::string(leg.dialog->local_tag())});
  early_->responses.BeginDialog();
}

void Call::Core::ForgetEarly(Leg& leg) {
  leg.early_dialogs = nullptr;
  leg.early_sdp.clear();
  leg.owed_rseq = 0;
  if (early_leg_ != leg.number) return;
  if (exchange_) FailOffer(Answer(exchange_->request, 481));
  early_leg_ = 0;
  // The next callee is to make an offer too.
  late_offer_ = SdpOf(invite_->request).empty();
}

bool Call::Core::IsAgreedEarly(const Leg& leg) const {
  if (!invite_ || late_offer_ || early_ == nullptr || early_leg_ == 0) return false;
  if (leg.number == kCaller) return !early_->responses.session().empty() && !early_->responses.DelaysSuccess();
  return leg.number == early_leg_ && leg.state == Leg::State::kInviting && leg.owed_rseq == 0 &&
         !leg.EarlySession(leg.dialog->remote_tag()).empty();
}

}  // namespace sluice::call
