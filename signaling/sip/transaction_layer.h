// The transactions of one shard (RFC 3261 17, RFC 6026, RFC 4320), between transport and transaction user, without I/O
// and without a clock.
//
// How it works. Bytes and time go in; bytes for the wire (`Wire`) and events (`TransactionUser`) come out, called from
// inside the functions below. All four state machines run over one pool of transactions, one hash table a side and one
// timer wheel. What a peer repeats is answered here and never reaches the user, with two exceptions that RFC 3261
// leaves to the user and that are done here on its behalf, so that a user sees each message once:
// - A 2xx to INVITE is sent again (T1, doubled up to T2) until its ACK has come or 64*T1 have passed (13.3.1.4).
// - The ACK of a 2xx is sent again for each copy of that 2xx (13.2.2.4).
// An INVITE that its user does not answer within 200 ms gets a 100 (17.2.1); what is no INVITE and is not answered
// within 64*T1 is forgotten, and a 408 to it is not sent (RFC 4320). A CANCEL is answered here (200, or 481 when there
// is no such INVITE) and told as an event of the INVITE's transaction.
//
// Matching. Requests by branch, sent-by and method (17.2.3); from RFC 2543 peers, whose branch lacks the magic cookie
// or is missing, by Request-URI, CSeq, From tag and topmost Via; both also by Call-ID (transaction_key.h). Responses by
// branch and CSeq method (17.1.3). Responses always go by the hop of their request (RFC 3581).
//
// Threads: the shard's. The user may call any function from inside an event.
#ifndef SLUICE_SIGNALING_SIP_TRANSACTION_LAYER_H_
#define SLUICE_SIGNALING_SIP_TRANSACTION_LAYER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "signaling/sip/hop.h"
#include "signaling/sip/message.h"

namespace sluice::sip {

// Names of transactions; never reused in a run. 0: none.
using ServerTransactionId = uint64_t;
using ClientTransactionId = uint64_t;

// Why a client transaction ends without a final response.
enum class TransactionFailure : uint8_t {
  // Timer B or F (64*T1): counts as 408.
  kTimeout,
  // The network could not be given the request (OnUndelivered): counts as 503 (8.1.3.1).
  kUndelivered,
  // More transactions than allowed: counts as 503. Told from inside SendRequest's caller's next Advance, never from
  // inside SendRequest.
  kTooMany,
};

// The way out.
class Wire {
 public:
  virtual ~Wire() = default;
  // Never waits and never fails; what cannot be sent is lost as on a network. `message` is valid during the call.
  // `retransmission`: these bytes went this way before.
  virtual void Send(const Hop& hop, absl::string_view message, bool retransmission) = 0;
  // "host:port" for the sent-by of our Via towards `hop`.
  virtual std::string SentBy(const Hop& hop) = 0;
  // What else our Via towards `hop` has: ";name=value" each, or nothing.
  virtual absl::string_view ViaParameters(const Hop& /*hop*/) { return ""; }
  // The same way as `hop`, by UDP, for a request that is too large for it (18.1.1). Nothing: there is none.
  virtual std::optional<Hop> StreamHop(const Hop& /*hop*/) { return std::nullopt; }
  // What went by the StreamHop of `hop` was not taken there, or not answered at once: it goes by `hop` now.
  virtual void OnStreamSilent(const Hop& /*hop*/) {}
};

class TransactionUser {
 public:
  virtual ~TransactionUser() = default;

  // A request that is no retransmission; not ACK, not CANCEL. To be answered by Respond, now or later.
  virtual void OnRequest(ServerTransactionId id, const Message& request, const Hop& hop) = 0;
  // The INVITE of `id` has been cancelled and not been finally answered yet: answer it (487). The CANCEL itself has
  // been answered.
  virtual void OnCancel(ServerTransactionId id, const Message& cancel) = 0;
  // The ACK of the 2xx that was sent for `id` has come, once; its body may carry an answer.
  virtual void OnAck(ServerTransactionId id, const Message& ack, const Hop& hop) = 0;
  // An ACK that belongs to no INVITE of ours; nothing has to be done about it.
  virtual void OnStrayAck(const Message& /*ack*/, const Hop& /*hop*/) {}
  // 64*T1 have passed without an ACK to the 2xx of `id`: the dialog is to be ended (13.3.1.4).
  virtual void OnAckMissing(ServerTransactionId id) = 0;

  // A response: every provisional one other than 100 (100 too, once), one final one. For INVITE also every further 2xx
  // with another To tag (forks, 13.2.2.4), within 64*T1 of the first.
  virtual void OnResponse(ClientTransactionId id, const Message& response, const Hop& hop) = 0;
  // A 2xx to an INVITE has come again, and there is no ACK of it yet; of interest for who passes it on (PassSuccess).
  virtual void OnSuccessAgain(ClientTransactionId /*id*/, const Message& /*response*/) {}
  virtual void OnFailure(ClientTransactionId id, TransactionFailure failure) = 0;

