#include "datapath/flow/flow_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sluice::flow {
namespace {

constexpr size_t kPorts = 65536;
constexpr uint8_t kMaxDscp = 63;

// Entries beyond the flows: replaced and removed ones rest in them for a grace period.
uint32_t WithSpare(uint32_t flows) { return flows + flows / 8 + 1024; }

absl::Status CheckTarget(const FlowTarget& target, absl::string_view name) {
  if (!target.source.is_set()) return absl::InvalidArgumentError(absl::StrCat(name, ".source has no port"));
  if (!target.destination.is_set()) return absl::OkStatus();
  if (target.source.address.is_v4() != target.destination.address.is_v4()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ".source ", target.source.ToString(), " and ", name,
                                                   ".destination ", target.destination.ToString(),
                                                   " are of different IP versions"));
  }
  return absl::OkStatus();
}

absl::Status CheckSpec(const FlowSpec& spec) {
  if (absl::Status status = CheckTarget(spec.target, "target"); !status.ok()) return status;
  if (spec.rtcp_target) {
    if (absl::Status status = CheckTarget(*spec.rtcp_target, "rtcp_target"); !status.ok()) return status;
  }
  if (spec.dscp > kMaxDscp)
    return absl::InvalidArgumentError(absl::StrCat("dscp is ", spec.dscp, ", allowed is 0 to 63"));
  if (spec.source_mode == rtp::SourceMode::kPrefix &&
      (spec.prefixes.empty() || spec.prefixes.size() > rtp::PrefixSet::kMaxPrefixes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("source_policy.prefixes has ", spec.prefixes.size(), " entries, allowed are 1 to 8"));
  }
  if (!spec.local.is_set()) return absl::InvalidArgumentError("local has no port");
  return absl::OkStatus();
}

bool IsNarrow(const FlowTarget& target) { return target.source.address.is_v4(); }

// Whether IPv6 takes part. A signalled address of the other family can never be a source and does not count.
bool IsNarrow(const FlowSpec& spec) {
  return spec.local.address.is_v4() && IsNarrow(spec.target) && (!spec.rtcp_target || IsNarrow(*spec.rtcp_target));
}

packet::BigEndian32 V4OrNone(const packet::IpAddress& address) {
  return address.is_v4() ? address.v4() : packet::BigEndian32(0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<FlowTable>> FlowTable::Create(const FlowTableOptions& options, Memory& memory) {
  FlowTableOptions checked = options;
  if (checked.max_flows == 0 || checked.max_flows > kMaxFlows) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_flows is ", checked.max_flows, ", allowed is 1 to ", kMaxFlows));
  }
  if (checked.ticks_per_second == 0) return absl::InvalidArgumentError("ticks_per_second is 0");
  if (checked.max_wide_flows == 0 || checked.max_wide_flows > checked.max_flows)
    checked.max_wide_flows = checked.max_flows;
  std::unique_ptr<FlowTable> table(new FlowTable(checked, memory));
  if (!table->entries_.has_memory() || !table->wide_entries_.has_memory() || table->states_.size() == 0 ||
      table->details_.size() == 0 || !table->payload_maps_.has_memory() || !table->prefix_sets_.has_memory()) {
    return absl::ResourceExhaustedError(absl::StrCat("not enough memory for ", checked.max_flows, " flows"));
  }
  return table;
}

FlowTable::FlowTable(const FlowTableOptions& options, Memory& memory)
    : options_(options),
      memory_(memory),
      entries_(memory, "flow_entries", WithSpare(options.max_flows)),
      wide_entries_(memory, "flow_entries_wide", WithSpare(options.max_wide_flows)),
      state_indices_(options.max_flows),
      states_(memory, "flow_states", size_t{options.max_flows} + 1),
      details_(memory, "flow_details", size_t{options.max_flows} + 1),
      payload_maps_(memory, "payload_maps", options.max_payload_maps, reclaim_),
      prefix_sets_(memory, "prefix_sets", options.max_prefix_sets, reclaim_) {}

FlowTable::~FlowTable() = default;

absl::StatusOr<unsigned> FlowTable::AddLocalAddress(const packet::IpAddress& address) {
  const unsigned index = local_addresses_.Add(address);
  if (index == kNotLocal) {
    return absl::ResourceExhaustedError(absl::StrCat("address ", address.ToString(), " is one too many: at most ",
                                                     LocalAddresses::kMax, " are allowed"));
  }
  if (slots_[index].size() == 0) {
    slots_[index] = Slots(memory_, "flow_slots", kPorts);
    if (slots_[index].size() == 0) {
      return absl::ResourceExhaustedError(absl::StrCat("not enough memory for the ports of ", address.ToString()));
    }
  }
  return index;
}

absl::StatusOr<StateIndex> FlowTable::AllocateState() {
  uint32_t index = state_indices_.Take();
  if (index == 0) {
    Collect();
    index = state_indices_.Take();
  }
  if (index == 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("all ", options_.max_flows, " flows (datapath.max_flows) are in use"));
  }
  Reset(states_[index], details_[index]);
  return index;
}

