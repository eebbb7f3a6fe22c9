#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/call/call_core.h"
#include "signaling/call/header_passing.h"
#include "signaling/call/q850.h"

namespace sluice::call {
namespace {

// The peer does not know the dialog any more (RFC 5057 5.1). For requests of a subscription that says nothing about the
// call.
bool EndsTheCall(const sip::Message& response, sip::Method method) {
  const bool of_subscription =
      method == sip::Method::kNotify || method == sip::Method::kSubscribe || method == sip::Method::kRefer;
  return response.status() == 481 && !of_subscription;
}

}  // namespace

Actions Call::Core::OnRequest(LegNumber number, sip::ServerTransactionId transaction, const sip::Message& request,
                              const sip::Hop& hop, absl::Time now) {
  Begin(now);
  Leg* leg = Find(number);
  if (leg == nullptr || !leg->dialog || request.FromTag() != leg->dialog->remote_tag()) {
    actions_.push_back(call::Respond{number, transaction, sip::Message::ResponseTo(request, 481, "")});
    return Take();
  }
  leg->Hear(now);
  LearnSession(*leg, request);
  if (leg->dialog->OnRequest(request) == sip::Dialog::Order::kOutOfOrder) {
    Refuse(*leg, transaction, request, 500, "CSeq Out Of Order");
    return Take();
  }
  // Where its packets come from may change with its NAT's mind.
  if (leg->party.behind_nat && hop.remote.port != 0) leg->party.hop = hop;
  if (request.method() == sip::Method::kBye) {
    OnBye(*leg, transaction, request);
  } else if (end_ || leg->state == Leg::State::kEnding || leg->state == Leg::State::kOver) {
    Refuse(*leg, transaction, request, 481);
  } else if (request.method() == sip::Method::kInvite || request.method() == sip::Method::kUpdate) {
    OnOfferRequest(*leg, transaction, request);
  } else if (request.method() == sip::Method::kPrack) {
    OnPrack(*leg, transaction, request);
  } else if (request.method() == sip::Method::kRefer && !options_.passes_refer) {
    OnRefer(*leg, transaction, request);
  } else {
    PassRequest(*leg, transaction, request);
  }
  return Take();
}

void Call::Core::PassRequest(Leg& leg, sip::ServerTransactionId transaction, const sip::Message& request) {
  Leg* other = Opposite(leg);
  if (other == nullptr || other->state == Leg::State::kOver || !other->dialog || !other->dialog->is_established()) {
    return Refuse(leg, transaction, request, 480);
  }
  const std::optional<uint32_t> max_forwards = PassedMaxForwards(request);
  if (!max_forwards) return Refuse(leg, transaction, request, 483);
  sip::Message passed = other->dialog->MakeRequest(request.method_name());
  passed.Set(sip::Header::kMaxForwards, absl::StrCat(*max_forwards));
  if (request.Has(sip::Header::kContact)) passed.Add(sip::Header::kContact, ContactOf(*other));
  PassHeaders(request, options_.blocked_headers, passed);
  PassBody(request, passed);
  Send(*other, ClientRequest::Kind::kPassed, std::move(passed), {transaction, request, leg.number});
}

void Call::Core::PassResponse(const ClientRequest& request, const sip::Message& response) {
  // RFC 4320: a provisional response to what is no INVITE does more harm than good.
  if (response.is_provisional()) return;
  const Leg& other = legs_[request.passed.leg];
  sip::Message passed =
      PassedResponse(request.passed.request, response, caller().dialog->local_tag(), options_.blocked_headers);
  if (response.Has(sip::Header::kContact)) passed.Add(sip::Header::kContact, ContactOf(other));
  Respond(other, request.passed.transaction, std::move(passed));
  if (EndsTheCall(response, request.method)) {
    Leg& leg = legs_[request.leg];
    leg.state = Leg::State::kOver;
    if (!IsEnd(leg)) return EndLeg(leg, EndedBy(leg), kTemporaryFailure);
    Finish({EndedBy(leg), 200, kTemporaryFailure, "the peer does not know the dialog any more"});
  }
}

}  // namespace sluice::call
