#include "signaling/call/call_core.h"
#include "signaling/call/header_passing.h"
#include "signaling/call/privacy.h"

namespace sluice::call {

std::string Call::Core::ShownAddress(const Leg& leg) const {
  if (leg.number == kCaller && hides_caller_) return std::string(kAnonymous);
  return OwnAddress(leg.dialog->remote(), options_.domain, leg.party.display_name);
}

void Call::Core::PassIdentity(const Leg& from, const Leg& to, const sip::Message& message, sip::Message& passed) const {
  if (!from.party.is_trusted || !to.party.is_trusted) return;
  for (const absl::string_view identity : message.Elements(sip::Header::kPAssertedIdentity)) {
    passed.Add(sip::Header::kPAssertedIdentity, identity);
  }
}

}  // namespace sluice::call
