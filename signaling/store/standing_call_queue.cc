#include "signaling/store/standing_call_queue.h"

namespace sluice::store {

StandingCallQueue::Batch StandingCallQueue::Take(size_t limit, bool with_ends) {
  Batch batch;
  while (!kept_.empty() && batch.kept.size() < limit) {
    auto call = kept_.extract(kept_.begin());
    const bool is_first = on_disk_.insert(call.key()).second;
    batch.kept.push_back({{std::move(call.key()), std::move(call.mapped())}, is_first});
  }
  while (with_ends && !forgotten_.empty() && batch.forgotten.size() < limit) {
    std::string call_id = std::move(forgotten_.extract(forgotten_.begin()).value());
    on_disk_.erase(call_id);
    batch.forgotten.push_back(std::move(call_id));
  }
  return batch;
}

void StandingCallQueue::PutBack(Batch batch) {
  for (Kept& call : batch.kept) {
    const bool is_over = forgotten_.contains(call.call_id);
    if (call.is_first) {
      on_disk_.erase(call.call_id);
      forgotten_.erase(call.call_id);
    }
    if (!is_over) kept_.try_emplace(std::move(call.call_id), std::move(call.state));
  }
  for (std::string& call_id : batch.forgotten) {
    on_disk_.insert(call_id);
    forgotten_.insert(std::move(call_id));
  }
}

}  // namespace sluice::store
