// The arithmetic and the texts of digest authentication (RFC 7616, with the algorithms of RFC 8760 for SIP and the old
// form of RFC 2069, which has no qop): what DigestServer and DigestClient are made of.
//
// Only qop=auth and no qop are known; "-sess" algorithms and auth-int are not, and nobody offers them in SIP.
//
// Threads: any; pure functions.
#ifndef SLUICE_SIGNALING_SIP_DIGEST_H_
#define SLUICE_SIGNALING_SIP_DIGEST_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sluice::sip {

enum class DigestAlgorithm : uint8_t { kMd5, kSha256, kSha512_256 };

// "MD5", "SHA-256", "SHA-512-256": as in challenges and in store::DigestHash.
absl::string_view DigestAlgorithmName(DigestAlgorithm algorithm);
// In any case. Nothing for another word.
std::optional<DigestAlgorithm> ParseDigestAlgorithm(absl::string_view name);
// Of a response or H(A1) in hex: 32 or 64.
size_t DigestHexSize(DigestAlgorithm algorithm);

// H(A1) of RFC 7616 3.4.2 in lower-case hex: what an account keeps instead of the password.
std::string HashA1(absl::string_view user, absl::string_view realm, absl::string_view password,
                   DigestAlgorithm algorithm);

// Authorization or Proxy-Authorization: Digest username="…", … Values without their quotes.
struct DigestCredentials {
  std::string username;
  std::string realm;
  std::string nonce;
  std::string uri;
  // Lower-case hex.
  std::string response;
  // Empty: none was given, which means MD5.
  std::string algorithm;
  std::string opaque;
  // The three are there together or not at all (RFC 2069).
  std::string qop;
  std::string cnonce;
  uint32_t nonce_count = 0;

  // Nothing for another scheme, a parameter that is missing, doubled or damaged, an nc that is not 8 hex digits from 1
  // on, or a response that is no hex. Unknown parameters are skipped.
  static std::optional<DigestCredentials> Parse(absl::string_view value);
  // "Digest username=…".
  std::string ToString() const;
};

// WWW-Authenticate or Proxy-Authenticate.
struct DigestChallenge {
  std::string realm;
  std::string nonce;
  std::string opaque;
  // Empty: MD5.
  std::string algorithm;
  // "auth", "auth-int", …; empty: the old form is asked for.
  std::vector<std::string> qop;
  bool stale = false;

  // Nothing for another scheme or without realm and nonce.
  static std::optional<DigestChallenge> Parse(absl::string_view value);
  std::string ToString() const;
};

// The response of RFC 7616 3.4.1 for `credentials` (without qop: of RFC 2069 2.1.2), in lower-case hex.
// `hash_a1`: from HashA1.
std::string DigestResponse(absl::string_view hash_a1, absl::string_view method, const DigestCredentials& credentials,
                           DigestAlgorithm algorithm);

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_DIGEST_H_
