#include "signaling/sip/digest_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace sluice::sip {
namespace {

// Nothing: an algorithm or a qop that we do not know.
std::optional<DigestAlgorithm> Answerable(const DigestChallenge& challenge) {
  const bool has_auth = std::any_of(challenge.qop.begin(), challenge.qop.end(),
                                    [](const std::string& qop) { return absl::EqualsIgnoreCase(qop, "auth"); });
  if (!challenge.qop.empty() && !has_auth) return std::nullopt;
  return challenge.algorithm.empty() ? DigestAlgorithm::kMd5 : ParseDigestAlgorithm(challenge.algorithm);
}

}  // namespace

bool DigestClient::Accept(const Message& response) {
  const Header asked = response.status() == 407 ? Header::kProxyAuthenticate : Header::kWwwAuthenticate;
  std::optional<DigestChallenge> best;
  DigestAlgorithm best_algorithm = DigestAlgorithm::kMd5;
  for (const absl::string_view value : response.Elements(asked)) {
    std::optional<DigestChallenge> challenge = DigestChallenge::Parse(value);
    const std::optional<DigestAlgorithm> algorithm = challenge ? Answerable(*challenge) : std::nullopt;
    if (!algorithm || (!realm_.empty() && challenge->realm != realm_)) continue;
    if (best && *algorithm <= best_algorithm) continue;
    best = std::move(challenge);
    best_algorithm = *algorithm;
  }
  if (!best) return false;
  if (challenge_ && nonce_count_ > 0 && challenge_->realm == best->realm && !best->stale) return false;
  challenge_ = std::move(best);
  algorithm_ = best_algorithm;
  header_ = response.status() == 407 ? Header::kProxyAuthorization : Header::kAuthorization;
  nonce_count_ = 0;
  return true;
}

void DigestClient::Authorize(Message& request, absl::string_view cnonce) {
  if (!challenge_) return;
  ++nonce_count_;
  DigestCredentials credentials;
  credentials.username = username_;
  credentials.realm = challenge_->realm;
  credentials.nonce = challenge_->nonce;
  credentials.uri = std::string(request.request_uri());
  credentials.algorithm = challenge_->algorithm;
  credentials.opaque = challenge_->opaque;
  if (!challenge_->qop.empty()) {
    credentials.qop = "auth";
    credentials.cnonce = std::string(cnonce);
    credentials.nonce_count = nonce_count_;
  }
  credentials.response = DigestResponse(HashA1(username_, challenge_->realm, password_, algorithm_),
                                        request.method_name(), credentials, algorithm_);
  request.Set(header_, credentials.ToString());
}

}  // namespace sluice::sip
