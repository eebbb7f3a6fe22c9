#include "signaling/sip/digest_server.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "signaling/sip/text.h"
#include "signaling/sip/uri.h"

namespace sluice::sip {
namespace {

// 16 hex digits of microseconds, then 12 bytes of the MAC in hex.
constexpr size_t kStampDigits = 16;
constexpr size_t kMacBytes = 12;
constexpr uint32_t kWindow = 64;
// In the old form with one nonce; a phone that goes on beyond it gets a new one.
constexpr size_t kMaxLegacyResponses = 64;

bool SameBytes(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// The digest's uri is that of the request: to the letter, or for the same user at the same host. Ports and parameters
// may differ, since phones leave them out in one of the two.
bool NamesSameTarget(absl::string_view digest_uri, absl::string_view request_uri) {
  if (digest_uri == request_uri) return true;
  const std::optional<Uri> a = Uri::Parse(digest_uri);
  const std::optional<Uri> b = Uri::Parse(request_uri);
  return a && b && a->DecodedUser() == b->DecodedUser() && absl::EqualsIgnoreCase(a->host(), b->host());
}

// Without an algorithm it is MD5.
std::optional<DigestAlgorithm> AlgorithmOf(const DigestCredentials& credentials) {
  return credentials.algorithm.empty() ? DigestAlgorithm::kMd5 : ParseDigestAlgorithm(credentials.algorithm);
}

}  // namespace

DigestServer::DigestServer(const DigestServerOptions& options, absl::string_view key)
    : options_(options), mac_(nullptr, EVP_MAC_CTX_free) {
  EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  mac_.reset(EVP_MAC_CTX_new(algorithm));
  EVP_MAC_free(algorithm);
  std::string digest = "SHA2-256";
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
  EVP_MAC_init(mac_.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), parameters.data());
}

std::string DigestServer::Mac(absl::string_view stamp) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  size_t size = 0;
  // Begins anew with the key that it has.
  EVP_MAC_init(mac_.get(), nullptr, 0, nullptr);
  EVP_MAC_update(mac_.get(), reinterpret_cast<const unsigned char*>(stamp.data()), stamp.size());
  EVP_MAC_final(mac_.get(), mac.data(), &size, mac.size());
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(mac.data()), kMacBytes));
}

std::string DigestServer::MakeNonce(absl::Time now) {
  // Two nonces must differ, also when they are made at one time.
  last_stamp_ = std::max(last_stamp_ + 1, static_cast<uint64_t>(std::max<int64_t>(absl::ToUnixMicros(now), 0)));
  const std::string stamp = absl::StrCat(absl::Hex(last_stamp_, absl::kZeroPad16));
  return absl::StrCat(stamp, Mac(stamp));
}

std::optional<uint64_t> DigestServer::ReadNonce(absl::string_view nonce) const {
  if (nonce.size() != kStampDigits + 2 * kMacBytes) return std::nullopt;
  const absl::string_view stamp = nonce.substr(0, kStampDigits);
  uint64_t value = 0;
  if (!SameBytes(nonce.substr(kStampDigits), Mac(stamp)) || !absl::SimpleHexAtoi(stamp, &value)) return std::nullopt;
  return value;
}

std::vector<std::string> DigestServer::Challenges(bool stale, absl::Time now) {
  DigestChallenge challenge;
  challenge.realm = options_.realm;
  challenge.nonce = MakeNonce(now);
  challenge.qop = {"auth"};
  challenge.stale = stale;
  std::vector<std::string> values;
  for (const DigestAlgorithm algorithm : options_.algorithms) {
    challenge.algorithm = std::string(DigestAlgorithmName(algorithm));
    values.push_back(challenge.ToString());
  }
  return values;
}

