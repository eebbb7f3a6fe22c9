#include "signaling/agent/trunk_parties.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "signaling/call/privacy.h"
#include "signaling/sip/name_address.h"
#include "signaling/sip/uri.h"

namespace sluice::agent {
namespace {

std::string AddressValue(absl::string_view display_name, absl::string_view user, absl::string_view host) {
  sip::NameAddress address;
  address.display_name = std::string(display_name);
  address.uri = sip::Uri::Sip(user, host);
  return address.ToString();
}

}  // namespace

std::shared_ptr<const call::Credentials> CredentialsOf(const routing::Trunk& trunk) {
  if (trunk.username.empty()) return nullptr;
  return std::make_shared<const call::Credentials>(call::Credentials{trunk.username, trunk.password, trunk.realm});
}

std::vector<call::Party> TrunkParties(const routing::Trunk& trunk, const std::vector<TrunkServer>& servers,
                                      const TrunkCall& call, absl::string_view own_host,
                                      const transport::Network& network) {
  const std::shared_ptr<const call::Credentials> credentials = CredentialsOf(trunk);
  std::vector<call::Party> parties;
  for (const TrunkServer& server : servers) {
    const sip::Protocol protocol = server.destination.protocol;
    call::Party party;
    party.hop = HopTo(server, network);
    party.advertised = network.Advertised(party.hop);
    // The port stands for the server, not for the domain.
    sip::Uri target = trunk.domain.empty() ? sip::Uri::Sip(call.called, server.host, server.port)
                                           : sip::Uri::Sip(call.called, trunk.domain);
    if (protocol != sip::Protocol::kUdp) {
      target.SetParameter("transport", absl::AsciiStrToLower(sip::ProtocolName(protocol)));
    }
    party.target_uri = target.text();
    call::Invitation own;
    own.to = AddressValue("", call.called, trunk.domain.empty() ? server.host : trunk.domain);
    const std::string local = party.hop.local.Address();
    const absl::string_view host = !trunk.from_domain.empty() ? absl::string_view(trunk.from_domain)
                                   : !own_host.empty()        ? own_host
                                                              : absl::string_view(local);
    own.from = call.anonymous
                   ? std::string(call::kAnonymous)
                   : AddressValue(call.display_name, trunk.from_user.empty() ? call.calling : trunk.from_user, host);
    party.is_trusted = trunk.trusts_identities;
    if (party.is_trusted) {
      own.hides_identity = call.anonymous;
      own.identity = call.is_account ? AddressValue(call.display_name, call.calling, host) : call.identity;
    }
    party.invitation = std::make_shared<const call::Invitation>(std::move(own));
    party.credentials = credentials;
    party.account = trunk.name;
    party.patience = trunk.failover_after;
    party.follow_redirections = trunk.follow_redirections;
    parties.push_back(std::move(party));
  }
  return parties;
}

}  // namespace sluice::agent
