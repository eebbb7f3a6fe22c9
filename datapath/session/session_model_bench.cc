// How fast sessions are set up and ended, on the control thread alone.
//
// The goal is 50 000 set-ups a second over the batch stream (bench/README.md), so the model may take a good part of
// 20 us for a create with its delete. Sessions have one stream with RTP and RTCP: four flows. The baseline is what the
// flow table alone takes to publish and unpublish four such flows.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/memory.h"
#include "datapath/flow/next_hop_resolver_fake.h"
#include "datapath/session/session_model.h"

namespace sluice::session {
namespace {

constexpr uint64_t kTicksPerSecond = 1'000'000'000;
// Creates and deletes at 50 000 a second: ports rest for 2 s.
constexpr absl::Duration kStep = absl::Microseconds(20);

std::unique_ptr<flow::FlowTable> MakeTable() {
  flow::FlowTableOptions options;
  options.max_flows = 65536;
  options.ticks_per_second = kTicksPerSecond;
  return *flow::FlowTable::Create(options, flow::PageMemory(false));
}

NetworkOptions Network(const std::string& name, const std::string& prefix) {
  NetworkOptions network;
  network.name = name;
  network.interface = "eth1";
  for (int i = 1; i <= 8; ++i) network.addresses.push_back(*packet::IpAddress::Parse(absl::StrCat(prefix, i)));
  network.first_port = 1024;
  network.last_port = 65535;
  return network;
}

SessionSpec Spec() {
  SessionSpec spec;
  StreamSpec& stream = spec.streams.emplace_back();
  stream.legs[0].network = "access";
  stream.legs[0].remote = *packet::Endpoint::Parse("198.19.1.2:21000");
  stream.legs[1].network = "core";
  stream.legs[1].remote = *packet::Endpoint::Parse("198.19.2.2:22000");
  for (LegSpec& leg : stream.legs) leg.payload_types = {{0, 8000, "PCMU"}, {101, 8000, "telephone-event"}};
  return spec;
}

void BM_CreateAndDelete(benchmark::State& state) {
  const auto standing = static_cast<size_t>(state.range(0));
  std::unique_ptr<flow::FlowTable> table = MakeTable();
  flow::NextHopResolverFake next_hops;
  Moment now = {absl::FromUnixSeconds(1'800'000'000), kTicksPerSecond};
  SessionModelOptions options;
  options.networks = {Network("access", "198.18.1."), Network("core", "198.18.2.")};
  options.instance_id = "bench";
  std::unique_ptr<SessionModel> model = *SessionModel::Create(options, *table, next_hops, now);
  const Writer writer = {"bench/0", 1};
  SessionSpec spec = Spec();
  for (size_t i = 0; i < standing; ++i) {
    spec.session_id = absl::StrCat("standing-", i);
    if (!model->CreateSession(writer, spec, now).ok()) state.SkipWithError("a standing session could not be made");
  }
  uint64_t number = 0;
  for (auto _ : state) {
    spec.session_id = absl::StrCat("8f14e45f-ceea-467f-a8b3-", ++number);
    if (!model->CreateSession(writer, spec, now).ok()) {
      state.SkipWithError("a session could not be made");
      break;
    }
    benchmark::DoNotOptimize(model->DeleteSession(writer, spec.session_id, now));
    now.time += kStep;
    if (number % 64 == 0) {
      table->Collect();
      model->Advance(now);
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_CreateAndDelete)->ArgName("standing")->Arg(0)->Arg(10000);

void BM_PublishAndUnpublishFourFlows(benchmark::State& state) {
  std::unique_ptr<flow::FlowTable> table = MakeTable();
  const packet::IpAddress local = *packet::IpAddress::Parse("198.18.1.1");
  if (!table->AddLocalAddress(local).ok()) state.SkipWithError("no memory");
  flow::FlowSpec spec;
  spec.target.source = {local, 30000};
  spec.target.destination = *packet::Endpoint::Parse("198.19.2.2:22000");
  spec.payload_map = rtp::PayloadMap::Any(kTicksPerSecond);
  uint64_t number = 0;
  for (auto _ : state) {
    flow::StateIndex states[4];
    for (uint16_t i = 0; i < 4; ++i) {
      const absl::StatusOr<flow::StateIndex> allocated = table->AllocateState();
      if (!allocated.ok()) {
        state.SkipWithError("no flow states left");
        return;
      }
      spec.state = states[i] = *allocated;
      spec.local = {local, static_cast<uint16_t>(20000 + i)};
      benchmark::DoNotOptimize(table->Publish(spec));
    }
    for (uint16_t i = 0; i < 4; ++i) {
      table->Unpublish({local, static_cast<uint16_t>(20000 + i)});
      table->ReleaseState(states[i]);
    }
    if (++number % 64 == 0) table->Collect();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PublishAndUnpublishFourFlows);

}  // namespace
}  // namespace sluice::session

BENCHMARK_MAIN();
