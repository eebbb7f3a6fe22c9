#include "signaling/cluster/call_shelf.h"

#include <utility>

namespace sluice::cluster {

void CallShelf::Keep(absl::string_view call_id, std::string state) {
  calls_[call_id].state = std::make_shared<const std::string>(std::move(state));
  changed_.emplace(call_id);
}

void CallShelf::Forget(absl::string_view call_id) {
  const auto found = calls_.find(call_id);
  if (found == calls_.end()) return;
  const Call& call = found->second;
  if (call.is_written || call.in_flight) ended_[call_id] = call.origin;
  if (call.is_written) --written_;
  changed_.erase(call_id);
  calls_.erase(found);
}

bool CallShelf::Adopt(RunNumber origin, const store::StandingCall& call) {
  const auto [entry, is_new] = calls_.try_emplace(call.call_id);
  if (!is_new) return false;
  entry->second = {std::make_shared<const std::string>(call.state), origin, true, false};
  ++written_;
  return true;
}

CallShelf::Batch CallShelf::Take(size_t bytes, size_t ends) {
  Batch batch;
  size_t taken = 0;
  while (!changed_.empty() && taken < bytes) {
    std::string call_id = std::move(changed_.extract(changed_.begin()).value());
    Call& call = calls_.find(call_id)->second;
    call.in_flight = true;
    taken += call_id.size() + call.state->size();
    batch.kept.push_back({std::move(call_id), call.state, call.origin});
  }
  while (!ended_.empty() && batch.ended.size() < ends) {
    const auto ended = ended_.begin();
    batch.ended.push_back({ended->first, ended->second});
    ended_.erase(ended);
  }
  under_way_ = batch.kept.size() + batch.ended.size();
  return batch;
}

void CallShelf::Done(const Batch& batch) {
  under_way_ = 0;
  for (const Kept& kept : batch.kept) {
    const auto found = calls_.find(kept.call_id);
    if (found == calls_.end()) continue;
    Call& call = found->second;
    call.in_flight = false;
    call.origin = 0;
    if (!std::exchange(call.is_written, true)) ++written_;
  }
}

void CallShelf::PutBack(const Batch& batch) {
  under_way_ = 0;
  for (const Kept& kept : batch.kept) {
    const auto found = calls_.find(kept.call_id);
    if (found == calls_.end()) continue;
    found->second.in_flight = false;
    changed_.insert(kept.call_id);
  }
  for (const Ended& ended : batch.ended) {
    if (!calls_.contains(ended.call_id)) ended_.try_emplace(ended.call_id, ended.origin);
  }
}

void CallShelf::WriteAllAgain() {
  for (const auto& [call_id, call] : calls_) changed_.insert(call_id);
}

bool CallShelf::Belongs(absl::string_view call_id, RunNumber run, RunNumber self) const {
  const auto found = calls_.find(call_id);
  return found != calls_.end() && (run == self || found->second.origin == run);
}

}  // namespace sluice::cluster
