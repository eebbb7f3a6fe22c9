// Cycles a packet of the whole pipeline, of its look-up alone, and of DPDK's hash for the look-up.
//
// Each burst has 64 packets of 64 different flows, as a worker takes by default. Flows are visited once a round in a
// fixed random order, so with many flows every packet meets cold cache lines; sequence numbers go on by one a round, as
// they do in calls. Frames are made from the flow's number by arithmetic and lie in few buffers, so making them
// disturbs the caches little; only the pipeline's part of a burst is timed. All flows have statistics and the source
// policy, locked.
//
// The baseline is rte_hash with lock-free readers, looked up in bulk with the 5-tuple as its key: what a relay would
// pay for finding flows if it did not choose its own ports, before it has done anything with them.
//
// `cycles`, of the median burst, is the figure.

#include <benchmark/benchmark.h>
#include <rte_hash.h>
#include <rte_jhash.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "datapath/packet/checksum.h"
#include "datapath/packet/ip_address.h"
#include "datapath/packet/ipv4.h"
#include "datapath/packet/udp.h"
#include "datapath/rtp/rtp_header.h"
#include "datapath/worker/clock.h"
#include "datapath/worker/pipeline.h"
#include "datapath/worker/pipeline_harness.h"

namespace sluice::worker {
namespace {

using packet::BigEndian16;
using packet::BigEndian32;

constexpr uint32_t kLocalBase = 0xc6120001;   // 198.18.0.1 and on.
constexpr uint32_t kRemoteBase = 0xc6130000;  // 198.19.0.0 and on, several flows an address.
constexpr uint32_t kFlowsAnAddress = 20'000;
constexpr uint16_t kFirstPort = 2048;
constexpr uint16_t kPayloadSize = 172;
constexpr unsigned kBurst = kMaxBurst;
constexpr unsigned kEalMemoryMib = 512;  // For an rte_hash of a million keys.

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "pipeline_bench: %s\n", what);
  std::abort();
}

