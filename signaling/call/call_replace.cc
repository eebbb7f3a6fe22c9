#include <optional>
#include <string>

#include "signaling/call/call_core.h"
#include "signaling/sip/header_values.h"
#include "signaling/sip/name_address.h"

namespace sluice::call {

std::optional<Replacement> Call::Core::FindReplacement(LegNumber number, absl::string_view remote_tag) {
  const Leg* leg = Find(number);
  if (end_ || leg == nullptr || !leg->dialog || !IsEnd(*leg) || leg->dialog->remote_tag() != remote_tag) {
    return std::nullopt;
  }
  // Of one who has not answered the other end knows only if something has come from it or its like.
  const bool is_early = number != kCaller && leg->state == Leg::State::kInviting && ringing_ && invite_;
  const Leg* other = is_early ? &caller() : Opposite(*leg);
  const Leg::State state = is_early ? Leg::State::kInviting : Leg::State::kAnswered;
  if (other == nullptr || leg->state != state || other->state != state) return std::nullopt;
  Replacement replacement = {leg->party.account, other->party, NumberOf(*other), is_early};
  const sip::Dialog& dialog = *other->dialog;
  Party& party = replacement.party;
  party.hop = HopOf(*other);
  party.target_uri = dialog.remote_target();
  party.route = dialog.routes();
  party.group = 0;
  party.max_duration = absl::ZeroDuration();
  sip::Replaces replaces;
  replaces.call_id = dialog.call_id();
  replaces.to_tag = std::string(dialog.remote_tag());
  replaces.from_tag = std::string(dialog.local_tag());
  // If the call is answered meanwhile, it stays where it is.
  replaces.early_only = is_early;
  party.invitation = std::make_shared<const Invitation>(Invitation{.replaces = replaces.ToString()});
  return replacement;
}

std::string Call::Core::NumberOf(const Leg& leg) {
  const std::optional<sip::NameAddress> address = sip::NameAddress::Parse(leg.dialog->remote());
  return address ? address->uri.DecodedUser() : std::string();
}

}  // namespace sluice::call
