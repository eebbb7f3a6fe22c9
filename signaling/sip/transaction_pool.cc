#include "signaling/sip/transaction_pool.h"

namespace sluice::sip {

Transaction* TransactionPool::Take() {
  if (size_ >= capacity_) return nullptr;
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(places_.size()));
    places_.emplace_back();
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  ++size_;
  Place& place = places_[index];
  Transaction& transaction = place.transaction.emplace();
  transaction.id = (uint64_t{++place.uses} << 32) | index;
  return &transaction;
}

Transaction* TransactionPool::Find(uint64_t id) {
  const size_t index = static_cast<uint32_t>(id);
  if (index >= places_.size()) return nullptr;
  std::optional<Transaction>& transaction = places_[index].transaction;
  return transaction && transaction->id == id ? &*transaction : nullptr;
}

void TransactionPool::Release(Transaction& transaction) {
  const uint32_t index = static_cast<uint32_t>(transaction.id);
  places_[index].transaction.reset();
  free_.push_back(index);
  --size_;
}

}  // namespace sluice::sip
