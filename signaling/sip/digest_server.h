// Asks for credentials and checks them (RFC 7616, RFC 8760), without keeping anything for those who only ask.
//
// Nonces carry their own proof: a time stamp and a MAC of it by a key that is made at start, so a challenge costs no
// memory. They are bound to no address, since NAT changes those. What has been used is remembered from the first right
// answer on: for each nonce a window over its nonce counts, so that requests may overtake each other and none is taken
// twice. In the old form (RFC 2069) there is no count: each response value is taken once in its nonce's lifetime, so a
// header that was overheard opens nothing. That memory is bounded; beyond it the oldest nonces count as stale.
//
// The digest is checked before the nonce, in time that does not tell whether the user exists: kWrong means that the
// password is wrong, and only somebody who knows it learns that a nonce was stale or used.
//
// Threads: the shard's. Each shard has a server and a key of its own, else a nonce could be used once a shard; a phone
// that comes to another shard with an old nonce is told that it is stale and answers the fresh one.
#ifndef SLUICE_SIGNALING_SIP_DIGEST_SERVER_H_
#define SLUICE_SIGNALING_SIP_DIGEST_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/sip/digest.h"
#include "signaling/sip/header_name.h"
#include "signaling/sip/message.h"

// OpenSSL's EVP_MAC_CTX.
struct evp_mac_ctx_st;

namespace sluice::sip {

struct DigestServerOptions {
  std::string realm;
  // As they are offered, best first (RFC 8760 2.4). Not empty.
  std::vector<DigestAlgorithm> algorithms = {DigestAlgorithm::kSha256, DigestAlgorithm::kMd5};
  absl::Duration nonce_lifetime = absl::Minutes(5);
  // Nonces whose use is remembered.
  size_t max_used_nonces = 100000;
};

// What an account has for one algorithm.
struct DigestSecret {
  // H(A1) in hex, as in store::DigestHash.
  std::string hash_a1;
  // Takes the old form without qop.
  bool allow_legacy = false;
};

enum class DigestOutcome : uint8_t {
  kOk,
  // None for our realm: challenge.
  kNoCredentials,
  // The password is right and the nonce is too old or not ours: challenge with stale=true.
  kStale,
  // The password is right and the very same answer was taken before: challenge with stale=true.
  kReplayed,
  // Wrong password, no such user, or the old form where it is not allowed: challenge, count, in the end 403.
  kWrong,
  // 400 with `text`.
  kMalformed,
};

struct DigestVerdict {
  DigestOutcome outcome = DigestOutcome::kNoCredentials;
  // As the client names itself, also if it is wrong; empty for kNoCredentials and kMalformed.
  std::string username;
  // For kMalformed: one line, fit for a reason phrase.
  std::string text;
};

class DigestServer {
 public:
  // The secret of a user for an algorithm; nothing if there is no such user.
  using Lookup = absl::FunctionRef<std::optional<DigestSecret>(absl::string_view username, DigestAlgorithm algorithm)>;

  // `key`: 32 random bytes that nobody else knows.
  DigestServer(const DigestServerOptions& options, absl::string_view key);

  // Values for WWW-Authenticate or Proxy-Authenticate, one field each, with one fresh nonce.
  std::vector<std::string> Challenges(bool stale, absl::Time now);

  // Checks what `request` has in `header` (kAuthorization or kProxyAuthorization) for our realm; of several credentials
  // the one of the algorithm that we offer first. Not for ACK and CANCEL, which cannot be challenged.
  DigestVerdict Check(const Message& request, Header header, Lookup lookup, absl::Time now);

 private:
  // What has been taken with one nonce.
  struct Use {
    uint32_t highest_count = 0;
    // Bit n: highest_count - n was taken.
    uint64_t taken = 0;
    // Beginnings of the responses in the old form.
    absl::InlinedVector<uint64_t, 1> responses;
  };

  std::string MakeNonce(absl::Time now);
  // The time stamp of a nonce of ours; nothing if it is none.
  std::optional<uint64_t> ReadNonce(absl::string_view nonce) const;
  std::string Mac(absl::string_view stamp) const;
  // The credentials to be checked; else the verdict without them.
  std::optional<DigestCredentials> Choose(const Message& request, Header header, DigestVerdict& verdict) const;
  DigestOutcome TakeNonce(const DigestCredentials& credentials, absl::Time now);

  const DigestServerOptions options_;
  // HMAC with the key, for one nonce after the other.
  std::unique_ptr<evp_mac_ctx_st, void (*)(evp_mac_ctx_st*)> mac_;
  uint64_t last_stamp_ = 0;
  // By time stamp. Nonces up to `forgotten_` are stale, for what was taken with them is not known any more.
  absl::btree_map<uint64_t, Use> used_;
  uint64_t forgotten_ = 0;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_DIGEST_SERVER_H_
