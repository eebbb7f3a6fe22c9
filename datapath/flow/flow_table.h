// A table from (local address, UDP port) to flow, read by workers without locks.
//
// How it works. The relay hands out its own ports, so the key is dense: an array of 65 536 slots a local address. A
// slot is one 64-bit word: the index of an immutable entry and that of the flow's state, so a worker that has read the
// slot can prefetch both; and whether the flow has a bandwidth limit, whose state is elsewhere. Slot 0 is nobody's.
// - Publish: fill an entry, store the slot with release order. A worker that loads it with acquire order sees the whole
// entry or none.
// - Replace: publish a copy, retire the old entry. Its state stays.
// - Reclaim: a retired entry, state or shared value is reused once every worker has passed a quiescent state (qsbr.h).
//
// Threads: the functions under "Workers" from any worker that is online in qsbr(). AddLocalAddress before the workers
// start. All else from one control thread at a time.

#ifndef SLUICE_DATAPATH_FLOW_FLOW_TABLE_H_
#define SLUICE_DATAPATH_FLOW_FLOW_TABLE_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "datapath/flow/deferred_reclaim.h"
#include "datapath/flow/entry_pool.h"
#include "datapath/flow/flow_entry.h"
#include "datapath/flow/flow_state.h"
#include "datapath/flow/local_addresses.h"
#include "datapath/flow/memory.h"
#include "datapath/flow/qsbr.h"
#include "datapath/flow/shared_table.h"
#include "datapath/packet/endpoint.h"
#include "datapath/packet/ip_address.h"
#include "datapath/rtp/payload_map.h"
#include "datapath/rtp/source_policy.h"

namespace sluice::flow {

// A slot's content.
struct FlowReference {
  EntryIndex entry = kNoEntry;
  StateIndex state : 31 = kNoState;
  StateIndex is_limited : 1 = 0;

  bool is_set() const { return entry != kNoEntry; }
  bool is_wide() const { return entry & kWideEntry; }
};

static_assert(sizeof(FlowReference) == sizeof(uint64_t));

// All of it in one word.
using FlowSlot = std::atomic<uint64_t>;

struct FlowTableOptions {
  // Most flows; 1 to kMaxFlows.
  uint32_t max_flows = 16384;
  // How many of them may have IPv6 on a side; 0: all.
  uint32_t max_wide_flows = 0;
  // Different sets of negotiated payload types, and of source prefixes, at the same time; at most 65534.
  uint32_t max_payload_maps = 4096;
  uint32_t max_prefix_sets = 16384;
  // Of the time counter that workers pass in; for bandwidth limits. Required.
  uint64_t ticks_per_second = 0;
};

class FlowTable {
 public:
  static constexpr uint32_t kMaxFlows = 4u << 20;
  static_assert(kMaxFlows >> 31 == 0);
  static constexpr unsigned kNotLocal = LocalAddresses::kNotLocal;

  // INVALID_ARGUMENT for options out of range, RESOURCE_EXHAUSTED if `memory` has too little. `memory` outlives the
  // table.
  static absl::StatusOr<std::unique_ptr<FlowTable>> Create(const FlowTableOptions& options, Memory& memory);
  ~FlowTable();

  // Makes `address` a local one and answers its index. RESOURCE_EXHAUSTED after 64.
  absl::StatusOr<unsigned> AddLocalAddress(const packet::IpAddress& address);
  const LocalAddresses& local_addresses() const { return local_addresses_; }

  // Workers.

  // Index of a packet's destination address, or kNotLocal.
  unsigned FindLocal(const packet::IpAddress& address) const { return local_addresses_.Find(address); }

