// Where a call goes to: the number of the Request-URI, if it is one of ours, to all of its bindings, else by the routes
// of the plan to an account or to trunks. Servers of trunks that are down come behind those that are not.
//
// A host is ours if it is a domain of the config, the address of a listener, or the address that the request came to;
// ports do not matter, since phones leave them out.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_ROUTER_H_
#define SLUICE_SIGNALING_AGENT_ROUTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "signaling/agent/server_health.h"
#include "signaling/agent/trunk_servers.h"
#include "signaling/call/call.h"
#include "signaling/registrar/registrar.h"
#include "signaling/routing/plan.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"
#include "signaling/sip/uri.h"
#include "signaling/store/account.h"
#include "signaling/store/store.h"
#include "signaling/transport/network.h"

namespace sluice::agent {

// Who has sent an INVITE, proved by digest or, a trunk, by its certificate or its address. One of the two is set.
struct CallerIdentity {
  std::shared_ptr<const store::Account> account;
  std::shared_ptr<const routing::Trunk> trunk;
  // The account's name; of a trunk, the user of From.
  std::string number;
  std::string display_name;
  // From or Privacy says that nobody is to know the caller (RFC 3323).
  bool anonymous = false;
  // As a trusted trunk asserts it, one P-Asserted-Identity or several (RFC 3325). Empty: it says nothing.
  std::string identity;

  const std::string& name() const { return account != nullptr ? account->name : trunk->name; }
};

class Router {
 public:
  struct Route {
    // 0: the call may go on. 404 foreign domain or unknown number, 480 nobody registered, 503 no server of a trunk is
    // known; or as a route says that blocks the number.
    uint16_t status = 0;
    std::string reason;
    // As dialled, and as the trunks are told it.
    std::string number;
    std::string called;
    // Of the callee, or the name of the trunk that is tried first; may be empty with 404.
    std::string account;
    std::string display_name;
    // One a binding, the best first, or one a server of a trunk; not empty with status 0.
    std::vector<call::Party> callees;
    // The trunk of each of them; empty if they are bindings.
    std::vector<std::shared_ptr<const routing::Trunk>> trunks;
    bool media_released = false;
    // It goes to trunks, and nobody is asked whether it may.
    bool skips_admission = false;
  };

  // All outlive the router.
  struct Parts {
    const transport::Network& network;
    const store::Store& store;
    const registrar::Registrar& registrar;
    TrunkServers& servers;
    const ServerHealth& health;
    // Other controllers take registrations, too, at addresses of their own.
    bool is_one_of_several = false;
  };

  // `random`: 64 bits with each call.
  Router(const std::vector<std::string>& domains, const Parts& parts, std::function<uint64_t()> random);

  // For calls from now on.
  void SetPlan(std::shared_ptr<const routing::Plan> plan) { plan_ = std::move(plan); }

  // Whose calls come by `hop`: by the client's certificate, else by its address; null: no trunk's. What comes by a
  // connection that we have opened with a trunk's own certificate is that one's or nobody's.
  std::shared_ptr<const routing::Trunk> TrunkOf(const sip::Hop& hop) const;

  bool IsOurs(const sip::Uri& uri, const sip::Hop& hop) const;

  // `own_host`: as TrunkParties.
  Route Find(const sip::Uri& uri, const sip::Hop& hop, const CallerIdentity& who, absl::string_view own_host,
             absl::Time now) const;

  // A party of a call that exists, for what it asks for now: an account or a trunk, by its name. Nothing: there is no
  // such any more.
  std::optional<CallerIdentity> Recognize(const std::string& name, bool is_account, const std::string& number) const;

  // The sender of an INVITE.
  call::Party Caller(const sip::Message& invite, const sip::Hop& hop, const CallerIdentity& who) const;

 private:
  // Fills in an account's bindings.
  void GoToAccount(std::shared_ptr<const store::Account> account, absl::Time now, Route& route) const;
  void GoByRoutes(const CallerIdentity& who, absl::string_view own_host, absl::Time now, Route& route) const;
  call::Party Callee(const registrar::Target& target, const store::Account& account) const;

  absl::flat_hash_set<std::string> domains_;
  const Parts parts_;
  const std::function<uint64_t()> random_;
  std::shared_ptr<const routing::Plan> plan_ = std::make_shared<const routing::Plan>();
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_ROUTER_H_
