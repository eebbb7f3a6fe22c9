// Registers us at the trunks of the plan that want it, and keeps us registered.
//
// One shard of a controller does this for all; the others have no registrar. Answers come back to that shard because
// the Call-IDs are its own.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_TRUNK_REGISTRAR_H_
#define SLUICE_SIGNALING_AGENT_TRUNK_REGISTRAR_H_

#include <list>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/agent/id_source.h"
#include "signaling/agent/server_health.h"
#include "signaling/agent/trunk_book.h"
#include "signaling/agent/trunk_registration.h"
#include "signaling/agent/trunk_servers.h"
#include "signaling/routing/plan.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"
#include "signaling/sip/transaction_layer.h"
#include "signaling/transport/network.h"

namespace sluice::agent {

class TrunkRegistrar {
 public:
  // All outlive the registrar.
  struct Parts {
    sip::TransactionLayer& transactions;
    const transport::Network& network;
    IdSource& ids;
    TrunkBook& book;
    TrunkServers& servers;
    ServerHealth& health;
  };

  TrunkRegistrar(const Parts& parts, absl::string_view user_agent) : parts_(parts), user_agent_(user_agent) {}

  // Trunks that are as they were keep their registration; new ones are registered from the next Advance on; those that
  // are gone take theirs back.
  void SetPlan(const routing::Plan& plan, absl::Time now);
  // Takes all registrations back.
  void Stop(absl::Time now);

  void Advance(absl::Time now);
  absl::Time NextDeadline() const;

  // False: the transaction is none of these.
  bool OnResponse(sip::ClientTransactionId id, const sip::Message& response, absl::Time now);
  bool OnFailure(sip::ClientTransactionId id, sip::TransactionFailure failure, absl::Time now);

 private:
  struct Entry {
    TrunkRegistration registration;
    // Of the REGISTER that is under way; 0: none.
    sip::ClientTransactionId transaction = 0;
    // Where the last one went, and whose turn it was.
    TrunkServer server = {};
    size_t turn = 0;
  };

  // Null if it is none of these.
  Entry* Find(sip::ClientTransactionId id);
  void TakeBack(Entry& entry, absl::Time now);
  // Finds the server whose turn it is: the one of before, as long as it serves. False: none is known.
  bool ChooseServer(Entry& entry);
  void Register(Entry& entry, absl::Time now);
  sip::ClientTransactionId Send(const TrunkServer& server, sip::Message request, absl::Time now);

  const Parts parts_;
  const std::string user_agent_;
  // A controller has few.
  std::list<Entry> entries_;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_TRUNK_REGISTRAR_H_
