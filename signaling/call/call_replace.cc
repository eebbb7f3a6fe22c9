#include <optional>
#include <string>

#include "signaling/call/call_core.h"
#include "signaling/sip/header_values.h"
#include "signaling/sip/name_address.h"

namespace sluice::call {

std::optional<Replacement> Call::Core::FindReplacement(LegNumber number, absl::string_view remote_tag) {
  const Leg* leg = Find(number);
  if (end_ || leg == nullptr || leg->state != Leg::State::kAnswered || !IsEnd(*leg)) return std::nullopt;
  if (leg->dialog->remote_tag() != remote_tag) return std::nullopt;
  const Leg* other = Opposite(*leg);
  if (other == nullptr || other->state != Leg::State::kAnswered) return std::nullopt;
  Replacement replacement = {leg->party.account, other->party, NumberOf(*other)};
  const sip::Dialog& dialog = *other->dialog;
  Party& party = replacement.party;
  party.hop = HopOf(*other);
  party.target_uri = dialog.remote_target();
  party.route = dialog.routes();
  party.group = 0;
  sip::Replaces replaces;
  replaces.call_id = dialog.call_id();
  replaces.to_tag = std::string(dialog.remote_tag());
  replaces.from_tag = std::string(dialog.local_tag());
  party.replaces = replaces.ToString();
  return replacement;
}

std::string Call::Core::NumberOf(const Leg& leg) {
  const std::optional<sip::NameAddress> address = sip::NameAddress::Parse(leg.dialog->remote());
  return address ? address->uri.DecodedUser() : std::string();
}

}  // namespace sluice::call
