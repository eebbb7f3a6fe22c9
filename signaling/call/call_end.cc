#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/call/call_core.h"
#include "signaling/call/header_passing.h"
#include "signaling/call/q850.h"
#include "signaling/sip/text.h"

namespace sluice::call {
namespace {

// 64*T1: after that a peer that owes an answer is given up (RFC 3261 9.1).
constexpr absl::Duration kLinger = absl::Seconds(32);

}  // namespace

Actions Call::Core::OnAck(LegNumber number, const sip::Message& ack, absl::Time now) {
  Begin(now);
  Leg* leg = Find(number);
  if (leg == nullptr || !leg->ack_awaited) return Take();
  leg->Hear(now);
  LearnSession(*leg, ack);
  leg->ack_awaited = false;
  if (leg->bye_after_ack) {
    leg->bye_after_ack = false;
    SendBye(*leg);
  } else if (!end_ && exchange_ && exchange_->from == number) {
    OnOfferAck(ack);
  } else if (!end_ && number == kCaller) {
    OnCallerAck(ack);
  }
  return Take();
}

Actions Call::Core::OnAckMissing(LegNumber number, absl::Time now) {
  Begin(now);
  Leg* leg = Find(number);
  if (leg == nullptr || !leg->ack_awaited) return Take();
  leg->ack_awaited = false;
  if (leg->bye_after_ack) {
    leg->bye_after_ack = false;
    SendBye(*leg);
  } else if (IsEnd(*leg)) {
    Finish({Ended::By::kController, 200, kTimerExpiry, "no ACK came"});
  }
  return Take();
}

Actions Call::Core::OnCancel(LegNumber number, sip::ServerTransactionId transaction, const sip::Message& cancel,
                             absl::Time now) {
  Begin(now);
  Leg* leg = Find(number);
  if (leg == nullptr || end_) return Take();
  if (invite_ && invite_->transaction == transaction) {
    Respond(*leg, transaction, Answer(*invite_, 487));
    invite_.reset();
    leg->state = Leg::State::kOver;
    Finish({Ended::By::kCaller, 487, NamedCause(cancel, kNormalClearing), "cancelled by the caller"}, &cancel);
  } else if (exchange_ && exchange_->request.transaction == transaction) {
    // The other side decides: its 487 or its 2xx is passed on.
    if (exchange_->carried != 0) {
      actions_.push_back(
          CancelRequest{exchange_->to, exchange_->carried, std::string(cancel.Get(sip::Header::kReason))});
    }
  }
  return Take();
}

Actions Call::Core::OnMediaTimeout(absl::string_view text, absl::Time now) {
  Begin(now);
  Finish({Ended::By::kMediaTimeout, static_cast<uint16_t>(invite_ ? 480 : 200), kTimerExpiry, std::string(text)});
  return Take();
}

Actions Call::Core::HangUp(Ended::By by, absl::string_view text, absl::Time now) {
  Begin(now);
  Finish({by, static_cast<uint16_t>(invite_ ? 480 : 200), kNormalClearing, std::string(text)});
  return Take();
}

void Call::Core::OnBye(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& bye) {
  if (leg.number != kCaller && leg.state == Leg::State::kInviting) {
    // A callee ends its early dialog by answering the INVITE (RFC 3261 15).
    return Refuse(leg, transaction, bye, 481);
  }
  Refuse(leg, transaction, bye, 200);
  leg.ack_awaited = false;
  const uint16_t cause = NamedCause(bye, kNormalClearing);
  if (end_ || !IsEnd(leg)) {
    EndLeg(leg, EndedBy(leg), cause);
    // Ours crosses it, or need not wait for the ACK any more.
    if (std::exchange(leg.bye_after_ack, false)) leg.state = Leg::State::kOver;
    return;
  }
  leg.state = Leg::State::kOver;
  // A transferor need not wait for what becomes of its transfer.
  if (transfer_ != nullptr && transfer_->transferor == leg.number) {
    EndLeg(leg, EndedBy(leg), cause);
    return EndSubscription(leg);
  }
  const Ended::By by = EndedBy(leg);
  if (invite_) {
    const uint16_t status = leg.number == kCaller ? 487 : 480;
    return Finish({by, status, cause, "BYE before the answer reached the caller"}, &bye);
  }
  const std::vector<sip::Reason> reasons = bye.Reasons();
  Finish({by, 200, cause, reasons.empty() ? std::string() : reasons[0].text}, &bye);
}

void Call::Core::Finish(End end, const sip::Message* message) {
  if (end_) return;
  end_ = std::move(end);
  after_media_ = nullptr;
  if (early_ != nullptr) early_->answer.reset();
  transfer_ = nullptr;
  redirections_ = nullptr;
  for (uint32_t i = 0; timers_ != 0; ++i) CancelTimer(static_cast<CallTimer>(i));
  if (invite_) {
    Respond(caller(), invite_->transaction, Answer(*invite_, end_->status < 300 ? 480 : end_->status));
    invite_.reset();
    caller().state = Leg::State::kOver;
  }
  if (exchange_ && exchange_->request.transaction != 0) {
    Respond(legs_[exchange_->from], exchange_->request.transaction, Answer(exchange_->request, 487));
  }
  exchange_.reset();
  for (const ClientRequest& request : requests_) {
    if (request.kind != ClientRequest::Kind::kPassed) continue;
    Respond(legs_[request.passed.leg], request.passed.transaction, Answer(request.passed, 481));
  }
  // What is no INVITE needs nothing of us when its answer comes.
  std::erase_if(requests_, [](const ClientRequest& request) { return request.method != sip::Method::kInvite; });
  for (Leg& leg : legs_) {
    if (leg.state == Leg::State::kAnswered) {
      SendBye(leg, message);
    } else if (leg.state == Leg::State::kInviting && leg.invite == 0) {
      leg.state = Leg::State::kOver;
    } else if (leg.state == Leg::State::kInviting) {
      Cancel(leg, message == nullptr ? std::string() : std::string(message->Get(sip::Header::kReason)), end_->cause);
    }
  }
  if (media_created_) actions_.push_back(DeleteMedia{});
  media_created_ = false;
  actions_.push_back(Ending{{end_->by, end_->status, end_->cause, end_->text}});
  if (!IsOver()) SetTimer(CallTimer::kRing, kLinger);
}

void Call::Core::SendBye(Leg& leg, const sip::Message* message) {
  leg.state = Leg::State::kEnding;
  if (leg.ack_awaited) {
    leg.bye_after_ack = true;
    return;
  }
  if (leg.unacknowledged != 0) {
    Acknowledge(leg, std::exchange(leg.unacknowledged, 0), leg.invite_cseq, *leg.dialog, "");
  }
  sip::Message bye = leg.dialog->MakeRequest(sip::Method::kBye);
  if (message != nullptr) {
    PassHeaders(*message, options_.blocked_headers, bye);
    bye.Remove(sip::Header::kUserAgent);
  } else if (end_ && !end_->text.empty()) {
    bye.Add(sip::Header::kReason, absl::StrCat("Q.850;cause=", end_->cause, ";text=", sip::Quote(end_->text)));
  }
  bye.Add(sip::Header::kUserAgent, options_.user_agent);
  Send(leg, ClientRequest::Kind::kBye, std::move(bye));
}

void Call::Core::Cancel(Leg& leg, std::string reason, uint16_t cause) {
  leg.state = Leg::State::kCancelling;
  actions_.push_back(CancelRequest{leg.number, leg.invite, std::move(reason)});
  EndLeg(leg, Ended::By::kController, cause);
}

void Call::Core::EndLeg(const Leg& leg, Ended::By by, uint16_t cause) {
  if (!end_) actions_.push_back(LegEnded{leg.number, by, cause});
}

void Call::Core::Close(Leg& leg) {
  if (!leg.dialog) return;
  actions_.push_back(DialogEnded{leg.number, leg.dialog->call_id(), std::string(leg.dialog->local_tag())});
}

bool Call::Core::IsOver() const {
  return requests_.empty() &&
         std::all_of(legs_.begin(), legs_.end(), [](const Leg& leg) { return leg.state == Leg::State::kOver; });
}

}  // namespace sluice::call
