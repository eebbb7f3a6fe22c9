// Who may register and call: one row a number.
#ifndef SLUICE_SIGNALING_STORE_ACCOUNT_H_
#define SLUICE_SIGNALING_STORE_ACCOUNT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace sluice::store {

// H(user:realm:password) of RFC 7616 3.4.2, in lower-case hex. The password itself is never kept.
struct DigestHash {
  std::string realm;
  // As in the challenge: "MD5", "SHA-256".
  std::string algorithm;
  std::string hash;
};

struct Account {
  // The number or user name, also the digest user name. 1 to 64 bytes.
  std::string name;
  // Shown to the other side; may be empty, any UTF-8.
  std::string display_name;
  // Takes digest answers in the old form without qop (RFC 2069). They can be replayed while their nonce lives, so only
  // for phones that need it.
  bool allow_legacy_digest = false;
  // Whether a redirection (3xx) of its phones is followed or goes to the caller. Nothing: as the controller's config
  // says.
  std::optional<bool> follow_redirections;
  absl::Time create_time;
  std::vector<DigestHash> digests;

  // The hash for this realm and algorithm; null if there is none.
  const DigestHash* FindDigest(const std::string& realm, const std::string& algorithm) const {
    for (const DigestHash& digest : digests) {
      if (digest.realm == realm && digest.algorithm == algorithm) return &digest;
    }
    return nullptr;
  }
};

}  // namespace sluice::store

#endif  // SLUICE_SIGNALING_STORE_ACCOUNT_H_
