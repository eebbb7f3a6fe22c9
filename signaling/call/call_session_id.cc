#include "signaling/call/call_core.h"
#include "signaling/call/session_id.h"

namespace sluice::call {
namespace {

constexpr absl::string_view kBlockedName = "session-id";

}  // namespace

void Call::Core::LearnSession(Leg& leg, const sip::Message& message) {
  const std::optional<SessionId> id = SessionId::Parse(message.Get(sip::Header::kSessionId));
  if (id && !id->local.is_nil()) {
    const Leg* other = Opposite(leg);
    // What a peer of before RFC 7989 gives back is the other end's.
    const bool is_echo = !id->remote && other != nullptr && id->local == other->session;
    if (!is_echo) leg.session = id->local;
  }
  // 100 is the next hop's.
  if (leg.session.is_nil() && message.status() != 100) {
    leg.session = SessionUuid::OfRandom(names_.NewNumber(), names_.NewNumber());
  }
}

void Call::Core::NameSession(const Leg& leg, const Leg* sender, sip::Message& message) const {
  if (options_.blocked_headers.contains(kBlockedName)) return;
  const SessionId id = {sender == nullptr ? SessionUuid() : sender->session, leg.session};
  message.Set(sip::Header::kSessionId, id.ToString());
}

const Leg* Call::Core::SenderOf(const sip::Message& response) const {
  for (const Leg& leg : legs_) {
    if (leg.number != kCaller && leg.dialog && leg.dialog->call_id() == response.CallId()) return &leg;
  }
  return nullptr;
}

}  // namespace sluice::call
