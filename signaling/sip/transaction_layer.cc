#include "signaling/sip/transaction_layer.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "signaling/sip/transaction_core.h"
#include "signaling/sip/transaction_messages.h"

namespace sluice::sip {

TransactionLayer::Core::Core(const TransactionOptions& options, Wire& wire, TransactionUser& user,
                             std::function<uint64_t()> random)
    : options_(options),
      timers_{options.t1, options.t2, options.t4},
      wire_(wire),
      user_(user),
      random_(std::move(random)),
      tag_secret_(random_()),
      pool_(options.max_transactions) {}

TransactionLayer::Core::~Core() = default;

void TransactionLayer::Core::OnMessage(const Hop& hop, absl::string_view bytes, absl::Time now) {
  // Keep-alives (RFC 5626 4.4.1).
  if (std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\r' || c == '\n'; })) return;
  ParseResult parsed = Message::Parse(bytes, options_.message_limits);
  if (parsed.ok()) {
    if (parsed.message.is_response()) return OnResponse(hop, bytes, parsed.message, now);
    return OnRequest(hop, bytes, std::move(parsed.message), now);
  }
  Message& message = parsed.message;
  // An ACK is never answered, and without a Via nobody knows what an answer answers.
  if (parsed.error->status == 0 || message.is_response() || message.method() == Method::kAck || !message.TopVia()) {
    ++statistics_.malformed;
    return;
  }
  ++statistics_.refused_requests;
  user_.OnTrace(true, hop, message, bytes, false);
  Refuse(hop, message, parsed.error->status, parsed.error->status == 400 ? parsed.error->text : "");
}

void TransactionLayer::Core::Send(const Hop& hop, const Message& message, absl::string_view bytes,
                                  bool retransmission) {
  if (retransmission) ++statistics_.retransmissions_sent;
  wire_.Send(hop, bytes, retransmission);
  user_.OnTrace(false, hop, message, bytes, retransmission);
}

void TransactionLayer::Core::SendKept(const Hop& hop, const std::string& bytes, bool retransmission) {
  Send(hop, ParseOwn(bytes), bytes, retransmission);
}

void TransactionLayer::Core::Reschedule(Transaction& transaction) {
  const absl::Time deadline = std::visit(
      [](const auto& machine) {
        if constexpr (std::is_same_v<std::decay_t<decltype(machine)>, std::monostate>) {
          return absl::InfiniteFuture();
        } else {
          return machine.deadline();
        }
      },
      transaction.machine);
  wheel_.Set(transaction, deadline);
}

void TransactionLayer::Core::End(Transaction& transaction) {
  wheel_.Cancel(transaction);
  if (!transaction.key.empty()) servers_.erase(transaction.key);
  const auto acknowledged = awaiting_ack_.find(transaction.ack_key);
  if (acknowledged != awaiting_ack_.end() && acknowledged->second == &transaction) awaiting_ack_.erase(acknowledged);
  if (transaction.key.empty()) clients_.erase({transaction.branch, transaction.method == Method::kCancel});
  pool_.Release(transaction);
}

void TransactionLayer::Core::Advance(absl::Time now) {
  for (const ClientTransactionId id : std::exchange(refused_, {})) user_.OnFailure(id, TransactionFailure::kTooMany);
  while (WheelTimer* timer = wheel_.PopDue(now)) OnTimer(static_cast<Transaction&>(*timer), now);
}

void TransactionLayer::Core::OnTimer(Transaction& transaction, absl::Time now) {
  const InviteServer* const invite_server = std::get_if<InviteServer>(&transaction.machine);
  bool was_sent = invite_server == nullptr || invite_server->answered();
  const Steps steps = std::visit(
      [now](auto& machine) {
        if constexpr (std::is_same_v<std::decay_t<decltype(machine)>, std::monostate>) {
          return kNoStep;
        } else {
          return machine.OnTimer(now);
        }
      },
      transaction.machine);
  if ((steps & kSendKept) != 0 && transaction.datagram_hop != nullptr) {
    ReturnToDatagrams(transaction);
    was_sent = false;
  }
  const uint64_t id = transaction.id;
  const bool is_server = !transaction.key.empty();
  const bool silent = transaction.silent;
  const Hop hop = transaction.hop;
  // `kept` is copied: what is sent is seen by the user, who may answer by ending the transaction.
  const std::string kept = (steps & kSendKept) != 0 ? transaction.kept : std::string();
  if ((steps & kEnd) != 0) {
    End(transaction);
  } else {
    Reschedule(transaction);
  }
  if (!kept.empty()) SendKept(hop, kept, was_sent);
  if ((steps & kTellMissing) == 0 || silent) return;
  if (is_server) {
    user_.OnAckMissing(id);
  } else {
    user_.OnFailure(id, TransactionFailure::kTimeout);
  }
}

absl::Time TransactionLayer::Core::NextDeadline() const {
  return refused_.empty() ? wheel_.NextDeadline() : absl::InfinitePast();
}

const TransactionStatistics& TransactionLayer::Core::statistics() {
  statistics_.transactions = pool_.size();
  return statistics_;
}

TransactionLayer::TransactionLayer(const TransactionOptions& options, Wire& wire, TransactionUser& user,
                                   std::function<uint64_t()> random)
    : core_(std::make_unique<Core>(options, wire, user, std::move(random))) {}

TransactionLayer::~TransactionLayer() = default;

void TransactionLayer::OnMessage(const Hop& hop, absl::string_view bytes, absl::Time now) {
  core_->OnMessage(hop, bytes, now);
}

void TransactionLayer::OnUndelivered(absl::string_view bytes) { core_->OnUndelivered(bytes); }

ClientTransactionId TransactionLayer::SendRequest(Message request, const Hop& hop, absl::Time now, uint64_t mark) {
  return core_->SendRequest(std::move(request), hop, now, mark);
}

void TransactionLayer::Cancel(ClientTransactionId invite, absl::string_view reason, absl::Time now) {
  core_->Cancel(invite, reason, now);
}

void TransactionLayer::SendAck(ClientTransactionId invite, Message ack, const Hop& hop, absl::Time) {
  core_->SendAck(invite, std::move(ack), hop);
}

void TransactionLayer::PassSuccess(ServerTransactionId id, Message response, absl::Time now) {
  core_->PassSuccess(id, response, now);
}
void TransactionLayer::AbandonAck(ServerTransactionId id, absl::Time now) { core_->AbandonAck(id, now); }

void TransactionLayer::RespondStatelessly(ServerTransactionId id, const Message& response) {
  core_->RespondStatelessly(id, response);
}
std::string TransactionLayer::StatelessToTag(const Message& request) const { return core_->OwnToTag(request); }
void TransactionLayer::Respond(ServerTransactionId id, Message response, absl::Time now) {
  core_->Respond(id, response, now);
}

void TransactionLayer::Advance(absl::Time now) { core_->Advance(now); }

absl::Time TransactionLayer::NextDeadline() const { return core_->NextDeadline(); }

const TransactionStatistics& TransactionLayer::statistics() const { return core_->statistics(); }

}  // namespace sluice::sip
