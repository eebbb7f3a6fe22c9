// A call's way to a trunk: the parties that its servers are for the call machine.
//
// Threads: any; a function of its arguments.
#ifndef SLUICE_SIGNALING_AGENT_TRUNK_PARTIES_H_
#define SLUICE_SIGNALING_AGENT_TRUNK_PARTIES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "signaling/agent/trunk_servers.h"
#include "signaling/call/call.h"
#include "signaling/routing/trunk.h"
#include "signaling/transport/network.h"

namespace sluice::agent {

// What the trunk is told about the call, rewritten.
struct TrunkCall {
  std::string called;
  std::string calling;
  std::string display_name;
  // The caller wants to stay unknown (RFC 3323): From names nobody.
  bool anonymous = false;
  // What a trusted trunk has asserted of the caller; and whether the caller is an account, whom we assert ourselves.
  std::string identity;
  bool is_account = false;
};

// Null: its challenges are not answered.
std::shared_ptr<const call::Credentials> CredentialsOf(const routing::Trunk& trunk);

// One party a server, in their order, all in group 0. `own_host`: host of our From where the trunk has no from_domain;
// empty: the address that we send from.
std::vector<call::Party> TrunkParties(const routing::Trunk& trunk, const std::vector<TrunkServer>& servers,
                                      const TrunkCall& call, absl::string_view own_host,
                                      const transport::Network& network);

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_TRUNK_PARTIES_H_
