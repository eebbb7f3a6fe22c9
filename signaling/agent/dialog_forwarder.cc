#include "signaling/agent/dialog_forwarder.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "signaling/agent/id_source.h"
#include "signaling/call/header_passing.h"

namespace sluice::agent {
namespace {

// Longer than it takes to see that a controller is gone and to take its calls over.
constexpr absl::Duration kPatience = absl::Seconds(4);
constexpr absl::Duration kLook = absl::Milliseconds(250);
// Anybody can send requests that name a run.
constexpr size_t kMostWaiting = 4096;
// Of a run that is not known here, since it has just begun, or because a stranger guesses: who has seen no tag of ours
// seldom names one that there is.
constexpr size_t kMostUnknown = 256;

// `message` with the Vias of `request`, for an answer to it.
void SetVias(const sip::Message& request, sip::Message& message) {
  message.Remove(sip::Header::kVia);
  const std::vector<absl::string_view> vias = request.Elements(sip::Header::kVia);
  for (auto via = vias.rbegin(); via != vias.rend(); ++via) message.AddFirst(sip::Header::kVia, *via);
}

// As it goes on, without Via. Nothing: it has come too far (483).
std::optional<sip::Message> Passed(const sip::Message& message) {
  const std::optional<uint32_t> max_forwards = call::PassedMaxForwards(message);
  if (!max_forwards.has_value()) return std::nullopt;
  sip::Message passed = message;
  passed.Remove(sip::Header::kVia);
  passed.Set(sip::Header::kMaxForwards, absl::StrCat(*max_forwards));
  return passed;
}

}  // namespace

std::optional<cluster::Whereabouts> DialogForwarder::OwnerOf(const sip::Message& message) const {
  return parts_.cluster.Find(IdSource::RunOf(message.ToTag()));
}

sip::Hop DialogForwarder::HopTo(const cluster::Whereabouts& owner) const {
  sip::Hop hop = parts_.network.HopTo(owner.protocol, owner.address);
  const cluster::Whereabouts ours = parts_.cluster.whereabouts();
  if (ours.protocol == owner.protocol && ours.address.is_v6 == owner.address.is_v6) hop.local = ours.address;
  return hop;
}

DialogForwarder::Request* DialogForwarder::Find(sip::ServerTransactionId id) {
  const auto found = requests_.find(id);
  return found == requests_.end() ? nullptr : found->second.get();
}

void DialogForwarder::Forget(sip::ServerTransactionId id) {
  const auto found = requests_.find(id);
  asked_.erase(found->second->transaction);
  requests_.erase(found);
}

bool DialogForwarder::Take(sip::ServerTransactionId id, const sip::Message& request, const sip::Hop& hop,
                           absl::Time now) {
  const cluster::RunNumber run = IdSource::RunOf(request.ToTag());
  if (run == 0 || run == parts_.cluster.run()) return false;
  if (requests_.size() >= (parts_.cluster.Knows(run) ? kMostWaiting : kMostUnknown)) return false;
  auto taken = std::make_unique<Request>();
  taken->message = request;
  taken->hop = hop;
  taken->from_member = parts_.cluster.IsMember(hop.remote);
  taken->limit = now + kPatience;
  Request& kept = *taken;
  requests_.emplace(id, std::move(taken));
  if (Look(id, kept, now)) next_look_ = std::min(next_look_, now + kLook);
  return true;
}

bool DialogForwarder::Look(sip::ServerTransactionId id, Request& request, absl::Time now) {
  const std::optional<cluster::Whereabouts> owner = request.from_member ? std::nullopt : OwnerOf(request.message);
  if (owner.has_value()) {
    request.limit = now + kPatience;
    if (owner != request.asked) Ask(id, request, *owner, now);
    return Find(id) != nullptr;
  }
  if (now < request.limit) return true;
  const sip::Message message = std::move(request.message);
  Forget(id);
  parts_.refuse(id, message, 481);
  return false;
}

void DialogForwarder::Ask(sip::ServerTransactionId id, Request& request, const cluster::Whereabouts& owner,
                          absl::Time now) {
  std::optional<sip::Message> passed = Passed(request.message);
  if (!passed.has_value()) {
    const sip::Message message = std::move(request.message);
    Forget(id);
    return parts_.refuse(id, message, 483);
  }
  asked_.erase(request.transaction);
  request.asked = owner;
  request.transaction = parts_.transactions.SendRequest(*std::move(passed), HopTo(owner), now);
  asked_[request.transaction] = id;
}

void DialogForwarder::PassAck(const sip::Message& ack, const sip::Hop& hop, absl::Time now) {
  if (parts_.cluster.IsMember(hop.remote)) return;
  const std::optional<cluster::Whereabouts> owner = OwnerOf(ack);
  if (!owner.has_value()) return;
  if (std::optional<sip::Message> passed = Passed(ack)) {
    parts_.transactions.SendAck(0, *std::move(passed), HopTo(*owner), now);
  }
}

bool DialogForwarder::OnCancel(sip::ServerTransactionId id, const sip::Message& cancel, absl::Time now) {
  Request* const request = Find(id);
  if (request == nullptr) return false;
  if (request->transaction != 0) {
    // The one that has the dialog answers the INVITE.
    parts_.transactions.Cancel(request->transaction, cancel.Get(sip::Header::kReason), now);
    return true;
  }
  const sip::Message message = std::move(request->message);
  Forget(id);
  parts_.refuse(id, message, 487);
  return true;
}

bool DialogForwarder::OnAck(sip::ServerTransactionId id, const sip::Message& ack, absl::Time now) {
  const Request* const request = Find(id);
  if (request == nullptr) return false;
  if (std::optional<sip::Message> passed = Passed(ack)) {
    parts_.transactions.SendAck(request->transaction, *std::move(passed), HopTo(*request->asked), now);
  }
  Forget(id);
  return true;
}

bool DialogForwarder::OnAckMissing(sip::ServerTransactionId id) {
  if (Find(id) == nullptr) return false;
  Forget(id);
  return true;
}

bool DialogForwarder::OnResponse(sip::ClientTransactionId id, const sip::Message& response, absl::Time now) {
  const auto found = asked_.find(id);
  if (found == asked_.end()) return false;
  const sip::ServerTransactionId server = found->second;
  Request& request = *Find(server);
  request.answered = true;
  // 100 is each one's own.
  if (response.status() == 100) return true;
  sip::Message passed = response;
  SetVias(request.message, passed);
  const bool awaits_ack = request.message.method() == sip::Method::kInvite && response.is_success();
  if (awaits_ack) {
    parts_.transactions.PassSuccess(server, std::move(passed), now);
    return true;
  }
  if (response.is_final()) Forget(server);
  parts_.transactions.Respond(server, std::move(passed), now);
  return true;
}

bool DialogForwarder::OnFailure(sip::ClientTransactionId id, sip::TransactionFailure failure) {
  const auto found = asked_.find(id);
  if (found == asked_.end()) return false;
  const sip::ServerTransactionId server = found->second;
  Request& request = *Find(server);
  if (failure == sip::TransactionFailure::kUndelivered && !request.answered) {
    // Asked once more with the next look, if it still is the one.
    asked_.erase(found);
    request.transaction = 0;
    request.asked.reset();
    return true;
  }
  const sip::Message message = std::move(request.message);
  Forget(server);
  const bool is_late = failure == sip::TransactionFailure::kTimeout;
  // A 408 to what is no INVITE would come too late (RFC 4320).
  if (!is_late || message.method() == sip::Method::kInvite) parts_.refuse(server, message, is_late ? 408 : 503);
  return true;
}

void DialogForwarder::Advance(absl::Time now) {
  if (now < next_look_) return;
  next_look_ = absl::InfiniteFuture();
  std::vector<sip::ServerTransactionId> waiting;
  for (const auto& [id, request] : requests_) {
    if (!request->answered) waiting.push_back(id);
  }
  for (const sip::ServerTransactionId id : waiting) {
    Request& request = *Find(id);
    if (parts_.serve(id, request.message, request.hop, now)) {
      Forget(id);
    } else if (Look(id, request, now)) {
      next_look_ = now + kLook;
    }
  }
}

}  // namespace sluice::agent
