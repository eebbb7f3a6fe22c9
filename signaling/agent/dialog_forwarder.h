// Requests in dialogs of other controllers of the cluster that have come here: passed to whoever has the dialog, and
// the answers back (RFC 3261 16, as far as it is about one way that is known).
//
// How it works. The tag that a controller makes for a dialog says its run (IdSource), and the cluster says who has the
// dialogs of that run. Between the two controllers the request has its own transaction, so that each side repeats what
// is lost on its way; the Vias stay here and come back on the answers. A 2xx to an INVITE is repeated by whoever has
// the dialog alone, until its ACK is there, which may come by this way or another. An ACK of a 2xx whose INVITE did not
// come this way has no transaction and goes once. Nothing that a controller has sent goes on to another one: two that
// are of different minds do not play ball.
//
// While a controller is gone and nobody has taken its calls over, or they are on their way here, the request waits: it
// is looked at again and again, and served here, or passed on, as soon as somebody has the dialog. Whoever has answered
// has it. After 4 s without anybody it is answered 481.
//
// Threads: the shard's.
#ifndef SLUICE_SIGNALING_AGENT_DIALOG_FORWARDER_H_
#define SLUICE_SIGNALING_AGENT_DIALOG_FORWARDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "signaling/cluster/cluster.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"
#include "signaling/sip/transaction_layer.h"
#include "signaling/transport/network.h"

namespace sluice::agent {

class DialogForwarder {
 public:
  // All outlive this.
  struct Parts {
    sip::TransactionLayer& transactions;
    transport::Network& network;
    cluster::Cluster& cluster;
    // Serves a request whose dialog is here by now. False: it is not.
    std::function<bool(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop, absl::Time now)>
        serve;
    // Answers a request by us.
    std::function<void(sip::ServerTransactionId id, const sip::Message& request, uint16_t status)> refuse;
  };

  explicit DialogForwarder(Parts parts) : parts_(std::move(parts)) {}

  // A request of a dialog that is not here. False: it is none of ours, and there is none (481).
  bool Take(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop, absl::Time now);
  // An ACK of no INVITE that is known here.
  void PassAck(const sip::Message& ack, const sip::Hop& hop, absl::Time now);

  // Of sip::TransactionUser. False: the transaction is none of these.
  bool OnCancel(sip::ServerTransactionId id, const sip::Message& cancel, absl::Time now);
  bool OnAck(sip::ServerTransactionId id, const sip::Message& ack, absl::Time now);
  bool OnAckMissing(sip::ServerTransactionId id);
  // Also of a 2xx that has come again (OnSuccessAgain).
  bool OnResponse(sip::ClientTransactionId id, const sip::Message& response, absl::Time now);
  bool OnFailure(sip::ClientTransactionId id, sip::TransactionFailure failure);

  // Looks again after those that wait.
  void Advance(absl::Time now);
  absl::Time NextDeadline() const { return next_look_; }

  // Requests that have no final answer, or whose ACK is awaited.
  size_t size() const { return requests_.size(); }

 private:
  struct Request {
    // As they came.
    sip::Message message;
    sip::Hop hop;
    // A controller has sent it: it goes no further.
    bool from_member = false;
    // Whom it was passed to, and in which transaction; 0: in none that lives.
    std::optional<cluster::Whereabouts> asked;
    sip::ClientTransactionId transaction = 0;
    bool answered = false;
    // Until when it waits for somebody who has the dialog.
    absl::Time limit;
  };

  // Nothing: nobody is to be asked, now.
  std::optional<cluster::Whereabouts> OwnerOf(const sip::Message& message) const;
  sip::Hop HopTo(const cluster::Whereabouts& owner) const;
  void Ask(sip::ServerTransactionId id, Request& request, const cluster::Whereabouts& owner, absl::Time now);
  // False: it waits no longer, and is no more.
  bool Look(sip::ServerTransactionId id, Request& request, absl::Time now);
  void Forget(sip::ServerTransactionId id);
  Request* Find(sip::ServerTransactionId id);

  const Parts parts_;
  // Addresses are stable.
  absl::flat_hash_map<sip::ServerTransactionId, std::unique_ptr<Request>> requests_;
  absl::flat_hash_map<sip::ClientTransactionId, sip::ServerTransactionId> asked_;
  absl::Time next_look_ = absl::InfiniteFuture();
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_DIALOG_FORWARDER_H_