uint32_t LocalAddress(uint32_t flow) { return kLocalBase + flow / kFlowsAnAddress; }
uint16_t LocalPort(uint32_t flow) { return static_cast<uint16_t>(kFirstPort + 2 * (flow % kFlowsAnAddress)); }
uint32_t RemoteAddress(uint32_t flow) { return kRemoteBase + (flow & 0xffff); }
uint16_t RemotePort(uint32_t flow) { return static_cast<uint16_t>(20'000 + 2 * (flow >> 16)); }

// Visits 0 to `flows` - 1 once a round in a random order, without memory: a linear congruential generator of full
// period.
class Order {
 public:
  explicit Order(uint32_t flows) : flows_(flows), mask_(std::bit_ceil(flows) - 1) {}

  uint32_t Next() {
    do {
      at_ = (at_ * 1'664'525u + 1'013'904'223u) & mask_;
      if (at_ == 0) ++round_;
    } while (at_ >= flows_);
    return at_;
  }
  uint16_t round() const { return round_; }

 private:
  uint32_t flows_;
  uint32_t mask_;
  uint32_t at_ = 0;
  uint16_t round_ = 0;
};

// The IP versions of the two sides, and whether there is a bandwidth limit, which is never reached.
struct Kind {
  bool from_v4 = true;
  bool to_v4 = true;
  bool is_limited = false;
};

// The address that stands for a number: itself, or in the lower bits of 2001:db8::.
packet::IpAddress Address(bool is_v4, uint32_t number) {
  if (is_v4) return packet::IpAddress::V4(BigEndian32(number));
  uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8};
  const BigEndian32 low(number);
  std::memcpy(bytes + 12, &low, sizeof(low));
  return packet::IpAddress::V6(bytes);
}

class Relay {
 public:
  explicit Relay(uint32_t flows, Kind kind = {})
      : kind_(kind),
        order_(flows),
        next_hops_(flow::PageMemory(true), 1),
        context_{MakeFlows(flows), next_hops_, counters_, events_, captures_} {
    for (unsigned i = 0; i < kBurst; ++i) buffers_.push_back(MakeMbuf(Pool(), frame_));
    for (uint32_t i = 0; i < 2 * flows; i += kBurst) {
      TimeBurst();  // Locks every flow and has its first packets behind it.
      for (flow::FlowEvent event; events_.Pop(event);) {
      }
    }
  }
  ~Relay() { rte_pktmbuf_free_bulk(buffers_.data(), kBurst); }

  // Ticks of one burst in the pipeline.
  uint64_t TimeBurst() {
    for (rte_mbuf* buffer : buffers_) MakeFrame(order_.Next(), order_.round(), buffer);
    const uint64_t start = Ticks();
    ProcessBurst(context_, buffers_.data(), kBurst, start, false, result_);
    const uint64_t ticks = Ticks() - start;
    result_.TakeToSend([this](unsigned, PacketBatch& batch) { forwarded_ += batch.count; });
    result_.dropped.count = 0;
    return ticks;
  }

  // Ticks of finding the flows of one burst, as stages A and B do.
  uint64_t TimeLookUp() {
    std::array<packet::IpAddress, kBurst> addresses;
    std::array<uint16_t, kBurst> ports;
    for (unsigned i = 0; i < kBurst; ++i) {
      const uint32_t flow = order_.Next();
      addresses[i] = packet::IpAddress::V4(BigEndian32(LocalAddress(flow)));
      ports[i] = LocalPort(flow);
    }
    const uint64_t start = Ticks();
    std::array<unsigned, kBurst> locals;
    std::array<const flow::FlowSlot*, kBurst> slots;
    for (unsigned i = 0; i < kBurst; ++i) {
      locals[i] = flows_->FindLocal(addresses[i]);
      slots[i] = flows_->SlotOf(locals[i], ports[i]);
      flow::FlowTable::Prefetch(slots[i]);
    }
    std::array<flow::FlowReference, kBurst> found;
    for (unsigned i = 0; i < kBurst; ++i) found[i] = flow::FlowTable::Load(slots[i]);
    const uint64_t ticks = Ticks() - start;
    for (const flow::FlowReference& flow : found) Require(flow.is_set(), "a flow was not found");
    return ticks;
  }

  uint64_t forwarded() const { return forwarded_; }

 private:
  static rte_mempool* Pool() {
    static rte_mempool* const pool =
        rte_pktmbuf_pool_create("bench", 255, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    Require(pool != nullptr, "no memory for packet buffers");
    return pool;
  }

  static Frame Template(bool is_v4) {
    return is_v4 ? RtpFrame({.ssrc = 0x01020304})
                 : RtpFrame({.ssrc = 0x01020304}, "[2001:db8::1]:2", "[2001:db8::2]:2");
  }

  flow::FlowTable& MakeFlows(uint32_t flows) {
    StartTestEal(kEalMemoryMib);
    next_hops_.AddEgress({{{2, 0, 0, 0, 0, 1}}, 0, 0});
    const flow::NextHopIndex hop = next_hops_.Allocate();
    next_hops_.Set(hop, {{{2, 0, 0, 0, 0, 2}}, 0, flow::NextHopState::kReachable});
    flow::FlowTableOptions options;
    options.max_flows = flows;
    options.max_wide_flows = kind_.from_v4 && kind_.to_v4 ? 1 : flows;
    options.ticks_per_second = TicksPerSecond();
    flows_ = flow::FlowTable::Create(options, flow::PageMemory(true)).value();
    for (uint32_t flow = 0; flow < flows; ++flow) {
      const packet::IpAddress local = Address(kind_.from_v4, LocalAddress(flow));
      if (flow % kFlowsAnAddress == 0) Require(flows_->AddLocalAddress(local).ok(), "too many addresses");
      flow::FlowSpec spec;
      spec.local = {local, LocalPort(flow)};
      const uint32_t other = flow ^ 1;
      spec.target = {{Address(kind_.to_v4, LocalAddress(other)), LocalPort(other)},
                     {Address(kind_.to_v4, RemoteAddress(other)), RemotePort(other)},
                     hop};
      spec.state = flows_->AllocateState().value();
      if (kind_.is_limited) spec.bandwidth_limit_bps = 10'000'000'000;
      spec.signalled = {Address(kind_.from_v4, RemoteAddress(flow)), RemotePort(flow)};
      Require(spec.payload_map.Add(0, 8000, rtp::PayloadRole::kMedia, options.ticks_per_second), "payload type");
      Require(flows_->Publish(spec).ok(), "a flow was refused");
    }
    return *flows_;
  }

  // The frame of `flow` into `buffer`, which had another one.
  void MakeFrame(uint32_t flow, uint16_t sequence, rte_mbuf* buffer) const {
    const size_t udp_at = kind_.from_v4 ? 34 : 54;
    const size_t size = udp_at + sizeof(packet::UdpHeader) + kPayloadSize;
    buffer->data_off = RTE_PKTMBUF_HEADROOM;
    buffer->data_len = static_cast<uint16_t>(size);
    buffer->pkt_len = static_cast<uint32_t>(size);
    uint8_t* frame = rte_pktmbuf_mtod(buffer, uint8_t*);
    uint8_t* udp = frame + udp_at;
    std::memcpy(frame, frame_.data(), udp_at + sizeof(packet::UdpHeader) + rtp::kRtpHeaderSize);
    const BigEndian32 source(RemoteAddress(flow)), destination(LocalAddress(flow));
    if (kind_.from_v4) {
      std::memcpy(udp - 8, &source, sizeof(source));
      std::memcpy(udp - 4, &destination, sizeof(destination));
      const uint16_t checksum =
          static_cast<uint16_t>(~packet::Fold(sum_without_addresses_ + source.raw() + destination.raw()));
      std::memcpy(frame + 24, &checksum, sizeof(checksum));
    } else {
      std::memcpy(udp - 20, &source, sizeof(source));
      std::memcpy(udp - 4, &destination, sizeof(destination));
    }
    const packet::UdpHeader header = {BigEndian16(RemotePort(flow)), BigEndian16(LocalPort(flow)),
                                      BigEndian16(8 + kPayloadSize), BigEndian16(0x1234)};
    std::memcpy(udp, &header, sizeof(header));
    const BigEndian16 number(sequence);
    std::memcpy(udp + 10, &number, sizeof(number));
  }

  // Of the IPv4 header in `frame_`.
  packet::ChecksumSum SumWithoutAddresses() const {
    uint16_t checksum;
    std::memcpy(&checksum, &frame_[24], sizeof(checksum));
    return packet::Fold(packet::SumOf(&frame_[14], 12) + packet::Negate(checksum));
  }

  const Kind kind_;
  const Frame frame_ = Template(kind_.from_v4);
  const packet::ChecksumSum sum_without_addresses_ = SumWithoutAddresses();
  Order order_;
  flow::NextHopTable next_hops_;
  std::unique_ptr<flow::FlowTable> flows_;
  WorkerCounters counters_;
  flow::EventRing events_{1024};
  capture::CaptureRing captures_{1};
  PipelineContext context_;
  BurstResult result_;
  std::vector<rte_mbuf*> buffers_;
  uint64_t forwarded_ = 0;
};

// Ticks of bursts, timed one by one: the median is what a burst costs when nobody takes the CPU away in it.
class BurstTimes {
 public:
  explicit BurstTimes(benchmark::State& state) : state_(state) {}
  ~BurstTimes() {
    const auto middle = ticks_.begin() + static_cast<std::ptrdiff_t>(ticks_.size() / 2);
    std::nth_element(ticks_.begin(), middle, ticks_.end());
    state_.counters["cycles"] = static_cast<double>(*middle) / kBurst;
    state_.SetItemsProcessed(static_cast<int64_t>(ticks_.size() * kBurst));
  }

  void Add(uint64_t ticks) {
    ticks_.push_back(static_cast<uint32_t>(ticks));
    state_.SetIterationTime(static_cast<double>(ticks) / static_cast<double>(TicksPerSecond()));
  }

 private:
  benchmark::State& state_;
  std::vector<uint32_t> ticks_;
};

void RunPipeline(benchmark::State& state, Kind kind) {
  Relay relay(static_cast<uint32_t>(state.range(0)), kind);
  const uint64_t before = relay.forwarded();
  BurstTimes times(state);
  for (auto _ : state) times.Add(relay.TimeBurst());
  Require(relay.forwarded() - before == static_cast<uint64_t>(state.iterations()) * kBurst,
          "not every packet was forwarded");
}
void BM_Pipeline(benchmark::State& state) { RunPipeline(state, {}); }
BENCHMARK(BM_Pipeline)->ArgName("flows")->Arg(1000)->Arg(16'384)->Arg(100'000)->Arg(1'000'000)->UseManualTime();
void BM_Pipeline4To6(benchmark::State& state) { RunPipeline(state, {.to_v4 = false}); }
BENCHMARK(BM_Pipeline4To6)->ArgName("flows")->Arg(1000)->Arg(16'384)->UseManualTime();
void BM_Pipeline6To4(benchmark::State& state) { RunPipeline(state, {.from_v4 = false}); }
BENCHMARK(BM_Pipeline6To4)->ArgName("flows")->Arg(1000)->Arg(16'384)->UseManualTime();
void BM_Pipeline6To6(benchmark::State& state) { RunPipeline(state, {.from_v4 = false, .to_v4 = false}); }
BENCHMARK(BM_Pipeline6To6)->ArgName("flows")->Arg(1000)->Arg(16'384)->UseManualTime();

void BM_PipelineLimited(benchmark::State& state) { RunPipeline(state, {.is_limited = true}); }
BENCHMARK(BM_PipelineLimited)->ArgName("flows")->Arg(1000)->Arg(100'000)->UseManualTime();

void BM_LookUp(benchmark::State& state) {
  Relay relay(static_cast<uint32_t>(state.range(0)));
  BurstTimes times(state);
  for (auto _ : state) times.Add(relay.TimeLookUp());
}
BENCHMARK(BM_LookUp)->ArgName("flows")->Arg(1000)->Arg(100'000)->Arg(1'000'000)->UseManualTime();

struct FiveTuple {
  uint32_t source;
  uint32_t destination;
  uint16_t source_port;
  uint16_t destination_port;
  uint32_t protocol;
};

FiveTuple KeyOf(uint32_t flow) {
  return {RemoteAddress(flow), LocalAddress(flow), RemotePort(flow), LocalPort(flow), packet::kProtocolUdp};
}

void BM_HashBulkLookUp(benchmark::State& state) {
  StartTestEal(kEalMemoryMib);
  const uint32_t flows = static_cast<uint32_t>(state.range(0));
  rte_hash_parameters parameters = {};
  parameters.name = "bench";
  parameters.entries = std::bit_ceil(flows + flows / 4);
  parameters.key_len = sizeof(FiveTuple);
  parameters.hash_func = rte_jhash;
  parameters.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF;
  rte_hash* hash = rte_hash_create(&parameters);
  Require(hash != nullptr, "no memory for rte_hash");
  for (uint32_t flow = 0; flow < flows; ++flow) {
    const FiveTuple key = KeyOf(flow);
    Require(rte_hash_add_key_data(hash, &key, reinterpret_cast<void*>(uintptr_t{flow})) == 0, "rte_hash is full");
  }
  Order order(flows);
  std::array<FiveTuple, kBurst> keys;
  std::array<const void*, kBurst> pointers;
  for (unsigned i = 0; i < kBurst; ++i) pointers[i] = &keys[i];
  std::array<void*, kBurst> found;
  BurstTimes times(state);
  for (auto _ : state) {
    for (FiveTuple& key : keys) key = KeyOf(order.Next());
    uint64_t hits = 0;
    const uint64_t start = Ticks();
    rte_hash_lookup_bulk_data(hash, pointers.data(), kBurst, &hits, found.data());
    times.Add(Ticks() - start);
    Require(hits == ~uint64_t{0}, "a flow was not found");
  }
  rte_hash_free(hash);
}
BENCHMARK(BM_HashBulkLookUp)->ArgName("flows")->Arg(1000)->Arg(100'000)->Arg(1'000'000)->UseManualTime();

}  // namespace
}  // namespace sluice::worker

BENCHMARK_MAIN();