  // Each message as it came and was understood, before anything is done with it, and each that goes out; for ladders
  // and counters. `retransmission` is what the layer knows.
  virtual void OnTrace(bool received, const Hop& hop, const Message& message, absl::string_view bytes,
                       bool retransmission) = 0;
};

struct TransactionOptions {
  absl::Duration t1 = absl::Milliseconds(500);
  absl::Duration t2 = absl::Seconds(4);
  absl::Duration t4 = absl::Seconds(5);
  MessageLimits message_limits;
  // Server plus client transactions; above it new requests are answered 503 statelessly (without Retry-After of their
  // own), ours fail with kTooMany.
  size_t max_transactions = 500000;
  // A request that is larger goes by the wire's StreamHop if there is one.
  size_t max_datagram_request_bytes = 1300;
};

struct TransactionStatistics {
  uint64_t transactions = 0;  // Now.
  uint64_t retransmissions_received = 0;
  uint64_t retransmissions_sent = 0;
  // Dropped: no message at all; a response that belongs to nothing; an ACK that belongs to nothing.
  uint64_t malformed = 0;
  uint64_t stray_responses = 0;
  uint64_t stray_acks = 0;
  // Faulty requests that were answered with the status of their ParseError.
  uint64_t refused_requests = 0;
};

class TransactionLayer {
 public:
  // `random` fills 8 random bytes that nobody can guess: branches are made of it. `wire` and `user` outlive the layer.
  TransactionLayer(const TransactionOptions& options, Wire& wire, TransactionUser& user,
                   std::function<uint64_t()> random);
  ~TransactionLayer();

  // A whole message that came by `hop`. Faulty requests are answered (400, 505, 513, …) where they can be; what is no
  // message is dropped and counted.
  void OnMessage(const Hop& hop, absl::string_view bytes, absl::Time now);

  // A message of ours that no connection took in the end (17.1.4). If it is a request that nobody has answered, it
  // fails now and not by its timer, or goes by UDP if it was only too large for that.
  void OnUndelivered(absl::string_view bytes);

  // Sends `request` to `hop` with a Via of our own on top. One that is too large for UDP goes by a stream, if the wire
  // has one, and by UDP as soon as no connection takes it or nobody has answered for T1: the same request, for who has
  // got both. `mark`: of its branch (branch.h).
  ClientTransactionId SendRequest(Message request, const Hop& hop, absl::Time now, uint64_t mark = 0);
  // Sends a CANCEL for an INVITE of ours, as soon as a provisional response allows it (9.1); nothing after a final one.
  // `reason`: Reason header field, may be empty.
  void Cancel(ClientTransactionId invite, absl::string_view reason, absl::Time now);
  // Sends the ACK of the 2xx with this To tag, by a Via of its own, and again whenever that 2xx comes again. `invite`
  // 0: that of another one's INVITE, passed on once.
  void SendAck(ClientTransactionId invite, Message ack, const Hop& hop, absl::Time now);

  // Answers. After a final response, further ones are ignored. Via, From, Call-ID and CSeq are as Message::ResponseTo
  // makes them.
  void Respond(ServerTransactionId id, Message response, absl::Time now);

  // Answers an INVITE by the 2xx of another one, who repeats it until its ACK: to be called each time that it comes. It
  // is not repeated from here, since the ACK may take another way (RFC 6026 7.1).
  void PassSuccess(ServerTransactionId id, Message response, absl::Time now);

  // The dialog of the 2xx that was sent for `id` has ended (a BYE came ahead of the ACK): the 2xx is not sent again,
  // and the user hears no more of it.
  void AbandonAck(ServerTransactionId id, absl::Time now);

  // Answers and forgets the request, so that nothing is kept of a stranger who can send very many (RFC 3261 26.3.2.4):
  // the answer is not sent again, a copy of the request is told as a new one, and the ACK is absorbed. `response` has
  // the To tag of StatelessToTag.
  void RespondStatelessly(ServerTransactionId id, const Message& response);
  // The To tag of such answers: the same for each copy of the request (RFC 3261 8.2.7), and for its ACK, but for
  // nobody to guess.
  std::string StatelessToTag(const Message& request) const;

  // Runs what is due. NextDeadline: when to call again (InfiniteFuture: nothing waits).
  void Advance(absl::Time now);
  absl::Time NextDeadline() const;

  const TransactionStatistics& statistics() const;

 private:
  class Core;
  const std::unique_ptr<Core> core_;
};

}  // namespace sluice::sip

#endif  // SLUICE_SIGNALING_SIP_TRANSACTION_LAYER_H_
