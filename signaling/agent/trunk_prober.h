// Asks servers of trunks that are down whether they are back: by OPTIONS, when ServerHealth says so.
//
// One shard of a controller does this for all.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_TRUNK_PROBER_H_
#define SLUICE_SIGNALING_AGENT_TRUNK_PROBER_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/id_source.h"
#include "signaling/agent/server_health.h"
#include "signaling/agent/tried_server.h"
#include "signaling/agent/trunk_servers.h"
#include "signaling/sip/message.h"
#include "signaling/sip/transaction_layer.h"
#include "signaling/transport/network.h"

namespace sluice::agent {

class TrunkProber {
 public:
  // All outlive the prober.
  struct Parts {
    sip::TransactionLayer& transactions;
    const transport::Network& network;
    IdSource& ids;
    ServerHealth& health;
    const TrunkServers& servers;
  };

  TrunkProber(const Parts& parts, absl::string_view user_agent) : parts_(parts), user_agent_(user_agent) {}

  void Advance(absl::Time now);
  absl::Time NextDeadline() const { return parts_.health.NextDue(); }

  // False: the transaction is no probe.
  bool OnResponse(sip::ClientTransactionId id, const sip::Message& response, absl::Time now);
  bool OnFailure(sip::ClientTransactionId id, absl::Time now);

 private:
  const Parts parts_;
  const std::string user_agent_;
  absl::flat_hash_map<sip::ClientTransactionId, TriedServer> probes_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_TRUNK_PROBER_H_
