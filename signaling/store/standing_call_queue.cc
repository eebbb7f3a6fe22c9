#include "signaling/store/standing_call_queue.h"

namespace sluice::store {

StandingCallQueue::Batch StandingCallQueue::Take(size_t limit, bool with_ends) {
  Batch batch;
  while (!kept_.empty() && batch.kept.size() < limit) {
    auto call = kept_.extract(kept_.begin());
    on_disk_.insert(call.key());
    batch.kept.push_back({std::move(call.key()), std::move(call.mapped())});
  }
  while (with_ends && !forgotten_.empty() && batch.forgotten.size() < limit) {
    std::string call_id = std::move(forgotten_.extract(forgotten_.begin()).value());
    on_disk_.erase(call_id);
    batch.forgotten.push_back(std::move(call_id));
  }
  return batch;
}

void StandingCallQueue::PutBack(Batch batch) {
  for (StandingCall& call : batch.kept) {
    if (!forgotten_.contains(call.call_id)) kept_.try_emplace(std::move(call.call_id), std::move(call.state));
  }
  for (std::string& call_id : batch.forgotten) {
    on_disk_.insert(call_id);
    forgotten_.insert(std::move(call_id));
  }
}

}  // namespace sluice::store
