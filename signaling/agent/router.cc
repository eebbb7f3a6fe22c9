#include "signaling/agent/router.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "signaling/agent/tried_server.h"
#include "signaling/agent/trunk_parties.h"
#include "signaling/sip/text.h"

namespace sluice::agent {
namespace {

// As hosts are compared: lower case, IPv6 without brackets and in its usual form.
std::string NormalHost(absl::string_view host) {
  if (const auto address = sip::Endpoint::Make(host, 0); address.has_value()) return address->Address();
  return absl::AsciiStrToLower(host);
}

}  // namespace

Router::Router(const std::vector<std::string>& domains, const Parts& parts, std::function<uint64_t()> random)
    : parts_(parts), random_(std::move(random)) {
  for (const std::string& domain : domains) domains_.insert(NormalHost(domain));
  for (const transport::Listener& listener : parts.network.listeners()) {
    domains_.insert(listener.address.Address());
    if (const auto advertised = sip::ParseHostPort(listener.advertised); advertised.has_value()) {
      domains_.insert(NormalHost(advertised->host));
    }
  }
}

bool Router::IsOurs(const sip::Uri& uri, const sip::Hop& hop) const {
  // tel: has no host: whoever asks us means our numbers.
  if (uri.scheme() == sip::Scheme::kTel) return true;
  const std::string host = NormalHost(uri.host());
  return domains_.contains(host) || host == hop.local.Address();
}

Router::Route Router::Find(const sip::Uri& uri, const sip::Hop& hop, const CallerIdentity& who,
                           absl::string_view own_host, absl::Time now) const {
  Route route;
  route.number = uri.DecodedUser();
  if (!IsOurs(uri, hop)) {
    route.status = 404;
    route.reason = "Domain is not served here";
    return route;
  }
  if (auto account = parts_.store.FindAccount(route.number); account != nullptr) {
    GoToAccount(std::move(account), now, route);
  } else {
    GoByRoutes(who, own_host, now, route);
  }
  return route;
}

void Router::GoToAccount(std::shared_ptr<const store::Account> account, absl::Time now, Route& route) const {
  if (account == nullptr) {
    route.status = 404;
    return;
  }
  route.account = account->name;
  route.display_name = account->display_name;
  for (const registrar::Target& target : parts_.registrar.Locate(account->name, now)) {
    // A binding whose addresses cannot be read any more is no way to anybody.
    if (call::Party callee = Callee(target, *account); !callee.target_uri.empty()) {
      route.callees.push_back(std::move(callee));
    }
  }
  if (route.callees.empty()) {
    route.status = 480;
    route.reason = "Not registered";
  }
}

void Router::GoByRoutes(const CallerIdentity& who, absl::string_view own_host, absl::Time now, Route& route) const {
  using Kind = routing::Origin::Kind;
  const routing::Route* found =
      plan_->FindRoute({who.account != nullptr ? Kind::kAccount : Kind::kTrunk, who.name()}, route.number);
  if (found != nullptr && found->refusal != 0) {
    route.status = found->refusal;
    route.reason = "Number is blocked";
    return;
  }
  const std::string called = found == nullptr ? "" : found->called.Apply(route.number);
  if (called.empty()) {
    route.status = 404;
    return;
  }
  route.media_released = found->media_released;
  if (found->trunks.empty()) {
    const bool by_number = found->account == routing::Route::kNumbersAccount;
    return GoToAccount(parts_.store.FindAccount(by_number ? called : found->account), now, route);
  }
  const TrunkCall call = {
      called, found->calling.Apply(who.number), who.display_name, who.anonymous, who.identity, who.account != nullptr};
  std::vector<std::pair<std::shared_ptr<const routing::Trunk>, call::Party>> ways;
  for (const std::shared_ptr<const routing::Trunk>& trunk : routing::OrderToTry(found->trunks, random_)) {
    for (call::Party& party : TrunkParties(*trunk, parts_.servers.Find(*trunk), call, own_host, parts_.network)) {
      ways.emplace_back(trunk, std::move(party));
    }
  }
  std::stable_partition(ways.begin(), ways.end(),
                        [this](const auto& way) { return !parts_.health.IsDown(TriedServer::At(way.second.hop)); });
  if (ways.empty()) {
    route.status = 503;
    route.reason = "No server of the trunk is known";
    return;
  }
  for (auto& [trunk, party] : ways) {
    // One after the other.
    party.group = static_cast<uint32_t>(route.callees.size());
    route.callees.push_back(std::move(party));
    route.trunks.push_back(std::move(trunk));
  }
  route.account = route.trunks.front()->name;
  route.called = called;
  route.skips_admission = found->skips_admission;
}

std::shared_ptr<const routing::Trunk> Router::TrunkOf(const sip::Hop& hop) const {
  auto trunk = plan_->FindCertificate(parts_.network.ClientIdentities(hop));
  const std::string opened_for = parts_.network.TlsPeerOf(hop.tls_peer).trunk;
  if (trunk == nullptr) trunk = plan_->FindSource(hop.remote, opened_for);
  return trunk != nullptr ? trunk : parts_.servers.FindSource(hop.remote, opened_for);
}

std::optional<CallerIdentity> Router::Recognize(const std::string& name, bool is_account,
                                                const std::string& number) const {
  CallerIdentity who;
  who.number = number;
  if (!is_account) {
    who.trunk = plan_->FindTrunk(name);
    return who.trunk == nullptr ? std::nullopt : std::optional(who);
  }
  who.account = parts_.store.FindAccount(name);
  if (who.account == nullptr) return std::nullopt;
  who.number = who.account->name;
  who.display_name = who.account->display_name;
  return who;
}

call::Party Router::Caller(const sip::Message& invite, const sip::Hop& hop, const CallerIdentity& who) const {
  call::Party caller;
  caller.hop = hop;
  caller.is_phone = who.trunk == nullptr;
  const std::optional<sip::NameAddress> contact = invite.Contact();
  // A trunk is where its Contact says, as among servers.
  caller.behind_nat = who.trunk == nullptr &&
                      (transport::IsOpenedByPhones(hop.protocol) ||
                       (contact.has_value() && registrar::IsBehindNat(contact->uri.text(), hop.remote.ToString())));
  caller.hop.only_connection = caller.behind_nat;
  if (who.trunk != nullptr && transport::IsSecure(hop.protocol)) {
    caller.hop.tls_peer = parts_.servers.TlsPeerAt(
        *who.trunk, hop.remote, routing::CertificateNameOf(*who.trunk, parts_.network.ClientIdentities(hop)));
  }
  caller.advertised = parts_.network.Advertised(hop);
  caller.account = who.name();
  caller.is_trusted = who.trunk != nullptr && who.trunk->trusts_identities;
  if (who.account != nullptr) caller.display_name = who.account->display_name;
  if (who.trunk != nullptr) caller.credentials = CredentialsOf(*who.trunk);
  return caller;
}

call::Party Router::Callee(const registrar::Target& target, const store::Account& account) const {
  const store::Binding& binding = target.binding;
  call::Party callee;
  const std::optional<sip::Protocol> protocol = sip::ParseProtocol(binding.transport);
  const std::optional<sip::Endpoint> local = sip::Endpoint::Parse(binding.local);
  // With Path, the REGISTER came from the first proxy on the way to the phone (RFC 3327).
  const std::optional<sip::Endpoint> remote =
      sip::Endpoint::Parse(binding.path.empty() ? target.remote : binding.source);
  if (!protocol.has_value() || !local.has_value() || !remote.has_value()) return callee;
  const bool is_ours = !parts_.is_one_of_several || parts_.network.ListensOn(*protocol, *local);
  if (is_ours && local->is_v6 == remote->is_v6) {
    callee.hop = {.protocol = *protocol, .local = *local, .remote = *remote, .connection = binding.connection};
  } else {
    callee.hop = parts_.network.HopTo(*protocol, *remote);
  }
  callee.is_phone = true;
  callee.behind_nat = binding.behind_nat || transport::IsOpenedByPhones(*protocol);
  callee.hop.only_connection = callee.behind_nat;
  callee.advertised = parts_.network.Advertised(callee.hop);
  callee.target_uri = binding.contact;
  for (absl::string_view path : sip::SplitList(binding.path)) callee.route.emplace_back(path);
  callee.account = account.name;
  callee.follow_redirections = account.follow_redirections;
  return callee;
}

}  // namespace sluice::agent
