#include "signaling/agent/authenticator.h"

#include <algorithm>
#include <utility>

namespace sluice::agent {
namespace {

bool IsRegister(const sip::Message& request) { return request.method() == sip::Method::kRegister; }

}  // namespace

Authenticator::Authenticator(const AuthenticatorOptions& options, store::Store& store, absl::string_view key)
    : options_(options),
      store_(store),
      digest_({.realm = options.realm, .algorithms = options.algorithms, .nonce_lifetime = options.nonce_lifetime},
              key),
      failures_(options.tries, options.failure_window, options.max_failures),
      addresses_(options.failures_until_wait, options.longest_wait, options.max_failures),
      accounts_(options.failures_until_wait, options.longest_wait, options.max_failures) {}

bool Authenticator::IsRegisteredFrom(const std::string& account, const sip::Hop& hop, absl::Time now) const {
  const std::shared_ptr<const store::BindingSet> bindings = store_.FindBindings(account);
  return std::any_of(bindings->begin(), bindings->end(), [&](const store::Binding& binding) {
    const std::optional<sip::Endpoint> source = sip::Endpoint::Parse(binding.source);
    return binding.expire_time > now && source.has_value() && source->SameAddress(hop.remote);
  });
}

bool Authenticator::MustWait(const std::string& address, const std::string& account, const sip::Hop& hop,
                             absl::Time now) const {
  const bool held = addresses_.MustWait(address, now) || accounts_.MustWait(account, now);
  return held && !IsRegisteredFrom(account, hop, now);
}

sip::Message Authenticator::Challenge(const sip::Message& request, bool stale, absl::string_view to_tag,
                                      absl::Time now) {
  const bool is_register = IsRegister(request);
  sip::Message response = sip::Message::ResponseTo(request, is_register ? 401 : 407, to_tag);
  for (const std::string& challenge : digest_.Challenges(stale, now)) {
    response.Add(is_register ? sip::Header::kWwwAuthenticate : sip::Header::kProxyAuthenticate, challenge);
  }
  return response;
}

Authenticator::Result Authenticator::Authenticate(const sip::Message& request, const sip::Hop& hop,
                                                  absl::string_view to_tag, absl::Time now) {
  std::shared_ptr<const store::Account> account;
  const auto lookup = [&](absl::string_view name, sip::DigestAlgorithm algorithm) -> std::optional<sip::DigestSecret> {
    account = store_.FindAccount(name);
    if (account == nullptr) return std::nullopt;
    const store::DigestHash* hash =
        account->FindDigest(options_.realm, std::string(sip::DigestAlgorithmName(algorithm)));
    if (hash == nullptr) return std::nullopt;
    return sip::DigestSecret{hash->hash, account->allow_legacy_digest};
  };
  const sip::DigestVerdict verdict = digest_.Check(
      request, IsRegister(request) ? sip::Header::kAuthorization : sip::Header::kProxyAuthorization, lookup, now);
  const std::string address = hop.remote.Address();
  if (!verdict.username.empty() && MustWait(address, verdict.username, hop, now)) {
    return {nullptr, sip::Message::ResponseTo(request, 403, to_tag)};
  }
  switch (verdict.outcome) {
    case sip::DigestOutcome::kOk:
      failures_.Succeed(address, verdict.username);
      return {std::move(account), std::nullopt};
    case sip::DigestOutcome::kNoCredentials:
      return {nullptr, Challenge(request, false, to_tag, now)};
    case sip::DigestOutcome::kStale:
    case sip::DigestOutcome::kReplayed:
      return {nullptr, Challenge(request, true, to_tag, now)};
    case sip::DigestOutcome::kWrong:
      addresses_.Fail(address, now);
      accounts_.Fail(verdict.username, now);
      if (failures_.Fail(address, verdict.username, now)) {
        return {nullptr, sip::Message::ResponseTo(request, 403, to_tag)};
      }
      return {nullptr, Challenge(request, false, to_tag, now)};
    case sip::DigestOutcome::kMalformed:
      break;
  }
  return {nullptr, sip::Message::ResponseTo(request, 400, to_tag, verdict.text)};
}

}  // namespace sluice::agent
