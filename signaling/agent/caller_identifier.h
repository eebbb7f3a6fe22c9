// Who sends a request that is to be passed on: a trunk, known by its certificate or its address, or an account, by its
// credentials.
//
// What From, Privacy and, of a trunk that is trusted with it, P-Asserted-Identity say of the sender is read here
// (RFC 3323, RFC 3325).
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_CALLER_IDENTIFIER_H_
#define SLUICE_SIGNALING_AGENT_CALLER_IDENTIFIER_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/authenticator.h"
#include "signaling/agent/router.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"

namespace sluice::agent {

class CallerIdentifier {
 public:
  // One of the three is set.
  struct Result {
    std::optional<CallerIdentity> who;
    // 400: From cannot be read; 403: it names somebody else than the account.
    uint16_t status = 0;
    absl::string_view reason;
    // Of the authenticator, for somebody who has not shown who he is.
    std::optional<sip::Message> challenge;
  };

  // Both outlive the identifier.
  CallerIdentifier(const Router& router, Authenticator& authenticator)
      : router_(router), authenticator_(authenticator) {}

  // `to_tag` is for the challenge.
  Result Identify(const sip::Message& request, const sip::Hop& hop, absl::string_view to_tag, absl::Time now);

 private:
  const Router& router_;
  Authenticator& authenticator_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_CALLER_IDENTIFIER_H_
