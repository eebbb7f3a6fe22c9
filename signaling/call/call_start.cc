#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "signaling/call/call_core.h"
#include "signaling/call/header_passing.h"
#include "signaling/call/privacy.h"
#include "signaling/call/q850.h"
#include "signaling/call/session_body.h"

namespace sluice::call {

Actions Call::Core::Start(const sip::Message& invite, sip::ServerTransactionId transaction, const Party& caller,
                          const std::vector<Party>& callees, absl::Time now) {
  Begin(now);
  invite_ = ServerRequest{transaction, invite};
  Leg& leg = legs_.emplace_back();
  leg.SetParty(caller);
  leg.dialog = sip::Dialog::OfReceivedRequest(invite, names_.NewTag());
  LearnSession(leg, invite);
  hides_caller_ = HidesSender(invite);
  leg.allows_update = invite.HasElement(sip::Header::kAllow, "UPDATE");
  if (ReliableResponses::IsSupportedBy(invite)) {
    early_ = std::make_unique<EarlyCaller>(invite, names_.NewCSeq());
  }
  for (const Party& callee : callees) {
    AddLeg(1, callee);
  }
  actions_.push_back(DialogMade{kCaller, leg.dialog->call_id(), std::string(leg.dialog->local_tag())});
  Respond(leg, transaction, Answer(*invite_, 100));
  if (CheckInvite() && !callees.empty()) InviteCallees();
  return Take();
}

Leg& Call::Core::AddLeg(size_t side, const Party& party) {
  Leg& leg = legs_.emplace_back();
  leg.number = static_cast<LegNumber>(legs_.size() - 1);
  leg.side = side;
  leg.Hear(now_);
  leg.SetParty(party);
  return leg;
}

bool Call::Core::CheckInvite() {
  const sip::Message& invite = invite_->request;
  const std::vector<absl::string_view> unsupported = invite.UnsupportedOptions({"timer", "100rel", "replaces"});
  if (!PassedMaxForwards(invite)) {
    RefuseCaller(483, "");
  } else if (!unsupported.empty()) {
    RefuseCaller(420, "", sip::Header::kUnsupported, absl::StrJoin(unsupported, ", "));
  } else if (SessionTimer::IsTooShort(invite)) {
    RefuseCaller(422, "", sip::Header::kMinSe, absl::StrCat(SessionTimer::kMinSeconds));
  }
  return invite_.has_value();
}

void Call::Core::InviteCallees() {
  const absl::string_view sdp = SdpOf(invite_->request);
  if (sdp.empty()) {
    late_offer_ = true;
    InviteNextGroup();
    return;
  }
  const absl::StatusOr<sdp::SessionDescription> offer = sdp::SessionDescription::Parse(sdp);
  if (!offer.ok()) {
    return RefuseCaller(488, "", sip::Header::kWarning,
                        absl::StrCat("399 ", options_.domain, " ", "\"malformed SDP\""));
  }
  if (!options_.media_released && !HasCarried(*offer)) {
    return RefuseCaller(488, "", sip::Header::kWarning,
                        absl::StrCat("304 ", options_.domain, " ", "\"no media line that can be carried\""));
  }
  AskForMedia(ProposedSession({}, *offer, 0, Peers()), [this](Outcome outcome) {
    if (outcome == Outcome::kDone) {
      InviteNextGroup();
      return;
    }
    if (outcome == Outcome::kRefused) return RefuseCaller(488, "");
    RefuseCaller(503, "", sip::Header::kRetryAfter, absl::StrCat(options_.retry_after_seconds));
  });
}

void Call::Core::InviteCallee(Leg& leg) {
  const bool first = !leg.dialog;
  if (!first) ForgetEarly(leg);
  sip::Message invite = leg.is_target ? MakeTargetInvite(leg) : MakeInvite(leg);
  leg.dialog = sip::Dialog::OfSentRequest(invite);
  leg.invite_cseq = invite.CSeqNumber();
  if (first) actions_.push_back(DialogMade{leg.number, leg.dialog->call_id(), std::string(leg.dialog->local_tag())});
  leg.invite = Send(leg, ClientRequest::Kind::kInvite, std::move(invite));
}

sip::Message Call::Core::MakeInvite(Leg& leg) {
  const sip::Message& theirs = invite_->request;
  const absl::string_view target =
      leg.party.target_uri.empty() ? theirs.request_uri() : absl::string_view(leg.party.target_uri);
  const std::string from = ShownAddress(caller());
  const std::string to = OwnAddress(theirs.Get(sip::Header::kTo), options_.domain);
  sip::Message invite = NameInvite(leg, target, *PassedMaxForwards(theirs), from, to);
  PassHeaders(theirs, options_.blocked_headers, invite);
  AssertIdentityTo(leg, invite);
  if (breadth_ != 0) invite.Add(sip::Header::kMaxBreadth, absl::StrCat(breadth_));
  if (!theirs.Has(sip::Header::kUserAgent)) invite.Add(sip::Header::kUserAgent, options_.user_agent);
  AddAbilities(leg, TakesReliableResponses() ? kSupported : kSupportedButReliable, invite);
  if (late_offer_) {
    PassBody(theirs, invite);
  } else {
    // It was read before media was asked for.
    PassSessionBody(theirs, WriteSdp(leg, *sdp::SessionDescription::Parse(SdpOf(theirs))), invite);
  }
  return invite;
}

sip::Message Call::Core::NameInvite(const Leg& leg, absl::string_view target, uint32_t max_forwards,
                                    absl::string_view from, absl::string_view to) {
  const Invitation none;
  const Invitation& own = leg.party.invitation == nullptr ? none : *leg.party.invitation;
  if (!own.from.empty()) from = own.from;
  if (!own.to.empty()) to = own.to;
  sip::Message invite = sip::Message::Request(sip::Method::kInvite, *sip::Uri::Parse(target));
  for (const std::string& route : leg.party.route) invite.Add(sip::Header::kRoute, route);
  invite.Add(sip::Header::kMaxForwards, absl::StrCat(max_forwards));
  if (leg.dialog) {
    // Once more after a 422 or a challenge: the same call with the next CSeq (RFC 4028 7.3, RFC 3261 22.2).
    invite.Add(sip::Header::kFrom, leg.dialog->local());
    invite.Add(sip::Header::kTo, to);
    invite.Add(sip::Header::kCallId, leg.dialog->call_id());
    invite.Add(sip::Header::kCSeq, absl::StrCat(leg.invite_cseq + 1, " INVITE"));
  } else {
    invite.Add(sip::Header::kFrom, absl::StrCat(from, ";tag=", names_.NewTag()));
    invite.Add(sip::Header::kTo, to);
    invite.Add(sip::Header::kCallId, names_.NewCallId());
    invite.Add(sip::Header::kCSeq, absl::StrCat(names_.NewCSeq(), " INVITE"));
  }
  invite.Add(sip::Header::kContact, ContactFor(leg.party, invite.Get(sip::Header::kFrom)));
  if (!own.replaces.empty()) invite.Add(sip::Header::kReplaces, own.replaces);
  return invite;
}

void Call::Core::AddAbilities(Leg& leg, absl::string_view supported, sip::Message& invite) {
  invite.Add(sip::Header::kAllow, kAllow);
  invite.Add(sip::Header::kSupported, supported);
  if (options_.session_expires == absl::ZeroDuration()) return;
  leg.asked_expires = std::max(options_.session_expires, absl::Seconds(leg.min_expires));
  invite.Add(sip::Header::kSessionExpires, absl::StrCat(absl::ToInt64Seconds(leg.asked_expires)));
  if (leg.min_expires != 0) invite.Add(sip::Header::kMinSe, absl::StrCat(leg.min_expires));
}

void Call::Core::RefuseCaller(uint16_t status, absl::string_view text, sip::Header header, absl::string_view value) {
  sip::Message response = Answer(*invite_, status, text);
  if (header != sip::Header::kOther) response.Add(header, value);
  const std::string reason(response.reason());
  Respond(caller(), invite_->transaction, std::move(response));
  invite_.reset();
  caller().state = Leg::State::kOver;
  Finish({Ended::By::kController, status, Q850Cause(status), reason});
}

}  // namespace sluice::call
