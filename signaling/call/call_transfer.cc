#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/call/call_core.h"
#include "signaling/call/header_passing.h"
#include "signaling/call/privacy.h"
#include "signaling/call/q850.h"
#include "signaling/call/session_body.h"

namespace sluice::call {
namespace {

// A call that has been handed around so often is one of robots.
constexpr size_t kMostLegs = 64;

}  // namespace

void Call::Core::OnRefer(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& refer) {
  const std::vector<sip::NameAddress> targets = refer.Addresses(sip::Header::kReferTo);
  if (targets.empty()) return Refuse(leg, transaction, refer, 400, "Refer-To is missing or cannot be read");
  if (targets[0].uri.Parameter("method").value_or("INVITE") != "INVITE") {
    return Refuse(leg, transaction, refer, 403, "Only calls are transferred");
  }
  std::optional<sip::Replaces> replaces;
  if (const std::optional<std::string> field = targets[0].uri.HeaderField("Replaces")) {
    replaces = sip::Replaces::Parse(*field);
    if (!replaces) return Refuse(leg, transaction, refer, 400, "Replaces in Refer-To cannot be read");
  }
  const Leg* other = Opposite(leg);
  if (leg.state != Leg::State::kAnswered || other == nullptr || other->state != Leg::State::kAnswered) {
    return Refuse(leg, transaction, refer, 480);
  }
  if (transfer_ != nullptr) return Refuse(leg, transaction, refer, 491);
  if (legs_.size() >= kMostLegs) return Refuse(leg, transaction, refer, 403, "Too many transfers");

  transfer_ = std::make_unique<Transfer>();
  transfer_->transferor = leg.number;
  transfer_->latest_end = latest_end_;
  transfer_->event = absl::StrCat("refer;id=", refer.CSeqNumber());
  // RFC 4488: nobody listens.
  transfer_->is_subscribed = refer.Get("Refer-Sub") != "false";
  transfer_->referred_by = std::string(refer.Get(sip::Header::kReferredBy));
  if (Hides(leg, refer)) {
    transfer_->referred_by = std::string(kAnonymous);
  } else if (transfer_->referred_by.empty()) {
    transfer_->referred_by = ShownAddress(leg);
  }
  sip::Uri target = targets[0].uri;
  target.RemoveHeaders();
  target.RemoveParameter("method");
  transfer_->target = target.text();

  sip::Message accepted = Answer({transaction, refer}, 202);
  accepted.Add(sip::Header::kContact, ContactOf(leg));
  if (!transfer_->is_subscribed) accepted.Add("Refer-Sub", "false");
  Respond(leg, transaction, std::move(accepted));
  Notify(100, false);
  SetTimer(CallTimer::kTransfer, options_.ring_timeout);
  transfer_->question = AskForTarget(leg, refer, transfer_->target, std::move(replaces));
}

sip::Message Call::Core::MakeTargetInvite(Leg& leg) {
  const Leg& other = legs_[ends_[1 - leg.side]];
  const std::string from = ShownAddress(other);
  const std::string to = OwnAddress(absl::StrCat("<", transfer_->target, ">"), options_.domain);
  const absl::string_view target =
      leg.party.target_uri.empty() ? absl::string_view(transfer_->target) : absl::string_view(leg.party.target_uri);
  sip::Message invite = NameInvite(leg, target, kInitialMaxForwards, from, to);
  invite.Add(sip::Header::kReferredBy, transfer_->referred_by);
  AssertIdentityTo(leg, invite);
  invite.Add(sip::Header::kUserAgent, options_.user_agent);
  // Without an offer: the target's own one fits what it can do, and the other side has one of its own to be asked.
  AddAbilities(leg, kSupportedButReliable, invite);
  return invite;
}

void Call::Core::OnTargetProvisional(Leg& leg, const sip::Message& response) {
  if (response.status() == 100 || response.status() == 199) return;
  leg.dialog->OnResponse(response);
  if (response.Has(sip::Header::kAllow)) leg.allows_update = response.HasElement(sip::Header::kAllow, "UPDATE");
  if (response.status() == transfer_->told_status) return;
  transfer_->told_status = response.status();
  Notify(response.status(), false);
}

void Call::Core::OnTargetSuccess(Leg& leg, const ClientRequest& request, const sip::Message& response) {
  leg.dialog->OnResponse(response);
  leg.state = Leg::State::kAnswered;
  leg.unacknowledged = request.number;
  if (response.Has(sip::Header::kAllow)) leg.allows_update = response.HasElement(sip::Header::kAllow, "UPDATE");
  leg.timer.OnAnswer(response, leg.asked_expires, now_);
  transfer_->answered = leg.number;
  transfer_->answer = response;
  if (leg.party.max_duration != absl::ZeroDuration()) LimitTo(transfer_->found + leg.party.max_duration);
  redirections_ = nullptr;
  CancelTargets("SIP;cause=200;text=\"Call completed elsewhere\"", kNonSelectedUser);
}

void Call::Core::CancelTargets(absl::string_view reason, uint16_t cause) {
  for (Leg& leg : legs_) {
    if (!leg.is_target || leg.state != Leg::State::kInviting) continue;
    if (leg.IsUnasked()) {
      leg.state = Leg::State::kOver;
    } else {
      Cancel(leg, std::string(reason), cause);
    }
  }
}

void Call::Core::JoinTarget() {
  Leg& target = legs_[transfer_->answered];
  const Leg& other = legs_[ends_[1 - target.side]];
  if (exchange_ || after_media_ || other.IsNegotiating()) return;
  const sip::Message answer = *std::exchange(transfer_->answer, std::nullopt);
  CancelTimer(CallTimer::kTransfer);
  absl::StatusOr<sdp::SessionDescription> offer = sdp::SessionDescription::Parse(SdpOf(answer));
  if (!offer.ok() || !HasCarried(*offer)) return FailTransfer(488);
  // What the other side has heard of before stays in its place.
  const absl::StatusOr<sdp::SessionDescription> told = sdp::SessionDescription::Parse(other.sent_sdp);
  transfer_->media_lines = offer->media().size();
  if (told.ok()) offer->AppendRefused(*told);

  exchange_ = std::make_unique<Exchange>();
  exchange_->from = target.number;
  exchange_->to = other.number;
  exchange_->joins = true;
  exchange_->offer = offer->ToString();
  exchange_->before = media_;
  exchange_->sdp_before = other.sent_sdp;
  ends_[target.side] = target.number;
  AskForMedia(ProposedSession({}, *offer, target.side, Peers()), [this](Outcome outcome) {
    if (outcome == Outcome::kDone || outcome == Outcome::kDelayed) return CarryOffer();
    FailJoin(outcome == Outcome::kRefused ? 488 : 503);
  });
}

void Call::Core::FinishJoin(sdp::SessionDescription answer) {
  Leg& target = legs_[exchange_->from];
  exchange_ = nullptr;
  answer.Truncate(transfer_->media_lines);
  Acknowledge(target, std::exchange(target.unacknowledged, 0), target.invite_cseq, *target.dialog,
              WriteSdp(target, std::move(answer)));
  Notify(200, true);
  Leg& transferor = legs_[transfer_->transferor];
  transfer_ = nullptr;
  if (transferor.state == Leg::State::kAnswered) {
    EndLeg(transferor, Ended::By::kController, kNormalClearing);
    SendBye(transferor);
  }
  ScheduleSessionTimers();
}

void Call::Core::FailJoin(uint16_t status) {
  Exchange exchange = std::move(*std::exchange(exchange_, nullptr));
  legs_[exchange.to].sent_sdp = std::move(exchange.sdp_before);
  ends_[legs_[exchange.from].side] = transfer_->transferor;
  CancelTimer(CallTimer::kRing);
  AskForMedia(std::move(exchange.before), nullptr);
  FailTransfer(status);
}

void Call::Core::FailTransfer(uint16_t status, absl::string_view reason) {
  Notify(status, true, reason);
  RestoreEnd(transfer_->latest_end);
  const Leg& transferor = legs_[transfer_->transferor];
  Leg& target = legs_[transfer_->answered];
  if (target.is_target && target.state == Leg::State::kAnswered) {
    EndLeg(target, Ended::By::kController, Q850Cause(status));
    SendBye(target);
  }
  CancelTargets(status == 408 ? "SIP;cause=408" : "", Q850Cause(status));
  transfer_ = nullptr;
  redirections_ = nullptr;
  failure_.reset();
  CancelTimer(CallTimer::kTransfer);
  if (transferor.state == Leg::State::kAnswered) return;
  Finish({EndedBy(transferor), 200, Q850Cause(status),
          absl::StrCat("the transfer has failed: ", status, " ", sip::ReasonPhrase(status))});
}

void Call::Core::Notify(uint16_t status, bool is_last, absl::string_view reason) {
  Leg& leg = legs_[transfer_->transferor];
  if (!transfer_->is_subscribed || leg.state != Leg::State::kAnswered) return;
  sip::Message notify = leg.dialog->MakeRequest(sip::Method::kNotify);
  notify.Add(sip::Header::kContact, ContactOf(leg));
  notify.Add(sip::Header::kUserAgent, options_.user_agent);
  notify.Add(sip::Header::kEvent, transfer_->event);
  notify.Add(sip::Header::kSubscriptionState,
             is_last ? "terminated;reason=noresource"
                     : absl::StrCat("active;expires=", absl::ToInt64Seconds(options_.ring_timeout)));
  notify.SetBody("message/sipfrag;version=2.0",
                 absl::StrCat("SIP/2.0 ", status, " ", reason.empty() ? sip::ReasonPhrase(status) : reason, "\r\n"));
  Send(leg, ClientRequest::Kind::kNotify, std::move(notify));
}

void Call::Core::EndSubscription(const Leg& leg) {
  if (transfer_ != nullptr && transfer_->transferor == leg.number) transfer_->is_subscribed = false;
}

}  // namespace sluice::call