  // The steps of a look-up, so that a burst can do each for all its packets. `local` is an index from FindLocal, not
  // kNotLocal; `port` in host order.
  const FlowSlot* SlotOf(unsigned local, uint16_t port) const { return &slots_[local][port]; }
  static FlowReference Load(const FlowSlot* slot) {
    // Acquire: pairs with the release of Publish, so the entry is complete.
    return std::bit_cast<FlowReference>(slot->load(std::memory_order_acquire));
  }
  // Into the second cache level: of misses to that a core has several times as many under way as of those to the first,
  // and with many flows it is their number that sets the pace.
  // Always inlined: gcc takes a function that does nothing but prefetch for one without effect, and drops its calls.
  [[gnu::always_inline]] static void Prefetch(const FlowSlot* slot) { PrefetchLine(slot); }
  [[gnu::always_inline]] void Prefetch(FlowReference reference) const {
    if (reference.is_wide()) {
      const FlowEntryWide* entry = &wide_entries_[reference.entry & ~kWideEntry];
      PrefetchLine(entry);
      PrefetchLine(reinterpret_cast<const char*>(entry) + 64);
    } else {
      PrefetchLine(&entries_[reference.entry]);
    }
    PrefetchLine(&states_[reference.state]);
    if (reference.is_limited) [[unlikely]]
      PrefetchLine(&details_[reference.state].policer);
  }
  // Of a reference that is set.
  const FlowEntry4& entry4(EntryIndex index) const { return entries_[index]; }
  const FlowEntryWide& entry_wide(EntryIndex index) const { return wide_entries_[index & ~kWideEntry]; }
  const FlowCommon& common(EntryIndex index) const {
    return index & kWideEntry ? static_cast<const FlowCommon&>(entry_wide(index)) : entry4(index);
  }
  FlowState& state(StateIndex index) { return states_[index]; }
  FlowDetail& detail(StateIndex index) { return details_[index]; }
  const FlowState& state(StateIndex index) const { return states_[index]; }
  const FlowDetail& detail(StateIndex index) const { return details_[index]; }
  const rtp::PayloadMap& payload_map(uint16_t index) const { return payload_maps_[index]; }
  const rtp::PrefixSet* prefix_set(uint16_t index) const { return &prefix_sets_[index]; }

  Qsbr& qsbr() { return qsbr_; }

  // Control thread.

  // A state for a new flow, reset. RESOURCE_EXHAUSTED if all are in use or in their grace period.
  absl::StatusOr<StateIndex> AllocateState();
  // Gives a state back; no published flow refers to it any more.
  void ReleaseState(StateIndex state);

  // Makes the flow visible to all workers at once, in place of the one at the same local address and port if there is
  // one. INVALID_ARGUMENT for what cannot be (the message names the field), RESOURCE_EXHAUSTED if a pool is empty.
  absl::Status Publish(const FlowSpec& spec);
  // Removes the flow at `local`; packets to it drop with `no_flow`. Nothing happens if there is none.
  void Unpublish(const packet::Endpoint& local);

  // What is published at `local`; not set if nothing or not a local address.
  FlowReference Find(const packet::Endpoint& local) const;

  // Reuses what no worker can see any more. To be called every few milliseconds.
  size_t Collect() { return reclaim_.Collect(); }

  uint32_t flows() const { return flows_; }
  uint32_t states_available() const { return state_indices_.available(); }
  const FlowTableOptions& options() const { return options_; }

 private:
  using Slots = MemoryArray<FlowSlot>;

  [[gnu::always_inline]] static void PrefetchLine(const void* line) {
    constexpr int kRead = 0, kSecondLevel = 2;
    __builtin_prefetch(line, kRead, kSecondLevel);
  }

  FlowTable(const FlowTableOptions& options, Memory& memory);

  absl::StatusOr<EntryIndex> MakeEntry(const FlowSpec& spec, const FlowTarget& target, FlowCommon common);
  void RetireEntry(EntryIndex index);
  IndexPool& indices_of(EntryIndex index) { return index & kWideEntry ? wide_entries_.indices() : entries_.indices(); }

  FlowTableOptions options_;
  Memory& memory_;
  Qsbr qsbr_;
  DeferredReclaim reclaim_{qsbr_};
  LocalAddresses local_addresses_;
  std::array<Slots, LocalAddresses::kMax> slots_;
  EntryPool<FlowEntry4> entries_;
  EntryPool<FlowEntryWide> wide_entries_;
  IndexPool state_indices_;
  MemoryArray<FlowState> states_;
  MemoryArray<FlowDetail> details_;
  SharedTable<rtp::PayloadMap> payload_maps_;
  SharedTable<rtp::PrefixSet> prefix_sets_;
  uint32_t flows_ = 0;
};

}  // namespace sluice::flow

#endif  // SLUICE_DATAPATH_FLOW_FLOW_TABLE_H_
