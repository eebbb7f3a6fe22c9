// The transaction layer towards those who send us requests (RFC 3261 17.2).

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "signaling/sip/transaction_core.h"
#include "signaling/sip/transaction_key.h"
#include "signaling/sip/via.h"

namespace sluice::sip {
namespace {

// Says in the topmost Via where the request came from, for the answers to carry it (RFC 3261 18.2.1, RFC 3581 4).
void NoteSource(Message& request, const Endpoint& source) {
  if (std::optional<Via> via = request.TopVia()) {
    via->SetSource(source, false);
    request.SetFirstElement(Header::kVia, via->ToString());
  }
}

}  // namespace

std::string TransactionLayer::Core::OwnToTag(const Message& request) const {
  return absl::StrCat(
      absl::Hex(absl::HashOf(tag_secret_, request.CallId(), request.TopBranch(), request.FromTag()), absl::kZeroPad16));
}

void TransactionLayer::Core::Refuse(const Hop& hop, const Message& request, uint16_t status, absl::string_view reason) {
  Message answered = request;
  NoteSource(answered, hop.remote);
  const Message response = Message::ResponseTo(answered, status, OwnToTag(request), reason);
  Send(hop, response, response.Serialize(), false);
}

Transaction* TransactionLayer::Core::FindServer(const Message& request, absl::string_view method) {
  const auto found = servers_.find(ServerTransactionKey(request, method));
  return found == servers_.end() ? nullptr : found->second;
}

Transaction* TransactionLayer::Core::NewServer(const Hop& hop, const Message& request, std::string key,
                                               absl::Time now) {
  Transaction* const transaction = pool_.Take();
  if (transaction == nullptr) {
    Refuse(hop, request, 503, "");
    return nullptr;
  }
  transaction->hop = hop;
  transaction->method = request.method();
  transaction->key = std::move(key);
  if (request.method() == Method::kInvite) {
    transaction->machine.emplace<InviteServer>(timers_, IsReliable(hop.protocol), now);
  } else {
    transaction->machine.emplace<NonInviteServer>(timers_, IsReliable(hop.protocol), now);
  }
  servers_.emplace(transaction->key, transaction);
  Reschedule(*transaction);
  return transaction;
}

void TransactionLayer::Core::OnRequest(const Hop& hop, absl::string_view bytes, Message request, absl::Time now) {
  if (request.method() == Method::kAck) return OnAck(hop, bytes, request, now);
  std::string key = ServerTransactionKey(request, request.method_name());
  const auto known = servers_.find(key);
  const bool again = known != servers_.end();
  const ServerTransactionId old = again ? known->second->id : 0;
  user_.OnTrace(true, hop, request, bytes, again);
  if (again) {
    ++statistics_.retransmissions_received;
    if (const Transaction* const transaction = pool_.Find(old)) OnRequestAgain(*transaction);
    return;
  }
  Transaction* const transaction = NewServer(hop, request, std::move(key), now);
  if (transaction == nullptr) return;
  const ServerTransactionId id = transaction->id;
  if (request.method() == Method::kCancel) {
    // Looked for ahead of NoteSource: RFC 2543 peers are known by their Via as it came.
    const Transaction* const invite = FindServer(request, MethodName(Method::kInvite));
    const ServerTransactionId invite_id = invite == nullptr ? 0 : invite->id;
    NoteSource(request, hop.remote);
    return OnCancel(id, request, invite_id, now);
  }
  NoteSource(request, hop.remote);
  user_.OnRequest(id, request, hop);
  // The 100 that goes out if the user takes its time; made now, for the request is not kept.
  Transaction* const unanswered = pool_.Find(id);
  if (unanswered == nullptr) return;
  const InviteServer* const machine = std::get_if<InviteServer>(&unanswered->machine);
  if (machine != nullptr && !machine->answered()) unanswered->kept = Message::ResponseTo(request, 100, "").Serialize();
}

void TransactionLayer::Core::OnRequestAgain(const Transaction& transaction) {
  Steps steps = kNoStep;
  if (const auto* const invite = std::get_if<InviteServer>(&transaction.machine)) steps = invite->OnRequestAgain();
  if (const auto* const other = std::get_if<NonInviteServer>(&transaction.machine)) steps = other->OnRequestAgain();
  if ((steps & kSendKept) == 0) return;
  const std::string kept = transaction.kept;
  SendKept(Hop(transaction.hop), kept);
}

void TransactionLayer::Core::OnCancel(ServerTransactionId id, const Message& cancel, ServerTransactionId invite,
                                      absl::Time now) {
  const Transaction* const cancelled = pool_.Find(invite);
  if (cancelled == nullptr) return Respond(id, Message::ResponseTo(cancel, 481, OwnToTag(cancel)), now);
  const bool is_open = std::get<InviteServer>(cancelled->machine).state() == InviteServer::State::kProceeding;
  // The same To tag as in the answers to the INVITE (9.2).
  std::string to_tag(Message::Parse(cancelled->kept).message.ToTag());
  if (to_tag.empty()) to_tag = OwnToTag(cancel);
  Respond(id, Message::ResponseTo(cancel, 200, to_tag), now);
  if (is_open) user_.OnCancel(invite, cancel);
}

void TransactionLayer::Core::OnAck(const Hop& hop, absl::string_view bytes, const Message& ack, absl::Time now) {
  // The ACK of a failure repeats the branch of its INVITE; that of a 2xx has one of its own, or of old peers the same.
  Transaction* transaction = FindServer(ack, MethodName(Method::kInvite));
  if (transaction == nullptr) {
    const auto found = awaiting_ack_.find(AckKey(ack));
    if (found != awaiting_ack_.end()) transaction = found->second;
  }
  const InviteServer* const found = transaction == nullptr ? nullptr : std::get_if<InviteServer>(&transaction->machine);
  const bool belongs = found != nullptr && found->state() != InviteServer::State::kProceeding;
  const bool again = belongs && found->acknowledged();
  const ServerTransactionId id = belongs ? transaction->id : 0;
  user_.OnTrace(true, hop, ack, bytes, again);
  if (again) ++statistics_.retransmissions_received;
  // That of an answer which was given without state carries our own tag.
  if (!belongs && ack.ToTag() != OwnToTag(ack)) {
    ++statistics_.stray_acks;
    user_.OnStrayAck(ack, hop);
  }

  transaction = pool_.Find(id);
  if (transaction == nullptr) return;
  const Steps steps = std::get<InviteServer>(transaction->machine).OnAck(now);
  // Nothing is sent again from here on.
  transaction->kept = std::string();
  if ((steps & kEnd) != 0) {
    End(*transaction);
  } else {
    Reschedule(*transaction);
  }
  if ((steps & kTell) != 0) user_.OnAck(id, ack, hop);
}

void TransactionLayer::Core::Respond(ServerTransactionId id, const Message& response, absl::Time now) {
  Transaction* const transaction = pool_.Find(id);
  if (transaction == nullptr) return;
  Steps steps = kNoStep;
  if (auto* const invite = std::get_if<InviteServer>(&transaction->machine)) {
    steps = invite->OnAnswer(response.status(), now);
    if (steps != kNoStep && response.is_success()) AwaitAck(*transaction, response);
  } else if (auto* const other = std::get_if<NonInviteServer>(&transaction->machine)) {
    steps = other->OnAnswer(response.status(), now);
  }
  CarryOut(steps, *transaction, response);
}

void TransactionLayer::Core::PassSuccess(ServerTransactionId id, const Message& response, absl::Time now) {
  Transaction* const transaction = pool_.Find(id);
  auto* const invite = transaction == nullptr ? nullptr : std::get_if<InviteServer>(&transaction->machine);
  if (invite == nullptr) return;
  const bool is_first = invite->state() == InviteServer::State::kProceeding;
  const Steps steps = invite->OnPassedSuccess(now);
  if (is_first) AwaitAck(*transaction, response);
  CarryOut(steps, *transaction, response);
}

void TransactionLayer::Core::AwaitAck(Transaction& transaction, const Message& response) {
  transaction.ack_key = AckKey(response);
  awaiting_ack_.emplace(transaction.ack_key, &transaction);
}

void TransactionLayer::Core::CarryOut(Steps steps, Transaction& transaction, const Message& response) {
  if (steps == kNoStep) return;
  const Hop hop = transaction.hop;
  const std::string bytes = response.Serialize();
  if ((steps & kEnd) != 0) {
    End(transaction);
  } else {
    transaction.kept = bytes;
    Reschedule(transaction);
  }
  if ((steps & kSendKept) != 0) Send(hop, response, bytes, false);
}

void TransactionLayer::Core::AbandonAck(ServerTransactionId id, absl::Time now) {
  Transaction* const transaction = pool_.Find(id);
  auto* const invite = transaction == nullptr ? nullptr : std::get_if<InviteServer>(&transaction->machine);
  if (invite == nullptr || invite->state() != InviteServer::State::kAccepted) return;
  invite->OnAck(now);
  transaction->kept = std::string();
  Reschedule(*transaction);
}

void TransactionLayer::Core::RespondStatelessly(ServerTransactionId id, const Message& response) {
  Transaction* const transaction = pool_.Find(id);
  if (transaction == nullptr) return;
  const Hop hop = transaction->hop;
  End(*transaction);
  Send(hop, response, response.Serialize(), false);
}

}  // namespace sluice::sip
