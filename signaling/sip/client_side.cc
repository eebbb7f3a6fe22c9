// The transaction layer towards those whom we send requests (RFC 3261 17.1).

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "signaling/sip/branch.h"
#include "signaling/sip/transaction_core.h"
#include "signaling/sip/transaction_messages.h"

namespace sluice::sip {
namespace {

// Of one INVITE; further branches are not taken.
constexpr size_t kMaxForks = 16;

Transaction::Fork* FindFork(Transaction& transaction, absl::string_view to_tag) {
  const auto found = std::find_if(transaction.forks.begin(), transaction.forks.end(),
                                  [to_tag](const Transaction::Fork& fork) { return fork.to_tag == to_tag; });
  return found == transaction.forks.end() ? nullptr : &*found;
}

// `response` was told or absorbed before.
bool CameBefore(Transaction& transaction, const Message& response) {
  if (const auto* const other = std::get_if<NonInviteClient>(&transaction.machine)) {
    return other->state() == NonInviteClient::State::kCompleted;
  }
  const InviteClient::State state = std::get<InviteClient>(transaction.machine).state();
  if (state == InviteClient::State::kAccepted) {
    return response.is_success() && FindFork(transaction, response.ToTag()) != nullptr;
  }
  return state == InviteClient::State::kCompleted && response.status() >= 300;
}

// Nobody has said anything to it yet.
bool AwaitsFirstAnswer(const Transaction& transaction) {
  if (const auto* const invite = std::get_if<InviteClient>(&transaction.machine)) {
    return invite->state() == InviteClient::State::kCalling;
  }
  return std::get<NonInviteClient>(transaction.machine).state() == NonInviteClient::State::kTrying;
}

}  // namespace

std::string TransactionLayer::Core::ViaOf(const Hop& hop, const Branch& branch) {
  return absl::StrCat("SIP/2.0/", ProtocolName(hop.protocol), " ", wire_.SentBy(hop),
                      ";rport;branch=", branch.ToString(), wire_.ViaParameters(hop));
}

ClientTransactionId TransactionLayer::Core::SendRequest(Message request, const Hop& hop, absl::Time now,
                                                        uint64_t mark) {
  Transaction* const transaction = pool_.Take();
  if (transaction == nullptr) {
    refused_.push_back(pool_.MakeUnusedId());
    return refused_.back();
  }
  const bool reliable = IsReliable(hop.protocol);
  const ClientTransactionId id = transaction->id;
  const Branch branch = {random_(), mark};
  transaction->hop = hop;
  transaction->method = request.method();
  transaction->branch = branch.number;
  request.AddFirst(Header::kVia, ViaOf(hop, branch));
  std::string bytes = request.Serialize();
  if (!reliable) transaction->kept = bytes;
  if (!reliable && bytes.size() > options_.max_datagram_request_bytes) {
    if (const std::optional<Hop> stream = wire_.StreamHop(hop)) {
      transaction->datagram_hop = std::make_unique<Hop>(hop);
      transaction->hop = *stream;
      request.SetFirstElement(Header::kVia, ViaOf(*stream, branch));
      bytes = request.Serialize();
    }
  }
  if (request.method() == Method::kInvite) {
    transaction->cancel = MakeCancel(request, "").Serialize();
    transaction->machine.emplace<InviteClient>(timers_, reliable, now);
  } else {
    transaction->machine.emplace<NonInviteClient>(timers_, reliable, now);
  }
  clients_.emplace(ClientKey{transaction->branch, false}, transaction);
  Reschedule(*transaction);
  Send(Hop(transaction->hop), request, bytes, false);
  return id;
}

void TransactionLayer::Core::ReturnToDatagrams(Transaction& transaction) {
  transaction.hop = *std::exchange(transaction.datagram_hop, nullptr);
  if (!transaction.cancel.empty()) {
    const std::string reason(Message::Parse(transaction.cancel).message.Get(Header::kReason));
    transaction.cancel = MakeCancel(ParseOwn(transaction.kept), reason).Serialize();
  }
  wire_.OnStreamSilent(transaction.hop);
}

void TransactionLayer::Core::Cancel(ClientTransactionId invite, absl::string_view reason, absl::Time now) {
  Transaction* const transaction = pool_.Find(invite);
  const auto* const machine = transaction == nullptr ? nullptr : std::get_if<InviteClient>(&transaction->machine);
  if (machine == nullptr || transaction->cancel_wanted) return;
  if (machine->state() != InviteClient::State::kCalling && machine->state() != InviteClient::State::kProceeding) return;
  transaction->cancel_wanted = true;
  if (!reason.empty()) {
    Message cancel = Message::Parse(transaction->cancel).message;
    cancel.Set(Header::kReason, reason);
    transaction->cancel = cancel.Serialize();
  }
  if (machine->state() == InviteClient::State::kProceeding) SendCancel(*transaction, now);
}

void TransactionLayer::Core::SendCancel(Transaction& invite, absl::Time now) {
  invite.cancel_sent = true;
  std::get<InviteClient>(invite.machine).OnCancelSent(now);
  Reschedule(invite);
  const Hop hop = invite.hop;
  const std::string bytes = invite.cancel;
  // Without a place for its transaction it is sent once.
  if (Transaction* const transaction = pool_.Take()) {
    const bool reliable = IsReliable(hop.protocol);
    transaction->hop = hop;
    transaction->method = Method::kCancel;
    transaction->branch = invite.branch;
    transaction->silent = true;
    if (!reliable) transaction->kept = bytes;
    transaction->machine.emplace<NonInviteClient>(timers_, reliable, now);
    clients_.emplace(ClientKey{transaction->branch, true}, transaction);
    Reschedule(*transaction);
  }
  SendKept(hop, bytes, false);
}

void TransactionLayer::Core::SendAck(ClientTransactionId invite, Message ack, const Hop& hop) {
  ack.AddFirst(Header::kVia, ViaOf(hop, {random_(), 0}));
  const std::string bytes = ack.Serialize();
  Transaction* const transaction = pool_.Find(invite);
  if (Transaction::Fork* const fork = transaction == nullptr ? nullptr : FindFork(*transaction, ack.ToTag())) {
    fork->ack = bytes;
    fork->hop = hop;
  }
  Send(hop, ack, bytes, false);
}

Transaction* TransactionLayer::Core::FindClient(const Message& message) {
  // More than our own Via is on no answer to a request of ours (8.1.3.3).
  if (message.Elements(Header::kVia).size() != 1) return nullptr;
  const std::optional<Branch> branch = Branch::Parse(message.TopBranch());
  if (!branch) return nullptr;
  const auto found = clients_.find(ClientKey{branch->number, message.method() == Method::kCancel});
  return found == clients_.end() || found->second->method != message.method() ? nullptr : found->second;
}

void TransactionLayer::Core::OnUndelivered(absl::string_view bytes) {
  const ParseResult parsed = Message::Parse(bytes, NoLimits(bytes));
  if (!parsed.ok() || parsed.message.is_response()) return;
  Transaction* const transaction = FindClient(parsed.message);
  if (transaction == nullptr || !AwaitsFirstAnswer(*transaction)) return;
  // It has gone another way since.
  if (parsed.message.TopVia()->transport != ProtocolName(transaction->hop.protocol)) return;
  if (transaction->datagram_hop != nullptr) {
    ReturnToDatagrams(*transaction);
    return SendKept(Hop(transaction->hop), std::string(transaction->kept), false);
  }
  const ClientTransactionId id = transaction->id;
  const bool silent = transaction->silent;
  End(*transaction);
  if (!silent) user_.OnFailure(id, TransactionFailure::kUndelivered);
}

void TransactionLayer::Core::OnResponse(const Hop& hop, absl::string_view bytes, const Message& response,
                                        absl::Time now) {
  Transaction* transaction = FindClient(response);
  const ClientTransactionId id = transaction == nullptr ? 0 : transaction->id;
  const bool again = transaction != nullptr && CameBefore(*transaction, response);
  user_.OnTrace(true, hop, response, bytes, again);
  if (id == 0) ++statistics_.stray_responses;
  if (again) ++statistics_.retransmissions_received;
  transaction = pool_.Find(id);
  if (transaction == nullptr) return;
  if (std::holds_alternative<InviteClient>(transaction->machine)) {
    OnInviteResponse(*transaction, hop, response, now);
  } else {
    OnNonInviteResponse(*transaction, hop, response, now);
  }
}

void TransactionLayer::Core::OnNonInviteResponse(Transaction& transaction, const Hop& hop, const Message& response,
                                                 absl::Time now) {
  const Steps steps = std::get<NonInviteClient>(transaction.machine).OnResponse(response.status(), now);
  const ClientTransactionId id = transaction.id;
  const bool tell = (steps & kTell) != 0 && !transaction.silent;
  if (response.is_final()) transaction.kept = std::string();
  if ((steps & kEnd) != 0) {
    End(transaction);
  } else {
    Reschedule(transaction);
  }
  if (tell) user_.OnResponse(id, response, hop);
}

void TransactionLayer::Core::OnInviteResponse(Transaction& transaction, const Hop& hop, const Message& response,
                                              absl::Time now) {
  const ClientTransactionId id = transaction.id;
  InviteClient& machine = std::get<InviteClient>(transaction.machine);
  const bool was_completed = machine.state() == InviteClient::State::kCompleted;
  const Steps steps = machine.OnResponse(response.status(), now);
  const Hop request_hop = transaction.hop;

  if (machine.state() == InviteClient::State::kAccepted && (steps & kTell) != 0) {
    if (const Transaction::Fork* const fork = FindFork(transaction, response.ToTag())) {
      if (fork->ack.empty()) return user_.OnSuccessAgain(id, response);
      return SendKept(Hop(fork->hop), std::string(fork->ack));
    }
    if (transaction.forks.size() >= kMaxForks) return;
    transaction.kept = std::string();
    transaction.cancel = std::string();
    transaction.forks.push_back({std::string(response.ToTag()), "", {}});
  }
  Message ack;
  if ((steps & kSendAck) != 0 && !was_completed) {
    ack = MakeFailureAck(Message::Parse(transaction.cancel).message, response);
    transaction.cancel = std::string();
    transaction.kept = ack.Serialize();
  }
  // Once something was answered, the INVITE itself is not sent again.
  if (machine.state() == InviteClient::State::kProceeding) transaction.kept = std::string();
  const std::string ack_bytes = (steps & kSendAck) != 0 ? transaction.kept : std::string();
  const bool send_cancel =
      machine.state() == InviteClient::State::kProceeding && transaction.cancel_wanted && !transaction.cancel_sent;
  if ((steps & kEnd) != 0) {
    End(transaction);
  } else {
    Reschedule(transaction);
  }
  if (was_completed) {
    if (!ack_bytes.empty()) SendKept(request_hop, ack_bytes);
    return;
  }
  if (!ack_bytes.empty()) Send(request_hop, ack, ack_bytes, false);
  if (send_cancel) {
    if (Transaction* const invite = pool_.Find(id)) SendCancel(*invite, now);
  }
  if ((steps & kTell) != 0) user_.OnResponse(id, response, hop);
}

}  // namespace sluice::sip
