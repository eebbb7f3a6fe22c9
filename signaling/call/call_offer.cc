#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "signaling/call/call_core.h"
#include "signaling/call/callee_failure.h"
#include "signaling/call/header_passing.h"
#include "signaling/call/q850.h"
#include "signaling/call/session_body.h"
#include "signaling/sdp/offer_answer.h"

namespace sluice::call {
namespace {

// RFC 3261 14.2 has it random from 0 to 10 s; the peer's own request comes to its end meanwhile.
constexpr absl::string_view kRetryAfter = "2";

// An offer of our own that meets one of the peer's is tried again so often.
constexpr uint32_t kMostGlares = 3;

}  // namespace

void Call::Core::OnOfferRequest(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& request) {
  const bool is_update = request.method() == sip::Method::kUpdate;
  const absl::string_view sdp = SdpOf(request);
  const std::vector<absl::string_view> unsupported = request.UnsupportedOptions({"timer", "100rel"});
  const ServerRequest server = {transaction, request};
  if (!unsupported.empty()) {
    sip::Message response = Answer(server, 420);
    response.Add(sip::Header::kUnsupported, absl::StrJoin(unsupported, ", "));
    return Respond(leg, transaction, std::move(response));
  }
  if (SessionTimer::IsTooShort(request)) {
    sip::Message response = Answer(server, 422);
    response.Add(sip::Header::kMinSe, absl::StrCat(SessionTimer::kMinSeconds));
    return Respond(leg, transaction, std::move(response));
  }
  if (is_update && sdp.empty()) return AnswerRefresh(leg, transaction, request);

  const bool unanswered = leg.state == Leg::State::kInviting && !(is_update && IsAgreedEarly(leg));
  if (unanswered || (exchange_ && exchange_->from == leg.number)) {
    // Its own offer before this one has no answer yet (RFC 3261 14.2, RFC 3311 5.2).
    sip::Message response = Answer(server, 500);
    response.Add(sip::Header::kRetryAfter, kRetryAfter);
    return Respond(leg, transaction, std::move(response));
  }
  const Leg* other = ExchangePartner(leg);
  if (other == nullptr) return Refuse(leg, transaction, request, 491);
  if (invite_ && !other->allows_update) return Refuse(leg, transaction, request, 488);
  if (!is_update) Respond(leg, transaction, Answer(server, 100));
  BeginExchange(leg, *other, server);
}

Leg* Call::Core::ExchangePartner(Leg& leg) {
  Leg* other = invite_ && early_leg_ != 0 && leg.number == kCaller ? &legs_[early_leg_] : Opposite(leg);
  if (exchange_ || other == nullptr || late_offer_ || media_asked_) return nullptr;
  for (const Leg* one : {&leg, other}) {
    const bool ready = invite_ ? IsAgreedEarly(*one) : one->state == Leg::State::kAnswered;
    if (!ready || one->request_pending || one->ack_awaited) return nullptr;
  }
  return other;
}

void Call::Core::BeginExchange(Leg& from, const Leg& to, ServerRequest request) {
  const std::string sdp(SdpOf(request.request));
  Exchange exchange;
  exchange.from = from.number;
  exchange.to = to.number;
  exchange.request = std::move(request);
  exchange.late = sdp.empty();
  exchange.offer = sdp;
  exchange.before = media_;
  exchange.sdp_before = to.sent_sdp;
  exchange_ = std::make_unique<Exchange>(std::move(exchange));
  if (sdp.empty()) return CarryOffer();
  const absl::StatusOr<sdp::SessionDescription> offer = sdp::SessionDescription::Parse(sdp);
  if (!offer.ok() || !HasCarried(*offer)) return FailOffer(Answer(exchange_->request, 488));
  AskForMedia(ProposedSession(media_, *offer, from.side, Peers()), [this](Outcome outcome) {
    if (outcome == Outcome::kDone || outcome == Outcome::kDelayed) return CarryOffer();
    sip::Message response = Answer(exchange_->request, outcome == Outcome::kRefused ? 488 : 503);
    if (outcome == Outcome::kUnavailable) {
      response.Add(sip::Header::kRetryAfter, absl::StrCat(options_.retry_after_seconds));
    }
    FailOffer(std::move(response));
  });
}

void Call::Core::OnOfferInPrack(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& prack) {
  const Leg* other = ExchangePartner(leg);
  if (other == nullptr || !other->allows_update) return Refuse(leg, transaction, prack, 488);
  BeginExchange(leg, *other, {transaction, prack, leg.number});
}

void Call::Core::AnswerRefresh(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& request) {
  sip::Message response = Answer({transaction, request}, 200);
  response.Add(sip::Header::kContact, ContactOf(leg));
  response.Add(sip::Header::kSupported, "timer");
  leg.timer.Answer(request, options_.session_expires, now_, response);
  Respond(leg, transaction, std::move(response));
  if (leg.state == Leg::State::kAnswered) ScheduleSessionTimers();
}

void Call::Core::CarryOffer() {
  Leg& to = legs_[exchange_->to];
  const sip::Message& theirs = exchange_->request.request;
  const std::optional<uint32_t> max_forwards = PassedMaxForwards(theirs);
  if (!max_forwards) return FailOffer(Answer(exchange_->request, 483));
  const bool as_update = !exchange_->joins && theirs.method() != sip::Method::kInvite && to.allows_update;
  // Ahead of the answer there is no other way.
  if (invite_ && !as_update) return FailOffer(Answer(exchange_->request, 488));
  sip::Message request = to.dialog->MakeRequest(as_update ? sip::Method::kUpdate : sip::Method::kInvite);
  if (!exchange_->joins) request.Set(sip::Header::kMaxForwards, absl::StrCat(*max_forwards));
  request.Add(sip::Header::kContact, ContactOf(to));
  PassHeaders(theirs, options_.blocked_headers, request);
  PassIdentity(legs_[exchange_->from], to, theirs, request);
  request.Add(sip::Header::kSupported, "timer");
  if (to.timer.interval() != absl::ZeroDuration()) {
    request.Add(sip::Header::kSessionExpires, to.timer.RefreshValue());
  }
  if (exchange_->late) {
    PassBody(theirs, request);
  } else {
    PassSessionBody(theirs, WriteSdp(to, *sdp::SessionDescription::Parse(exchange_->offer)), request);
  }
  to.request_pending = true;
  exchange_->carried = Send(to, ClientRequest::Kind::kOffer, std::move(request));
  // An UPDATE runs out with its transaction.
  if (!as_update) SetTimer(CallTimer::kRing, options_.ring_timeout);
}

void Call::Core::OnOfferResponse(const ClientRequest& request, const sip::Message& response) {
  if (response.is_provisional()) return;
  Leg& to = legs_[request.leg];
  to.request_pending = false;
  const bool is_invite = request.method == sip::Method::kInvite;
  if (!exchange_ || exchange_->carried != request.number) {
    // It has been given up. Where the peer has agreed after all, the two sides do not agree any more.
    if (!response.is_success()) return;
    if (is_invite) Acknowledge(to, request.number, request.cseq, *to.dialog, "");
    if (to.state == Leg::State::kOver) return;
    return Finish({Ended::By::kController, 200, kTimerExpiry, "a re-INVITE was answered too late"});
  }
  exchange_->carried = 0;
  if (is_invite) CancelTimer(CallTimer::kRing);
  if (!response.is_success()) {
    if (!is_invite && (response.status() == 405 || response.status() == 501)) {
      to.allows_update = false;
      return CarryOffer();
    }
    const uint16_t status = response.status();
    if (status == 491 && exchange_->joins && ++transfer_->glares <= kMostGlares) {
      return SetTimer(CallTimer::kTransfer, GlareWait(to));
    }
    sip::Message passed = Answer(exchange_->request, PassedStatus(status));
    passed.Remove(sip::Header::kServer);
    PassHeaders(response, options_.blocked_headers, passed);
    FailOffer(std::move(passed));
    // Ahead of the answer the INVITE's own response says what becomes of the dialog.
    if (invite_ || (status != 481 && status != 408)) return;
    // RFC 3261 12.2.1.2: the dialog is gone.
    if (status == 481) to.state = Leg::State::kOver;
    return Finish({Ended::By::kController, 200, kTimerExpiry, "a re-INVITE found no dialog"});
  }

  to.dialog->RefreshTarget(response);
  to.timer.OnAnswer(response, to.timer.interval(), now_);
  absl::StatusOr<sdp::SessionDescription> described = sdp::SessionDescription::Parse(SdpOf(response));
  const Leg& from = legs_[exchange_->from];
  if (exchange_->late) {
    to.unacknowledged = request.number;
    to.invite_cseq = request.cseq;
    if (!described.ok() || !HasCarried(*described)) return FailAgreement("the 2xx to a re-INVITE has no usable offer");
    exchange_->offer = std::string(SdpOf(response));
    MediaSession session = ProposedSession(media_, *described, to.side, Peers());
    return AskForMedia(std::move(session), [this, response, offer = *std::move(described)](Outcome outcome) {
      if (outcome == Outcome::kRefused || outcome == Outcome::kUnavailable) {
        return FailAgreement(media_text_);
      }
      FinishOffer(response, WriteSdp(legs_[exchange_->from], offer));
    });
  }
  if (is_invite) Acknowledge(to, request.number, request.cseq, *to.dialog, "");
  const absl::StatusOr<sdp::SessionDescription> offer = sdp::SessionDescription::Parse(exchange_->offer);
  if (!described.ok()) return FailAgreement(described.status().message());
  if (const absl::Status fits = sdp::CheckAnswer(*offer, *described); !fits.ok()) return FailAgreement(fits.message());
  MediaSession session = AgreedSession(*offer, *described, from.side, Peers());
  AskForMedia(std::move(session), [this, response, answer = *std::move(described)](Outcome outcome) {
    if (outcome == Outcome::kRefused || outcome == Outcome::kUnavailable) {
      return FailAgreement(media_text_);
    }
    if (exchange_->joins) return FinishJoin(answer);
    FinishOffer(response, WriteSdp(legs_[exchange_->from], answer));
  });
}

void Call::Core::FinishOffer(const sip::Message& response, absl::string_view sdp) {
  Leg& from = legs_[exchange_->from];
  const sip::Message& request = exchange_->request.request;
  sip::Message answer = Answer(exchange_->request, 200);
  answer.Remove(sip::Header::kServer);
  answer.Add(sip::Header::kContact, ContactOf(from));
  PassHeaders(response, options_.blocked_headers, answer);
  PassIdentity(legs_[exchange_->to], from, response, answer);
  answer.Add(sip::Header::kSupported, "timer");
  if (request.method() != sip::Method::kPrack) {
    from.timer.Answer(request, options_.session_expires, now_, answer);
  }
  PassSessionBody(response, sdp, answer);
  Respond(from, std::exchange(exchange_->request.transaction, 0), std::move(answer));
  from.ack_awaited = request.method() == sip::Method::kInvite;
  if (!exchange_->late) exchange_.reset();
  ScheduleSessionTimers();
}

void Call::Core::OnOfferAck(const sip::Message& ack) {
  const absl::StatusOr<sdp::SessionDescription> offer = sdp::SessionDescription::Parse(exchange_->offer);
  absl::StatusOr<sdp::SessionDescription> answer = sdp::SessionDescription::Parse(SdpOf(ack));
  if (!answer.ok()) return FailAgreement("an ACK has no answer to the offer");
  if (const absl::Status fits = sdp::CheckAnswer(*offer, *answer); !fits.ok()) return FailAgreement(fits.message());
  MediaSession session = AgreedSession(*offer, *answer, legs_[exchange_->to].side, Peers());
  AskForMedia(std::move(session), [this, answer = *std::move(answer)](Outcome outcome) {
    if (outcome == Outcome::kRefused || outcome == Outcome::kUnavailable) {
      return FailAgreement(media_text_);
    }
    Leg& to = legs_[exchange_->to];
    Acknowledge(to, std::exchange(to.unacknowledged, 0), to.invite_cseq, *to.dialog, WriteSdp(to, answer));
    exchange_.reset();
  });
}

void Call::Core::FailOffer(sip::Message response) {
  if (exchange_->joins) return FailJoin(response.status());
  Exchange exchange = std::move(*std::exchange(exchange_, nullptr));
  Respond(legs_[exchange.from], exchange.request.transaction, std::move(response));
  legs_[exchange.to].sent_sdp = std::move(exchange.sdp_before);
  if (!invite_) CancelTimer(CallTimer::kRing);
  AskForMedia(std::move(exchange.before), nullptr);
}

void Call::Core::FailAgreement(absl::string_view text) {
  if (exchange_->request.transaction != 0) {
    Respond(legs_[exchange_->from], exchange_->request.transaction, Answer(exchange_->request, 488));
  }
  exchange_.reset();
  Finish({Ended::By::kController, static_cast<uint16_t>(invite_ ? 488 : 200), Q850Cause(488), std::string(text)});
}

}  // namespace sluice::call
