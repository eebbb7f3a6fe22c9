// A REGISTER of an account that has proved who it is, turned into a registrar's words, and the registrar's result into
// the response (RFC 3261 10.3, RFC 3327, RFC 5626).
//
// Threads: the shard's; functions of their arguments.
#ifndef SLUICE_SIGNALING_AGENT_REGISTRATION_H_
#define SLUICE_SIGNALING_AGENT_REGISTRATION_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/registrar/registrar.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"

namespace sluice::agent {

registrar::Registration ReadRegistration(const sip::Message& request, const sip::Hop& hop, absl::string_view account);

// 200 with all contacts that the account has now and the seconds that each has left; 423 with Min-Expires; else the
// registrar's status and reason.
sip::Message MakeRegisterResponse(const sip::Message& request, const registrar::RegistrationResult& result,
                                  absl::string_view to_tag, absl::Time now);

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_REGISTRATION_H_
