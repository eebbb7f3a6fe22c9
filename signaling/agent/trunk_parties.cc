#include "signaling/agent/trunk_parties.h"

#include <memory>

#include "absl/strings/ascii.h"
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

std::vector<call::Party> TrunkParties(const routing::Trunk& trunk, const TrunkCall& call, absl::string_view own_host,
                                      uint32_t first_group, const transport::Network& network) {
  std::shared_ptr<const call::Credentials> credentials;
  if (!trunk.username.empty()) {
    credentials =
        std::make_shared<const call::Credentials>(call::Credentials{trunk.username, trunk.password, trunk.realm});
  }
  std::vector<call::Party> parties;
  for (const routing::TrunkPeer& peer : trunk.peers) {
    call::Party party;
    party.hop = network.HopTo(peer.protocol, peer.address);
    party.advertised = network.Advertised(party.hop);
    const std::string address = peer.address.Address();
    // The port stands for the server, not for the domain.
    sip::Uri target = trunk.domain.empty() ? sip::Uri::Sip(call.called, address, peer.address.port)
                                           : sip::Uri::Sip(call.called, trunk.domain);
    if (peer.protocol != sip::Protocol::kUdp) {
      target.SetParameter("transport", absl::AsciiStrToLower(sip::ProtocolName(peer.protocol)));
    }
    party.target_uri = target.text();
    party.to = AddressValue("", call.called, trunk.domain.empty() ? address : trunk.domain);
    if (!call.anonymous) {
      const std::string local = party.hop.local.Address();
      const absl::string_view host = !trunk.from_domain.empty() ? absl::string_view(trunk.from_domain)
                                     : !own_host.empty()        ? own_host
                                                                : absl::string_view(local);
      party.from = AddressValue(call.display_name, trunk.from_user.empty() ? call.calling : trunk.from_user, host);
    }
    party.credentials = credentials;
    party.account = trunk.name;
    party.group = first_group + static_cast<uint32_t>(parties.size());
    parties.push_back(std::move(party));
  }
  return parties;
}

}  // namespace sluice::agent
