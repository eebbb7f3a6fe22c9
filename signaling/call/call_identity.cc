#include <optional>

#include "signaling/call/call_core.h"
#include "signaling/call/header_passing.h"
#include "signaling/call/privacy.h"
#include "signaling/sip/name_address.h"

namespace sluice::call {

std::string Call::Core::ShownAddress(const Leg& leg) const {
  if (leg.number == kCaller && hides_caller_) return std::string(kAnonymous);
  return OwnAddress(leg.dialog->remote(), options_.domain, leg.party.display_name);
}

bool Call::Core::Hides(const Leg& leg, const sip::Message& message) const {
  if (HidesSender(message)) return true;
  if (leg.number != kCaller) return false;
  const std::optional<sip::NameAddress> address = sip::NameAddress::Parse(leg.dialog->remote());
  return hides_caller_ || (address.has_value() && IsAnonymous(address->uri));
}

void Call::Core::AssertIdentityTo(const Leg& leg, sip::Message& invite) {
  if (leg.party.invitation == nullptr || leg.party.invitation->identity.empty()) return;
  AssertIdentity(leg.party.invitation->identity, leg.party.invitation->hides_identity, invite);
}

void Call::Core::PassIdentity(const Leg& from, const Leg& to, const sip::Message& message, sip::Message& passed) const {
  if (!from.party.is_trusted || !to.party.is_trusted) return;
  for (const absl::string_view identity : message.Elements(sip::Header::kPAssertedIdentity)) {
    passed.Add(sip::Header::kPAssertedIdentity, identity);
  }
}

}  // namespace sluice::call
