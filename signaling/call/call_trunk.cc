#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "signaling/call/call_core.h"
#include "signaling/call/q850.h"

namespace sluice::call {
namespace {

// A peer that calls every answer stale is left alone.
constexpr uint32_t kMostChallenges = 3;

// RFC 5393 5.3.3.
constexpr uint32_t kDefaultBreadth = 60;

}  // namespace

bool Call::Core::InviteNextGroup() {
  std::optional<uint32_t> next;
  for (const Leg& leg : legs_) {
    if (leg.IsUnasked()) next = std::min(next.value_or(leg.party.group), leg.party.group);
  }
  if (!next) return false;
  const auto count = std::count_if(legs_.begin(), legs_.end(),
                                   [&](const Leg& leg) { return leg.IsUnasked() && leg.party.group == *next; });
  if (invite_ && !DivideBreadth(static_cast<uint32_t>(count))) return true;
  absl::Duration patience;
  bool more = false;
  for (Leg& leg : legs_) {
    if (!leg.IsUnasked()) continue;
    if (leg.party.group == *next) {
      patience = std::max(patience, leg.party.patience);
      InviteCallee(leg);
    } else {
      more = true;
    }
  }
  if (more && patience > absl::ZeroDuration()) SetTimer(CallTimer::kPatience, patience);
  SetTimer(transfer_ == nullptr ? CallTimer::kRing : CallTimer::kTransfer, options_.ring_timeout);
  return true;
}

void Call::Core::OnSilence() {
  const auto is_asked = [](const Leg& leg) {
    return leg.number != kCaller && leg.state == Leg::State::kInviting && !leg.IsUnasked();
  };
  if (end_ || std::none_of(legs_.begin(), legs_.end(), [](const Leg& leg) { return leg.IsUnasked(); })) return;
  if (std::any_of(legs_.begin(), legs_.end(), [&](const Leg& leg) { return is_asked(leg) && leg.answered; })) return;
  // Whatever they answer yet is too late; a 2xx gets its BYE.
  for (Leg& leg : legs_) {
    if (is_asked(leg)) Cancel(leg, "SIP;cause=408", kTimerExpiry);
  }
  InviteNextGroup();
}

bool Call::Core::DivideBreadth(uint32_t count) {
  const sip::Message& invite = invite_->request;
  const uint32_t whole = sip::ParseSeconds(invite.Get(sip::Header::kMaxBreadth)).value_or(kDefaultBreadth);
  breadth_ = invite.Has(sip::Header::kMaxBreadth) || count > 1 ? whole / count : 0;
  if (count <= whole) return true;
  RefuseCaller(440, "");
  return false;
}

bool Call::Core::AnswerChallenge(Leg& leg, const ClientRequest& request, const sip::Message& response) {
  if (leg.credentials == nullptr || (response.status() != 401 && response.status() != 407)) return false;
  // Nobody wants this answer any more; a BYE's is wanted until the end.
  if (leg.state == Leg::State::kCancelling || (end_ && request.kind != ClientRequest::Kind::kBye)) return false;
  if (request.challenges >= kMostChallenges) return false;
  if (!leg.credentials->Accept(response, request.challenges == 0)) return false;
  if (request.kind == ClientRequest::Kind::kInvite) {
    InviteCallee(leg);
    requests_.back().challenges = request.challenges + 1;
    return true;
  }
  sip::Message again = *request.sent;
  const sip::Message next = leg.dialog->MakeRequest(again.method_name());
  again.Set(sip::Header::kCSeq, next.Get(sip::Header::kCSeq));
  const RequestNumber number = Send(leg, request.kind, std::move(again), request.passed);
  requests_.back().challenges = request.challenges + 1;
  if (exchange_ && exchange_->carried == request.number) exchange_->carried = number;
  return true;
}

}  // namespace sluice::call
