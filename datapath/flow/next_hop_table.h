// Next hops: what flow entries refer to by a 16-bit index, so that a neighbour that changes is one write.
//
// How it works. A next hop is one atomic word: the neighbour's MAC address, its state, and the egress it is reached by.
// An egress is a DPDK port with its own MAC address and VLAN; egresses are set up before any next hop names them and do
// not change while one does. So a worker reads a whole next hop or the one before, never a mixture, even when a route
// moves to another interface.
//
// A worker that meets a next hop which is not reachable drops the packet with `no_neighbour` and sets its `wanted`
// mark; the netlink follower takes the mark and has the kernel resolve the neighbour.
//
// Threads: Load, egress and Want from workers. Allocate, Release, Set, TakeWanted and AddEgress from one thread at a
// time (the netlink follower's).

#ifndef SLUICE_DATAPATH_FLOW_NEXT_HOP_TABLE_H_
#define SLUICE_DATAPATH_FLOW_NEXT_HOP_TABLE_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "datapath/flow/entry_pool.h"
#include "datapath/flow/flow_entry.h"
#include "datapath/flow/memory.h"
#include "datapath/packet/mac_address.h"

namespace sluice::flow {

enum class NextHopState : uint8_t {
  kUnused,
  kNoRoute,     // There is no route to the destination.
  kUnresolved,  // The neighbour's address is not known.
  kReachable
};

// As it lies in the table's word.
struct NextHop {
  packet::MacAddress destination;
  uint8_t egress = 0;
  NextHopState state = NextHopState::kUnused;
};
static_assert(sizeof(NextHop) == sizeof(uint64_t));

// The same in one piece, as workers take it.
class NextHopWord {
 public:
  NextHopWord() = default;
  explicit NextHopWord(uint64_t raw) : raw_(raw) {}

  NextHopState state() const { return static_cast<NextHopState>(raw_ >> 56); }
  uint8_t egress() const { return static_cast<uint8_t>(raw_ >> 48); }
  // The neighbour's address in the first six bytes.
  uint64_t destination() const { return raw_; }
  NextHop Unpack() const { return std::bit_cast<NextHop>(raw_); }

 private:
  uint64_t raw_ = 0;
};
static_assert(offsetof(NextHop, egress) == 6 && offsetof(NextHop, state) == 7);

// Where packets leave.
struct alignas(16) Egress {
  // The source address in the first six bytes of a word.
  uint64_t SourceWord() const {
    uint64_t word;
    std::memcpy(&word, static_cast<const void*>(this), sizeof(word));
    return word;
  }

  packet::MacAddress source;
  uint16_t port = 0;  // DPDK port.
  uint16_t vlan = 0;  // 0: untagged.
};
static_assert(offsetof(Egress, source) == 0);

class NextHopTable {
 public:
  static constexpr uint32_t kMaxNextHops = 65535;
  static constexpr unsigned kMaxEgresses = 64;

  // `capacity` is at most kMaxNextHops. Check has_memory() before use.
  NextHopTable(Memory& memory, uint32_t capacity);
  bool has_memory() const { return words_.size() > 0; }

  // The next hop at `index`; kUnused for kNoNextHop.
  NextHopWord LoadWord(NextHopIndex index) const {
    // Acquire: the egress was written before.
    return NextHopWord(words_[index].load(std::memory_order_acquire));
  }
  NextHop Load(NextHopIndex index) const { return LoadWord(index).Unpack(); }
  const Egress& egress(uint8_t index) const { return egresses_[index]; }

  // Asks for resolution of a next hop that is not reachable. Cheap when it has been asked for already.
  void Want(NextHopIndex index) {
    if (wanted_[index].load(std::memory_order_relaxed) != 0) return;
    wanted_[index].store(1, std::memory_order_relaxed);
    any_wanted_.store(1, std::memory_order_release);
  }

  // The follower's side.

  // Index of a new egress, or kMaxEgresses if there are that many.
  unsigned AddEgress(const Egress& egress);
  // A free index, kUnresolved; kNoNextHop if there is none.
  NextHopIndex Allocate();
  // No flow that a worker can see refers to it: release it after the flow's grace period.
  void Release(NextHopIndex index);
  void Set(NextHopIndex index, const NextHop& next_hop);
  // Calls `resolve(index)` for each next hop that was wanted since the last call.
  template <typename Resolve>
  void TakeWanted(Resolve&& resolve) {
    if (any_wanted_.exchange(0, std::memory_order_acquire) == 0) return;
    for (uint32_t index = 1; index < highest_; ++index) {
      if (wanted_[index].load(std::memory_order_relaxed) == 0) continue;
      wanted_[index].store(0, std::memory_order_relaxed);
      resolve(static_cast<NextHopIndex>(index));
    }
  }

 private:
  IndexPool indices_;
  MemoryArray<std::atomic<uint64_t>> words_;
  MemoryArray<std::atomic<uint8_t>> wanted_;
  std::array<Egress, kMaxEgresses> egresses_;
  unsigned egress_count_ = 0;
  uint32_t highest_ = 1;
  alignas(64) std::atomic<uint8_t> any_wanted_{0};
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_NEXT_HOP_TABLE_H_