void FlowTable::ReleaseState(StateIndex state) { reclaim_.Retire(state_indices_, state); }

absl::Status FlowTable::Publish(const FlowSpec& spec) {
  if (absl::Status status = CheckSpec(spec); !status.ok()) return status;
  if (spec.state == kNoState || spec.state > options_.max_flows) return absl::InvalidArgumentError("state is not set");
  const unsigned local = FindLocal(spec.local.address);
  if (local == kNotLocal) {
    return absl::InvalidArgumentError(
        absl::StrCat(spec.local.address.ToString(), " is not one of the relay's media addresses"));
  }

  FlowCommon common;
  common.state = spec.state;
  common.opposite_state = spec.opposite_state;
  common.policer_cost = rtp::Policer::Cost(spec.bandwidth_limit_bps, options_.ticks_per_second);
  common.signalled_port = spec.signalled.port;
  common.local_port = spec.local.port;
  common.source_mode = spec.source_mode;
  common.generation = spec.generation;
  common.local_address = static_cast<uint8_t>(local);
  common.flags = spec.flags & ~kDerivedFlowFlags;

  common.payload_map = payload_maps_.Acquire(spec.payload_map);
  if (common.payload_map == payload_maps_.kNone) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", options_.max_payload_maps, " different sets of payload types are in use"));
  }
  rtp::PrefixSet prefixes;
  if (spec.source_mode == rtp::SourceMode::kPrefix) {
    prefixes.count = static_cast<uint8_t>(spec.prefixes.size());
    std::copy(spec.prefixes.begin(), spec.prefixes.end(), prefixes.prefixes.begin());
  }
  common.prefix_set = prefix_sets_.Acquire(prefixes);
  if (common.prefix_set == prefix_sets_.kNone) {
    payload_maps_.Release(common.payload_map);
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", options_.max_prefix_sets, " different sets of source prefixes are in use"));
  }
  const auto give_back = [&] {
    payload_maps_.Release(common.payload_map);
    prefix_sets_.Release(common.prefix_set);
  };

  if (spec.rtcp_target) {
    // Never in a slot, so it holds no shared values of its own.
    FlowCommon rtcp_common = common;
    rtcp_common.payload_map = 0;
    rtcp_common.prefix_set = 0;
    absl::StatusOr<EntryIndex> rtcp_entry = MakeEntry(spec, *spec.rtcp_target, rtcp_common);
    if (!rtcp_entry.ok()) {
      give_back();
      return rtcp_entry.status();
    }
    common.rtcp_entry = *rtcp_entry;
  }
  absl::StatusOr<EntryIndex> entry = MakeEntry(spec, spec.target, common);
  if (!entry.ok()) {
    if (common.rtcp_entry != kNoEntry) indices_of(common.rtcp_entry).Reclaim(common.rtcp_entry & ~kWideEntry);
    give_back();
    return entry.status();
  }

  std::atomic<uint64_t>& slot = slots_[local][spec.local.port];
  const EntryIndex old = static_cast<EntryIndex>(slot.load(std::memory_order_relaxed));
  // Release: whoever sees the slot sees the whole entry, the state as it was reset, and the shared values.
  const FlowReference reference = {*entry, spec.state, common.policer_cost != 0};
  slot.store(std::bit_cast<uint64_t>(reference), std::memory_order_release);
  if (old == kNoEntry) {
    ++flows_;
  } else {
    RetireEntry(old);
  }
  return absl::OkStatus();
}

