// How an agent is set up; the same for all shards of a controller.
#ifndef SLUICE_SIGNALING_AGENT_AGENT_OPTIONS_H_
#define SLUICE_SIGNALING_AGENT_AGENT_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "signaling/agent/authenticator.h"
#include "signaling/agent/media_mapping.h"
#include "signaling/call/call.h"
#include "signaling/registrar/registrar.h"
#include "signaling/routing/plan.h"
#include "signaling/sip/transaction_layer.h"

namespace sluice::agent {

// Of the service that is asked whether calls may leave by trunks.
struct AdmissionPolicy {
  absl::Duration timeout = absl::Milliseconds(500);
  // A call of which it does not decide goes on; else it is refused by 503.
  bool allows_on_failure = false;
};

// What may change while calls go on, which keep what they began with.
struct PresentOptions {
  // Not null.
  std::shared_ptr<const call::CallOptions> calls;
  // Not null.
  std::shared_ptr<const routing::Plan> plan = std::make_shared<const routing::Plan>();
  // Of each account, for the calls that it makes.
  routing::CallLimits account_limits;
  AdmissionPolicy admission;
};

struct AgentOptions {
  AuthenticatorOptions authentication;
  registrar::RegistrarOptions registrar;
  sip::TransactionOptions transactions;
  PresentOptions present;
  // Registers us at the plan's trunks and asks their servers that are down: one shard of a controller.
  bool looks_after_trunks = true;
  MediaNetworks networks;
  // Hosts that are ours, beside the listeners' addresses, in any case.
  std::vector<std::string> domains;
  // Server of our own answers.
  std::string server = "Sluice";
  // What the User-Agent of requests that are refused begins with, in any case.
  std::vector<std::string> refused_user_agents;
  // Bytes that SDP may have.
  size_t max_sdp_bytes = 16384;
  // Of a 503.
  uint32_t retry_after_seconds = 5;
  // Calls at once on a shard; a new one beyond is answered 503. So is one that would take the last tenth of
  // `transactions.max_transactions`, which belongs to the calls that exist.
  size_t max_calls = 100000;
  // Ended calls of a shard that GetCall still finds.
  size_t kept_calls = 1000;
  // Answered calls are kept in the store, and go on when the controller is started again.
  bool keeps_calls = true;
  // Whole messages that a shard keeps for ladders, bytes.
  size_t trace_bytes = 4 << 20;
  // How often phones behind NAT are sent an OPTIONS; 0: never.
  absl::Duration keepalive_interval;
  // Attempts without credentials whose messages are kept.
  size_t unclaimed_ladders = 1024;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_AGENT_OPTIONS_H_
