#include "signaling/agent/trunk_registrar.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace sluice::agent {
namespace {

constexpr size_t kTagDigits = 16;

absl::string_view TextOf(sip::TransactionFailure failure) {
  switch (failure) {
    case sip::TransactionFailure::kTimeout:
      return "no answer";
    case sip::TransactionFailure::kUndelivered:
      return "no connection";
    case sip::TransactionFailure::kTooMany:
      return "too many transactions";
  }
  return "";
}

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
  const std::string advertised = parts_.network.Advertised(HopTo(entry.server, parts_.network));
  Send(entry.server, entry.registration.Last(entry.server, advertised), now);
}

sip::ClientTransactionId TrunkRegistrar::Send(const TrunkServer& server, sip::Message request, absl::Time now) {
  request.Add(sip::Header::kUserAgent, user_agent_);
  return parts_.transactions.SendRequest(std::move(request), HopTo(server, parts_.network), now);
}

bool TrunkRegistrar::ChooseServer(Entry& entry) {
  const std::vector<TrunkServer> servers = parts_.servers.Find(entry.registration.trunk());
  if (servers.empty()) return false;
  const bool is_there = std::any_of(servers.begin(), servers.end(),
                                    [&](const TrunkServer& server) { return server.tried() == entry.server.tried(); });
  if (is_there && entry.turn == entry.registration.turn()) return true;
  entry.turn = entry.registration.turn();
  entry.server = servers[entry.turn % servers.size()];
  return true;
}

void TrunkRegistrar::Register(Entry& entry, absl::Time now) {
  TrunkRegistration& registration = entry.registration;
  if (ChooseServer(entry)) {
    const std::string advertised = parts_.network.Advertised(HopTo(entry.server, parts_.network));
    entry.transaction = Send(entry.server, registration.Next(entry.server, advertised), now);
  } else {
    registration.Wait(now);
    parts_.book.Set(registration.trunk().name, registration.state());
  }
}

void TrunkRegistrar::Advance(absl::Time now) {
  for (Entry& entry : entries_) {
    if (entry.registration.due() <= now) Register(entry, now);
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
  parts_.health.Worked(entry->server.tried(), now);
  entry->registration.OnResponse(response, now);
  parts_.book.Set(entry->registration.trunk().name, entry->registration.state());
  return true;
}

bool TrunkRegistrar::OnFailure(sip::ClientTransactionId id, sip::TransactionFailure failure, absl::Time now) {
  Entry* entry = Find(id);
  if (entry == nullptr) return false;
  entry->transaction = 0;
  if (failure != sip::TransactionFailure::kTooMany) parts_.health.Failed(entry->server.tried(), now);
  entry->registration.OnFailure(TextOf(failure), now);
  parts_.book.Set(entry->registration.trunk().name, entry->registration.state());
  return true;
}

}  // namespace sluice::agent
