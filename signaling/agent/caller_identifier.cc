#include "signaling/agent/caller_identifier.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "signaling/call/privacy.h"
#include "signaling/sip/name_address.h"

namespace sluice::agent {
namespace {

CallerIdentity OfTrunk(std::shared_ptr<const routing::Trunk> trunk, const sip::NameAddress& from,
                       const sip::Message& request) {
  CallerIdentity who;
  who.trunk = std::move(trunk);
  who.number = from.uri.DecodedUser();
  who.display_name = from.display_name;
  who.anonymous = call::IsAnonymous(from.uri) || call::HidesSender(request);
  if (!who.trunk->trusts_identities) return who;
  who.identity = absl::StrJoin(request.Elements(sip::Header::kPAssertedIdentity), ", ");
  const std::vector<sip::NameAddress> asserted = request.Addresses(sip::Header::kPAssertedIdentity);
  // Records say who it is.
  if (call::IsAnonymous(from.uri) && !asserted.empty()) {
    who.number = asserted[0].uri.DecodedUser();
    who.display_name = asserted[0].display_name;
  }
  return who;
}

}  // namespace

CallerIdentifier::Result CallerIdentifier::Identify(const sip::Message& request, const sip::Hop& hop,
                                                    absl::string_view to_tag, absl::Time now) {
  Result result;
  const std::optional<sip::NameAddress> from = request.From();
  if (auto trunk = router_.TrunkOf(hop); trunk != nullptr) {
    if (from.has_value()) {
      result.who = OfTrunk(std::move(trunk), *from, request);
    } else {
      result.status = 400;
      result.reason = "From cannot be read";
    }
    return result;
  }
  Authenticator::Result proof = authenticator_.Authenticate(request, hop, to_tag, now);
  if (proof.account == nullptr) {
    result.challenge = std::move(proof.refusal);
    return result;
  }
  const bool names_nobody = from.has_value() && call::IsAnonymous(from->uri);
  if (!from.has_value() || (!names_nobody && from->uri.DecodedUser() != proof.account->name)) {
    result.status = 403;
    result.reason = "From is not the account's own number";
    return result;
  }
  CallerIdentity& who = result.who.emplace();
  who.account = std::move(proof.account);
  who.number = who.account->name;
  who.anonymous = names_nobody || call::HidesSender(request);
  who.display_name = names_nobody || from->display_name.empty() ? who.account->display_name : from->display_name;
  return result;
}

}  // namespace sluice::agent