std::optional<DigestCredentials> DigestServer::Choose(const Message& request, Header header,
                                                      DigestVerdict& verdict) const {
  std::optional<DigestCredentials> chosen;
  size_t best = options_.algorithms.size();
  for (const absl::string_view value : request.Elements(header)) {
    // Other schemes are for somebody else.
    if (!absl::StartsWithIgnoreCase(value, "Digest")) continue;
    std::optional<DigestCredentials> credentials = DigestCredentials::Parse(value);
    if (!credentials) {
      verdict = {DigestOutcome::kMalformed, "", absl::StrCat(HeaderName(header), ": damaged digest credentials")};
      continue;
    }
    if (credentials->realm != options_.realm) continue;
    const std::optional<DigestAlgorithm> algorithm = AlgorithmOf(*credentials);
    const auto offered = std::find(options_.algorithms.begin(), options_.algorithms.end(), algorithm);
    const size_t rank = static_cast<size_t>(offered - options_.algorithms.begin());
    if (rank == options_.algorithms.size()) {
      verdict = {DigestOutcome::kMalformed, "",
                 absl::StrCat(HeaderName(header), ": a digest algorithm that was not offered")};
    } else if (rank < best) {
      best = rank;
      chosen = std::move(credentials);
    }
  }
  return chosen;
}

DigestVerdict DigestServer::Check(const Message& request, Header header, Lookup lookup, absl::Time now) {
  DigestVerdict verdict;
  const std::optional<DigestCredentials> credentials = Choose(request, header, verdict);
  if (!credentials) return verdict;
  const auto malformed = [header](absl::string_view text) {
    return DigestVerdict{DigestOutcome::kMalformed, "", absl::StrCat(HeaderName(header), ": ", text)};
  };
  const DigestAlgorithm algorithm = *AlgorithmOf(*credentials);
  if (!credentials->qop.empty() && credentials->qop != "auth") return malformed("a digest qop that was not offered");
  if (credentials->response.size() != DigestHexSize(algorithm)) return malformed("digest response of a wrong length");
  if (!NamesSameTarget(credentials->uri, request.request_uri())) {
    return malformed("digest uri is not the Request-URI");
  }

  // An unknown user, or one without a hash of this algorithm, takes as long as a known one.
  const std::optional<DigestSecret> secret = lookup(credentials->username, algorithm);
  const std::string nobody(DigestHexSize(algorithm), '0');
  const bool right =
      SameBytes(DigestResponse(secret ? secret->hash_a1 : nobody, request.method_name(), *credentials, algorithm),
                credentials->response);
  verdict.username = credentials->username;
  if (!secret || !right || (credentials->qop.empty() && !secret->allow_legacy)) {
    verdict.outcome = DigestOutcome::kWrong;
  } else {
    verdict.outcome = TakeNonce(*credentials, now);
  }
  verdict.text.clear();
  return verdict;
}

DigestOutcome DigestServer::TakeNonce(const DigestCredentials& credentials, absl::Time now) {
  const uint64_t oldest =
      static_cast<uint64_t>(std::max<int64_t>(absl::ToUnixMicros(now - options_.nonce_lifetime), 0));
  while (!used_.empty() && used_.begin()->first < oldest) used_.erase(used_.begin());
  const std::optional<uint64_t> stamp = ReadNonce(credentials.nonce);
  if (!stamp || *stamp < oldest || *stamp <= forgotten_) return DigestOutcome::kStale;

  Use& use = used_[*stamp];
  DigestOutcome outcome = DigestOutcome::kOk;
  if (credentials.qop.empty()) {
    uint64_t beginning = 0;
    // Parse has seen that these are hex digits.
    (void)absl::SimpleHexAtoi(credentials.response.substr(0, 16), &beginning);
    if (std::find(use.responses.begin(), use.responses.end(), beginning) != use.responses.end()) {
      outcome = DigestOutcome::kReplayed;
    } else if (use.responses.size() >= kMaxLegacyResponses) {
      outcome = DigestOutcome::kStale;
    } else {
      use.responses.push_back(beginning);
    }
  } else if (credentials.nonce_count > use.highest_count) {
    const uint32_t step = credentials.nonce_count - use.highest_count;
    use.taken = (step < kWindow ? use.taken << step : 0) | 1;
    use.highest_count = credentials.nonce_count;
  } else {
    const uint32_t behind = use.highest_count - credentials.nonce_count;
    // What is behind the window may have been taken.
    if (behind >= kWindow || ((use.taken >> behind) & 1) != 0) {
      outcome = DigestOutcome::kReplayed;
    } else {
      use.taken |= uint64_t{1} << behind;
    }
  }
  if (used_.size() > options_.max_used_nonces) {
    forgotten_ = used_.begin()->first;
    used_.erase(used_.begin());
  }
  return outcome;
}

}  // namespace sluice::sip
