#include "datapath/flow/deferred_reclaim.h"

#include <utility>

namespace sluice::flow {

void DeferredReclaim::Retire(Reclaimable& pool, uint32_t index) {
  open_.push_back({&pool, index});
  ++pending_;
}

size_t DeferredReclaim::Collect() {
  if (!open_.empty()) {
    closed_.push_back({qsbr_.StartGracePeriod(), std::move(open_)});
    open_.clear();
    if (!spare_.empty()) {
      open_ = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  size_t freed = 0;
  while (!closed_.empty() && qsbr_.HasPassed(closed_.front().token)) {
    std::vector<Item>& items = closed_.front().items;
    for (const Item& item : items) item.pool->Reclaim(item.index);
    freed += items.size();
    items.clear();
    if (spare_.size() < 4) spare_.push_back(std::move(items));
    closed_.pop_front();
  }
  pending_ -= freed;
  return freed;
}

}  // namespace sluice::flow
