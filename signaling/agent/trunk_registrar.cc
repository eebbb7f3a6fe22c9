#include "signaling/agent/trunk_registrar.h"

#include <algorithm>
#include <utility>

namespace sluice::agent {
namespace {

constexpr size_t kTagDigits = 16;

}  // namespace

void TrunkRegistrar::SetPlan(const routing::Plan& plan, absl::Time now) {
  std::list<Entry> entries;
  for (const std::shared_ptr<const routing::Trunk>& trunk : plan.trunks()) {
    if (!trunk->registers) continue;
    const auto known = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.registration.trunk() == *trunk; });
    if (known != entries_.end()) {
      entries.splice(entries.end(), entries_, known);
      continue;
    }
    entries.push_back({TrunkRegistration(trunk, {parts_.ids.NewCallId(), parts_.ids.NewHex(kTagDigits)},
                                         [&ids = parts_.ids] { return ids.NewNumber(); })});
  }
  Stop(now);
  entries_ = std::move(entries);
  for (const Entry& entry : entries_) parts_.book.Set(entry.registration.trunk().name, entry.registration.state());
}

void TrunkRegistrar::Stop(absl::Time now) {
  for (Entry& entry : entries_) TakeBack(entry, now);
  entries_.clear();
}

void TrunkRegistrar::TakeBack(Entry& entry, absl::Time now) {
  parts_.book.Forget(entry.registration.trunk().name);
  if (entry.registration.state().state != TrunkBook::State::kRegistered) return;
  Send(entry.registration, entry.registration.Last(parts_.network.Advertised(HopTo(entry.registration))), now);
}

sip::Hop TrunkRegistrar::HopTo(const TrunkRegistration& registration) const {
  return parts_.network.HopTo(registration.peer().protocol, registration.peer().address);
}

sip::ClientTransactionId TrunkRegistrar::Send(const TrunkRegistration& registration, sip::Message request,
                                              absl::Time now) {
  request.Add(sip::Header::kUserAgent, user_agent_);
  return parts_.transactions.SendRequest(std::move(request), HopTo(registration), now);
}

void TrunkRegistrar::Advance(absl::Time now) {
  for (Entry& entry : entries_) {
    if (entry.registration.due() > now) continue;
    sip::Message request = entry.registration.Next(parts_.network.Advertised(HopTo(entry.registration)));
    entry.transaction = Send(entry.registration, std::move(request), now);
  }
}

absl::Time TrunkRegistrar::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (const Entry& entry : entries_) next = std::min(next, entry.registration.due());
  return next;
}

TrunkRegistrar::Entry* TrunkRegistrar::Find(sip::ClientTransactionId id) {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [id](const Entry& entry) { return entry.transaction == id; });
  return found == entries_.end() ? nullptr : &*found;
}

bool TrunkRegistrar::OnResponse(sip::ClientTransactionId id, const sip::Message& response, absl::Time now) {
  Entry* entry = Find(id);
  if (entry == nullptr) return false;
  if (!response.is_final()) return true;
  entry->transaction = 0;
  entry->registration.OnResponse(response, now);
  parts_.book.Set(entry->registration.trunk().name, entry->registration.state());
  return true;
}

bool TrunkRegistrar::OnFailure(sip::ClientTransactionId id, sip::TransactionFailure failure, absl::Time now) {
  Entry* entry = Find(id);
  if (entry == nullptr) return false;
  entry->transaction = 0;
  const bool timeout = failure == sip::TransactionFailure::kTimeout;
  entry->registration.OnFailure(timeout ? "no answer" : "too many transactions", now);
  parts_.book.Set(entry->registration.trunk().name, entry->registration.state());
  return true;
}

}  // namespace sluice::agent