absl::StatusOr<EntryIndex> FlowTable::MakeEntry(const FlowSpec& spec, const FlowTarget& target, FlowCommon common) {
  const bool is_narrow = IsNarrow(spec);
  IndexPool& indices = is_narrow ? entries_.indices() : wide_entries_.indices();
  uint32_t index = indices.Take();
  if (index == 0) {
    Collect();
    index = indices.Take();
  }
  if (index == 0) {
    return absl::ResourceExhaustedError(absl::StrCat("all ", indices.capacity(), is_narrow ? " IPv4" : " IPv6",
                                                     " flow entries are in use or in their grace period"));
  }
  packet::Endpoint destination = target.destination;
  if (!destination.is_set()) {
    common.flags |= kFlowNoDestination;
    destination.address = target.source.address;  // Of the right family; never used.
  }
  if (target.source.address.is_v4()) common.flags |= kFlowToIpv4;
  constexpr uint16_t kOutOfTheOrdinary =
      kFlowRtcpOnly | kFlowDatagrams | kFlowCapture | kFlowClosed | kFlowNoDestination;
  if ((common.flags & kOutOfTheOrdinary) == 0) {
    common.flags |= common.policer_cost == 0 ? kFlowOrdinary : kFlowOrdinaryLimited;
  }
  common.next_hop = target.next_hop;
  if (is_narrow) {
    FlowEntry4& entry = entries_[index];
    static_cast<FlowCommon&>(entry) = common;
    entry.rewrite = packet::MakeRewrite4(spec.local, target.source, destination, spec.dscp);
    entry.signalled_address = V4OrNone(spec.signalled.address);
    // A signalled IPv6 address can be nobody's source here.
    if (spec.signalled.address.is_v6()) entry.signalled_port = 0;
    entry.rtp_source = V4OrNone(spec.rtp_source);
    return index;
  }
  FlowEntryWide& entry = wide_entries_[index];
  static_cast<FlowCommon&>(entry) = common;
  entry.rewrite = packet::MakeRewrite(spec.local, target.source, destination, spec.dscp);
  entry.signalled_address = spec.signalled.address;
  entry.rtp_source = spec.rtp_source;
  return index | kWideEntry;
}

void FlowTable::RetireEntry(EntryIndex index) {
  const FlowCommon& entry = common(index);
  payload_maps_.Release(entry.payload_map);
  prefix_sets_.Release(entry.prefix_set);
  if (entry.rtcp_entry != kNoEntry) reclaim_.Retire(indices_of(entry.rtcp_entry), entry.rtcp_entry & ~kWideEntry);
  reclaim_.Retire(indices_of(index), index & ~kWideEntry);
}

void FlowTable::Unpublish(const packet::Endpoint& local) {
  const FlowReference old = Find(local);
  if (!old.is_set()) return;
  slots_[FindLocal(local.address)][local.port].store(0, std::memory_order_release);
  --flows_;
  RetireEntry(old.entry);
}

FlowReference FlowTable::Find(const packet::Endpoint& local) const {
  const unsigned index = FindLocal(local.address);
  return index == kNotLocal ? FlowReference() : Load(SlotOf(index, local.port));
}

}  // namespace sluice::flow
