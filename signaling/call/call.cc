#include "signaling/call/call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "signaling/call/call_core.h"
#include "sluice/state/v1/standing_call.pb.h"

namespace sluice::call {

Call::Call(const CallOptions& options, Names& names) : core_(std::make_unique<Core>(options, names)) {}
Call::~Call() = default;

Actions Call::Start(const sip::Message& invite, sip::ServerTransactionId transaction, const Party& caller,
                    const std::vector<Party>& callees, absl::Time now) {
  return core_->Start(invite, transaction, caller, callees, now);
}

Actions Call::OnRequest(LegNumber leg, sip::ServerTransactionId transaction, const sip::Message& request,
                        const sip::Hop& hop, absl::Time now) {
  return core_->OnRequest(leg, transaction, request, hop, now);
}

Actions Call::OnAck(LegNumber leg, const sip::Message& ack, absl::Time now) { return core_->OnAck(leg, ack, now); }

Actions Call::OnAckMissing(LegNumber leg, sip::ServerTransactionId, absl::Time now) {
  return core_->OnAckMissing(leg, now);
}

Actions Call::OnCancel(LegNumber leg, sip::ServerTransactionId transaction, const sip::Message& cancel,
                       absl::Time now) {
  return core_->OnCancel(leg, transaction, cancel, now);
}

Actions Call::OnResponse(LegNumber leg, RequestNumber number, const sip::Message& response, const sip::Hop&,
                         absl::Time now) {
  return core_->OnResponse(leg, number, response, now);
}

Actions Call::OnRequestFailed(LegNumber leg, RequestNumber number, sip::TransactionFailure failure, absl::Time now) {
  return core_->OnRequestFailed(leg, number, failure, now);
}

Actions Call::OnMedia(const MediaAnswer& answer, absl::Time now) { return core_->OnMedia(answer, now); }

Actions Call::OnRoute(uint32_t question, uint16_t status, const std::vector<Party>& targets, absl::Time now,
                      absl::string_view reason) {
  return core_->OnRoute(question, status, targets, now, reason);
}

Actions Call::OnMediaTimeout(absl::string_view text, absl::Time now) { return core_->OnMediaTimeout(text, now); }

Actions Call::OnTimer(CallTimer timer, absl::Time now) { return core_->OnTimer(timer, now); }

Actions Call::HangUp(Ended::By by, absl::string_view text, absl::Time now) { return core_->HangUp(by, text, now); }

std::optional<Replacement> Call::FindReplacement(LegNumber leg, absl::string_view remote_tag) const {
  return core_->FindReplacement(leg, remote_tag);
}

std::optional<state::v1::Call> Call::StandingState() const { return core_->StandingState(); }

absl::StatusOr<Actions> Call::Restore(const state::v1::Call& state, const CredentialsFunction& credentials,
                                      absl::Time now) {
  return core_->Restore(state, credentials, now);
}

const std::string& Call::AccountOf(LegNumber leg) const { return core_->AccountOf(leg); }

bool Call::IsOnCallersSide(LegNumber leg) const { return core_->IsOnCallersSide(leg); }

LegNumber Call::next_leg() const { return core_->next_leg(); }

bool Call::ended() const { return core_->ended(); }

void Call::Core::Begin(absl::Time now) {
  now_ = now;
  actions_.clear();
  // What most events ask for; actions are large, and dear to move.
  actions_.reserve(4);
}

Actions Call::Core::Take() {
  if (transfer_ != nullptr && transfer_->answer) JoinTarget();
  while (early_ != nullptr && exchange_ == nullptr && !early_->successes.empty()) {
    const EarlyCaller::HeldSuccess held = std::move(early_->successes.front());
    early_->successes.erase(early_->successes.begin());
    OnInviteResponse(legs_[held.request.leg], held.request, held.response);
  }
  if (end_ && !ended_ && IsOver()) {
    ended_ = true;
    for (Leg& leg : legs_) Close(leg);
    for (uint32_t i = 0; timers_ != 0; ++i) CancelTimer(static_cast<CallTimer>(i));
    actions_.push_back(Ended{end_->by, end_->status, end_->cause, end_->text});
  }
  return std::move(actions_);
}

Leg* Call::Core::Find(LegNumber number) { return number < legs_.size() ? &legs_[number] : nullptr; }

const Leg* Call::Core::Opposite(const Leg& leg) const {
  if (leg.side == 1 || callee() != kCaller) return &legs_[ends_[1 - leg.side]];
  return legs_.size() == 2 ? &legs_[1] : nullptr;
}

sip::Hop Call::Core::HopOf(const Leg& leg) const {
  sip::Hop hop = leg.party.hop;
  if (leg.party.behind_nat || !leg.dialog) return hop;
  const std::optional<sip::Uri> uri = sip::Uri::Parse(leg.dialog->NextHop());
  if (!uri || uri->Transport().value_or(hop.protocol) != hop.protocol) return hop;
  const std::optional<sip::Endpoint> endpoint = uri->Address();
  // Names are not looked up in the middle of a call, and addresses of another family are not reached from here.
  if (!endpoint || endpoint->is_v6 != hop.remote.is_v6 || *endpoint == hop.remote) return hop;
  hop.remote = *endpoint;
  hop.connection = 0;
  return hop;
}

std::string Call::Core::ContactFor(const Party& party, absl::string_view local_address) {
  std::string user;
  if (const std::optional<sip::NameAddress> local = sip::NameAddress::Parse(local_address)) {
    user = local->uri.DecodedUser();
  }
  sip::Uri uri = sip::Uri::SipAt(user, party.advertised);
  if (party.hop.protocol != sip::Protocol::kUdp) {
    // A URI says ws over TLS too (RFC 7118 5.2).
    const sip::Protocol named = party.hop.protocol == sip::Protocol::kWss ? sip::Protocol::kWs : party.hop.protocol;
    uri.SetParameter("transport", absl::AsciiStrToLower(sip::ProtocolName(named)));
  }
  return absl::StrCat("<", uri.text(), ">");
}

RequestNumber Call::Core::Send(Leg& leg, ClientRequest::Kind kind, sip::Message message, ServerRequest passed) {
  ClientRequest request;
  request.number = ++last_request_;
  request.leg = leg.number;
  request.kind = kind;
  request.method = message.method();
  request.cseq = message.CSeqNumber();
  NameSession(leg, Opposite(leg), message);
  request.passed = std::move(passed);
  if (leg.credentials != nullptr) {
    leg.credentials->Authorize(message, names_.NewTag());
    request.sent = std::make_shared<const sip::Message>(message);
  }
  requests_.push_back(std::move(request));
  actions_.push_back(SendRequest{leg.number, last_request_, std::move(message), HopOf(leg)});
  return last_request_;
}

void Call::Core::Acknowledge(Leg& leg, RequestNumber number, uint32_t cseq, const sip::Dialog& dialog,
                             absl::string_view sdp) {
  sip::Message ack = dialog.MakeAck(cseq);
  ack.Add(sip::Header::kUserAgent, options_.user_agent);
  NameSession(leg, Opposite(leg), ack);
  if (leg.credentials != nullptr) leg.credentials->AuthorizeAck(ack);
  if (!sdp.empty()) ack.SetBody("application/sdp", sdp);
  actions_.push_back(SendAck{leg.number, number, std::move(ack), HopOf(leg)});
}

sip::Message Call::Core::Answer(const ServerRequest& request, uint16_t status, absl::string_view text) const {
  const absl::string_view tag = legs_.empty() ? absl::string_view() : legs_[kCaller].dialog->local_tag();
  sip::Message response = sip::Message::ResponseTo(request.request, status, tag, text);
  if (status > 100) response.Add(sip::Header::kServer, options_.user_agent);
  return response;
}

void Call::Core::Respond(const Leg& leg, sip::ServerTransactionId transaction, sip::Message message) {
  if (!message.Has(sip::Header::kSessionId)) NameSession(leg, Opposite(leg), message);
  actions_.push_back(call::Respond{leg.number, transaction, std::move(message)});
}

void Call::Core::Refuse(const Leg& leg, sip::ServerTransactionId transaction, const sip::Message& request,
                        uint16_t status, absl::string_view text) {
  Respond(leg, transaction, Answer({transaction, request}, status, text));
}

Actions Call::Core::OnResponse(LegNumber number, RequestNumber request_number, const sip::Message& response,
                               absl::Time now) {
  Begin(now);
  Leg* leg = Find(number);
  if (leg == nullptr || ended_) return Take();
  leg->Hear(now);
  LearnSession(*leg, response);
  TakeResponse(*leg, request_number, response);
  return Take();
}

Actions Call::Core::OnRequestFailed(LegNumber number, RequestNumber request_number, sip::TransactionFailure failure,
                                    absl::Time now) {
  Begin(now);
  Leg* leg = Find(number);
  if (leg == nullptr || ended_) return Take();
  const uint16_t status = failure == sip::TransactionFailure::kTimeout ? 408 : 503;
  TakeResponse(*leg, request_number, sip::Message::Response(status));
  return Take();
}

void Call::Core::TakeResponse(Leg& leg, RequestNumber request_number, const sip::Message& response) {
  const auto found = std::find_if(requests_.begin(), requests_.end(), [&](const ClientRequest& request) {
    return request.number == request_number && request.leg == leg.number;
  });
  if (found == requests_.end()) {
    // A further 2xx to an INVITE that forked on its way (RFC 3261 13.2.2.4).
    if (request_number == leg.invite && response.is_success()) EndSpareDialog(leg, response);
    return;
  }
  const ClientRequest request = *found;
  if (response.is_final()) requests_.erase(found);
  if (AnswerChallenge(leg, request, response)) return;
  switch (request.kind) {
    case ClientRequest::Kind::kInvite:
      OnInviteResponse(leg, request, response);
      break;
    case ClientRequest::Kind::kOffer:
      OnOfferResponse(request, response);
      break;
    case ClientRequest::Kind::kRefresh:
      OnRefreshResponse(request, response);
      break;
    case ClientRequest::Kind::kPassed:
      PassResponse(request, response);
      break;
    case ClientRequest::Kind::kNotify:
      if (response.is_final() && !response.is_success()) EndSubscription(leg);
      break;
    case ClientRequest::Kind::kPrack:
      // A callee that does not take it says in the end what becomes of the INVITE.
      break;
    case ClientRequest::Kind::kProbe:
      OnProbeResponse(request, response);
      break;
    case ClientRequest::Kind::kBye:
      // Whatever it says: the peer has seen the BYE, or does not know the dialog.
      if (response.is_final()) leg.state = Leg::State::kOver;
      break;
  }
}

}  // namespace sluice::call
