#include "datapath/flow/next_hop_table.h"

#include <algorithm>

namespace sluice::flow {

NextHopTable::NextHopTable(Memory& memory, uint32_t capacity)
    : indices_(std::min(capacity, kMaxNextHops)),
      words_(memory, "next_hops", indices_.capacity() + 1),
      wanted_(memory, "next_hops_wanted", indices_.capacity() + 1) {}

unsigned NextHopTable::AddEgress(const Egress& egress) {
  if (egress_count_ == kMaxEgresses) return kMaxEgresses;
  egresses_[egress_count_] = egress;
  return egress_count_++;
}

NextHopIndex NextHopTable::Allocate() {
  const uint32_t index = indices_.Take();
  if (index == 0) return kNoNextHop;
  highest_ = std::max(highest_, index + 1);
  Set(static_cast<NextHopIndex>(index), {.state = NextHopState::kUnresolved});
  return static_cast<NextHopIndex>(index);
}

void NextHopTable::Release(NextHopIndex index) {
  Set(index, NextHop());
  wanted_[index].store(0, std::memory_order_relaxed);
  indices_.Reclaim(index);
}

void NextHopTable::Set(NextHopIndex index, const NextHop& next_hop) {
  // Release: the egress it names was written before.
  words_[index].store(std::bit_cast<uint64_t>(next_hop), std::memory_order_release);
}

}  // namespace sluice::flow
