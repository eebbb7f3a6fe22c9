// Where a call goes to: the number of the Request-URI, if it is one of ours, to all of its bindings.
//
// A host is ours if it is a domain of the config, the address of a listener, or the address that the request came to;
// ports do not matter, since phones leave them out.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_ROUTER_H_
#define SLUICE_SIGNALING_AGENT_ROUTER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "signaling/call/call.h"
#include "signaling/registrar/registrar.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"
#include "signaling/sip/uri.h"
#include "signaling/store/account.h"
#include "signaling/store/store.h"
#include "signaling/transport/network.h"

namespace sluice::agent {

class Router {
 public:
  struct Route {
    // 0: the call may go on. 404 foreign domain or unknown number, 480 nobody registered.
    uint16_t status = 0;
    std::string reason;
    std::string number;
    // Null with 404.
    std::shared_ptr<const store::Account> account;
    // One a binding, the best first; not empty with status 0.
    std::vector<call::Party> callees;
  };

  // All but `domains` outlive the router.
  Router(const std::vector<std::string>& domains, const transport::Network& network, const store::Store& store,
         const registrar::Registrar& registrar);

  bool IsOurs(const sip::Uri& uri, const sip::Hop& hop) const;

  Route Find(const sip::Uri& uri, const sip::Hop& hop, absl::Time now) const;

  // The sender of an INVITE.
  call::Party Caller(const sip::Message& invite, const sip::Hop& hop, const store::Account& account) const;

 private:
  call::Party Callee(const registrar::Target& target, const std::string& account) const;

  absl::flat_hash_set<std::string> domains_;
  const transport::Network& network_;
  const store::Store& store_;
  const registrar::Registrar& registrar_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_ROUTER_H_
