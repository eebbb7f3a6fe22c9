// Readers at full speed against a writer that publishes, replaces and removes: no reader ever sees an entry that is
// torn, of another port, or reused while in use. Runs under TSan with fewer rounds.

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "datapath/flow/flow_table.h"

namespace sluice::flow {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr uint32_t kPublishes = 30'000;
#else
constexpr uint32_t kPublishes = 1'000'000;
#endif
constexpr uint16_t kPorts = 64;
constexpr uint32_t kSpareFlows = 65'536;
constexpr unsigned kReaders = 2;
constexpr uint64_t kTicksPerSecond = 1'000'000'000;

packet::IpAddress V4(uint32_t address) { return packet::IpAddress::V4(packet::BigEndian32(address)); }
packet::IpAddress V6(uint32_t version) { return packet::IpAddress::FromRaw(0x0000'0000'b80d'0120, version); }

// Every field of a flow's entry follows from its port and version, so a reader can tell whether they belong together.
FlowSpec MakeSpec(uint16_t port, uint16_t version, StateIndex state) {
  FlowSpec spec;
  spec.local = {V4(0xc6120101), port};
  if (version % 2 == 0) {
    spec.target = {{V4(0xc6120201), version}, {V4(0xc6130000 + version), version}, version};
  } else {
    spec.target = {{V6(1), version}, {V6(version), version}, version};
  }
  spec.state = state;
  spec.signalled = {V4(0xc6140000 + version), version};
  spec.generation = static_cast<uint8_t>(version);
  const bool added =
      spec.payload_map.Add(static_cast<uint8_t>(version % 96), 8000, rtp::PayloadRole::kMedia, kTicksPerSecond);
  EXPECT_TRUE(added);
  return spec;
}

template <typename Entry>
bool IsWhole(const FlowTable& table, const Entry& entry, uint16_t port, FlowReference reference) {
  const uint16_t version = entry.signalled_port;
  const rtp::PayloadMap& map = table.payload_map(entry.payload_map);
  return entry.local_port == port && entry.state == reference.state && version != 0 && entry.next_hop == version &&
         entry.generation == static_cast<uint8_t>(version) && entry.rewrite.source_port.ToHost() == version &&
         entry.rewrite.destination_port.ToHost() == version && map.IsNegotiated(static_cast<uint8_t>(version % 96)) &&
         !map.IsNegotiated(static_cast<uint8_t>((version + 1) % 96));
}

TEST(FlowTableChurn, NoEntryIsEverTornOrFreedInUse) {
  FlowTableOptions options;
  // Many more than are in use, so that the writer seldom waits for a grace period.
  options.max_flows = kSpareFlows;
  options.max_payload_maps = 60'000;
  options.ticks_per_second = kTicksPerSecond;
  const std::unique_ptr<FlowTable> table = FlowTable::Create(options, PageMemory(false)).value();
  const unsigned local = table->AddLocalAddress(V4(0xc6120101)).value();

  std::atomic<bool> stop{false};
  std::atomic<uint64_t> seen{0};
  std::atomic<uint64_t> broken{0};
  std::atomic<unsigned> online{0};
  std::vector<std::thread> readers;
  for (unsigned reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([&, reader] {
      table->qsbr().Online(reader);
      online.fetch_add(1);
      uint64_t found = 0;
      while (!stop.load(std::memory_order_relaxed)) {
        for (uint16_t port = 1; port <= kPorts; ++port) {
          const FlowReference reference = table->Load(table->SlotOf(local, port));
          if (!reference.is_set()) continue;
          ++found;
          const bool whole = reference.is_wide() ? IsWhole(*table, table->entry_wide(reference.entry), port, reference)
                                                 : IsWhole(*table, table->entry4(reference.entry), port, reference);
          if (!whole) broken.fetch_add(1);
        }
        table->qsbr().Quiescent(reader);
      }
      table->qsbr().Offline(reader);
      seen.fetch_add(found);
    });
  }
  while (online.load() < kReaders) std::this_thread::yield();

  std::array<StateIndex, kPorts + 1> states = {};
  std::minstd_rand random(1);
  for (uint32_t i = 0; i < kPublishes && broken.load(std::memory_order_relaxed) == 0; ++i) {
    const uint16_t port = static_cast<uint16_t>(1 + random() % kPorts);
    if (states[port] != kNoState && random() % 8 == 0) {
      table->Unpublish({V4(0xc6120101), port});
      table->ReleaseState(states[port]);
      states[port] = kNoState;
    }
    // While readers hold what was retired, there may be nothing to give: then they get the processor.
    while (states[port] == kNoState) {
      const absl::StatusOr<StateIndex> state = table->AllocateState();
      if (state.ok()) states[port] = *state;
      if (!state.ok()) std::this_thread::yield();
    }
    const FlowSpec spec = MakeSpec(port, static_cast<uint16_t>(1 + i % 65'000), states[port]);
    while (!table->Publish(spec).ok()) std::this_thread::yield();
    if (i % 64 == 0) table->Collect();
  }
  stop.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(broken.load(), 0u);
  EXPECT_GT(seen.load(), 0u);
  // Nothing was lost on the way: after the last grace period all but what is published is free again.
  table->Collect();
  uint32_t used = 0;
  for (const StateIndex state : states) used += state != kNoState;
  EXPECT_EQ(table->flows(), used);
  EXPECT_EQ(table->states_available(), kSpareFlows - used);
}

}  // namespace
}  // namespace sluice::flow
