// Who sends a request: its credentials against the accounts of the store, and the answer to whoever has none.
//
// REGISTER is challenged by 401, all else by 407, each time with a fresh nonce. A wrong answer gets a challenge again,
// the third one in a row from the same address for the same name 403 (FailureLimiter). Names that we do not know are
// treated like wrong passwords, in the same time, so nobody learns who has an account. An address that fails very
// often, and an account that very many fail for, has to wait (FailureBackoff): what comes meanwhile is refused by 403
// whatever it says. Phones go on that are registered from the address that they come from, so nobody locks them out.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_AUTHENTICATOR_H_
#define SLUICE_SIGNALING_AGENT_AUTHENTICATOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/failure_backoff.h"
#include "signaling/agent/failure_limiter.h"
#include "signaling/sip/digest.h"
#include "signaling/sip/digest_server.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"
#include "signaling/store/account.h"
#include "signaling/store/store.h"

namespace sluice::agent {

struct AuthenticatorOptions {
  std::string realm;
  // As they are offered, best first. Not empty.
  std::vector<sip::DigestAlgorithm> algorithms = {sip::DigestAlgorithm::kSha256, sip::DigestAlgorithm::kMd5};
  absl::Duration nonce_lifetime = absl::Seconds(60);
  // Wrong answers in a row until the refusal, and the silence after which they are forgotten.
  uint32_t tries = 3;
  absl::Duration failure_window = absl::Minutes(5);
  size_t max_failures = 10000;
  // Wrong answers of one address, or for one account, until further ones have to wait, and how long at most.
  uint32_t failures_until_wait = 20;
  absl::Duration longest_wait = absl::Minutes(5);
};

class Authenticator {
 public:
  // One of the two is set.
  struct Result {
    std::shared_ptr<const store::Account> account;
    // Without Server.
    std::optional<sip::Message> refusal;
  };

  // `key`: 32 random bytes that nobody else knows. `store` outlives the authenticator.
  Authenticator(const AuthenticatorOptions& options, store::Store& store, absl::string_view key);

  // `to_tag` is for the refusal.
  Result Authenticate(const sip::Message& request, const sip::Hop& hop, absl::string_view to_tag, absl::Time now);

 private:
  // Too many wrong answers came from this address or for this account.
  bool MustWait(const std::string& address, const std::string& account, const sip::Hop& hop, absl::Time now) const;
  bool IsRegisteredFrom(const std::string& account, const sip::Hop& hop, absl::Time now) const;
  sip::Message Challenge(const sip::Message& request, bool stale, absl::string_view to_tag, absl::Time now);

  const AuthenticatorOptions options_;
  store::Store& store_;
  sip::DigestServer digest_;
  FailureLimiter failures_;
  FailureBackoff addresses_;
  FailureBackoff accounts_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_AUTHENTICATOR_H_
