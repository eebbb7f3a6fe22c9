#include "signaling/agent/call_keeper.h"

#include <optional>

#include "signaling/agent/standing_call.h"

namespace sluice::agent {
namespace {

constexpr absl::Duration kDelay = absl::Seconds(1);

}  // namespace

void CallKeeper::NoteRestored(BookedCall& call) {
  call.kept = true;
  ++kept_calls_;
}

void CallKeeper::Drop(BookedCall& call) {
  if (call.kept) --kept_calls_;
  const uint64_t place = std::exchange(call.live->waiting, 0);
  if (place == 0) return;
  waiting_[place - taken_ - 1].call = nullptr;
  while (!waiting_.empty() && waiting_.front().call == nullptr) {
    waiting_.pop_front();
    ++taken_;
  }
}

void CallKeeper::Forget(const BookedCall& call) {
  if (call.kept) store_.ForgetCall(call.summary.call_id);
}

void CallKeeper::Advance(absl::Time now) {
  while (!waiting_.empty() && waiting_.front().due <= now) KeepFirst(now);
}

void CallKeeper::KeepAll(absl::Time now) {
  for (size_t left = waiting_.size(); left > 0; --left) KeepFirst(now);
}

void CallKeeper::NoteAddresses(const std::string& relay, const TranslatedAddresses& addresses) {
  for (const auto& [told, own] : addresses) own_addresses_[{relay, told}] = own;
}

const std::string& CallKeeper::OwnAddress(const std::string& relay, const std::string& told) const {
  const auto found = own_addresses_.find({relay, told});
  return found == own_addresses_.end() ? told : found->second;
}

void CallKeeper::Wait(BookedCall& call, absl::Time now) {
  waiting_.push_back({now + kDelay, &call});
  call.live->waiting = taken_ + waiting_.size();
}

void CallKeeper::KeepFirst(absl::Time now) {
  BookedCall* call = waiting_.front().call;
  waiting_.pop_front();
  ++taken_;
  if (call == nullptr) return;
  call->live->waiting = 0;
  if (!Keep(*call)) Wait(*call, now);
}

bool CallKeeper::Keep(BookedCall& call) {
  std::optional<state::v1::StandingCall> state = MakeStandingCall(call);
  if (!state.has_value()) return false;
  Explain(*state);
  store_.KeepCall(call.summary.call_id, state->SerializeAsString());
  if (!std::exchange(call.kept, true)) ++kept_calls_;
  return true;
}

void CallKeeper::Explain(state::v1::StandingCall& state) const {
  for (const state::v1::Leg& leg : state.call().legs()) {
    const uint32_t number = leg.party().hop().tls_peer();
    const transport::TlsPeer peer = network_.TlsPeerOf(number);
    if (!peer.name.empty()) (*state.mutable_tls_names())[number] = peer.name;
    if (!peer.trunk.empty()) (*state.mutable_tls_trunks())[number] = peer.trunk;
  }
  for (const state::v1::MediaPorts& ports : state.call().ports()) {
    for (const state::v1::MediaAddress& leg : ports.legs()) {
      const std::string& own = OwnAddress(state.relay(), leg.address());
      if (own != leg.address()) (*state.mutable_relay_addresses())[leg.address()] = own;
    }
  }
}

}  // namespace sluice::agent
