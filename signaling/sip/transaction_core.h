// The inside of TransactionLayer: the tables, and what both sides do alike.
//
// Rule for re-entrance: the user may call back from inside an event, so a transaction is brought into its next state
// first, events come last, and no pointer to a transaction is used behind one.
#ifndef SLUICE_SIGNALING_SIP_TRANSACTION_CORE_H_
#define SLUICE_SIGNALING_SIP_TRANSACTION_CORE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/sip/branch.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"
#include "signaling/sip/timer_wheel.h"
#include "signaling/sip/transaction_layer.h"
#include "signaling/sip/transaction_pool.h"
#include "signaling/sip/transaction_timers.h"

namespace sluice::sip {

class TransactionLayer::Core {
 public:
  Core(const TransactionOptions& options, Wire& wire, TransactionUser& user, std::function<uint64_t()> random);
  ~Core();

  // Both sides (transaction_layer.cc).
  void OnMessage(const Hop& hop, absl::string_view bytes, absl::Time now);
  void Advance(absl::Time now);
  absl::Time NextDeadline() const;
  const TransactionStatistics& statistics();

  // Server side (server_side.cc).
  void Respond(ServerTransactionId id, const Message& response, absl::Time now);
  void PassSuccess(ServerTransactionId id, const Message& response, absl::Time now);
  void AbandonAck(ServerTransactionId id, absl::Time now);
  void RespondStatelessly(ServerTransactionId id, const Message& response);
  // A To tag for answers that no transaction repeats, the same for each copy of a request (RFC 3261 8.2.7).
  std::string OwnToTag(const Message& request) const;

  // Client side (client_side.cc).
  ClientTransactionId SendRequest(Message request, const Hop& hop, absl::Time now, uint64_t mark);
  void Cancel(ClientTransactionId invite, absl::string_view reason, absl::Time now);
  void SendAck(ClientTransactionId invite, Message ack, const Hop& hop);
  void OnUndelivered(absl::string_view bytes);

 private:
  // A transaction of ours by the number in its branch; its CANCEL has the same one.
  struct ClientKey {
    uint64_t branch = 0;
    bool is_cancel = false;
    bool operator==(const ClientKey& other) const = default;
    template <typename H>
    friend H AbslHashValue(H state, const ClientKey& key) {
      return H::combine(std::move(state), key.branch, key.is_cancel);
    }
  };

  // Both sides.
  void Send(const Hop& hop, const Message& message, absl::string_view bytes, bool retransmission);
  // Sends what a transaction kept; `retransmission` as in Wire::Send.
  void SendKept(const Hop& hop, const std::string& bytes, bool retransmission = true);
  void Reschedule(Transaction& transaction);
  // Takes the transaction out of all tables and gives its place back.
  void End(Transaction& transaction);
  void OnTimer(Transaction& transaction, absl::Time now);

  // Server side.
  void OnRequest(const Hop& hop, absl::string_view bytes, Message request, absl::Time now);
  void OnRequestAgain(const Transaction& transaction);
  void OnAck(const Hop& hop, absl::string_view bytes, const Message& ack, absl::Time now);
  // `id`: the transaction of the CANCEL. `invite`: of what it cancels; 0: there is none.
  void OnCancel(ServerTransactionId id, const Message& cancel, ServerTransactionId invite, absl::Time now);
  Transaction* FindServer(const Message& request, absl::string_view method);
  // Null: none is free; then the request has been answered 503.
  Transaction* NewServer(const Hop& hop, const Message& request, std::string key, absl::Time now);
  // Sends `response` and keeps it, as `steps` say.
  void CarryOut(Steps steps, Transaction& transaction, const Message& response);
  // From here on its ACK is known.
  void AwaitAck(Transaction& transaction, const Message& response);
  // Answers a request that makes no transaction.
  void Refuse(const Hop& hop, const Message& request, uint16_t status, absl::string_view reason);

  // Client side.
  void OnResponse(const Hop& hop, absl::string_view bytes, const Message& response, absl::Time now);
  void OnInviteResponse(Transaction& transaction, const Hop& hop, const Message& response, absl::Time now);
  void OnNonInviteResponse(Transaction& transaction, const Hop& hop, const Message& response, absl::Time now);
  // By our own Via on top of a request or of what answers it.
  Transaction* FindClient(const Message& message);
  void SendCancel(Transaction& invite, absl::Time now);
  // Our Via towards `hop`.
  std::string ViaOf(const Hop& hop, const Branch& branch);
  // From the stream back to UDP.
  void ReturnToDatagrams(Transaction& transaction);

  const TransactionOptions options_;
  const TransactionTimers timers_;
  Wire& wire_;
  TransactionUser& user_;
  const std::function<uint64_t()> random_;
  const uint64_t tag_secret_;

  TransactionPool pool_;
  TimerWheel wheel_;
  // Keys are texts of the transactions themselves.
  absl::flat_hash_map<absl::string_view, Transaction*> servers_;
  absl::flat_hash_map<absl::string_view, Transaction*> awaiting_ack_;
  absl::flat_hash_map<ClientKey, Transaction*> clients_;
  // Requests of ours that found no place, to be told at the next Advance.
  std::vector<ClientTransactionId> refused_;
  TransactionStatistics statistics_;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_TRANSACTION_CORE_H_
