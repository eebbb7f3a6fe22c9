// Cycles of what RTP costs a packet of a locked stream that is in the cache: reading the header, the source policy's
// comparison, the statistics. The baseline is what any relay has to do, reading the header.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "datapath/packet/endpoint.h"
#include "datapath/rtp/payload_map.h"
#include "datapath/rtp/receive_statistics.h"
#include "datapath/rtp/rtp_builder.h"
#include "datapath/rtp/rtp_header.h"
#include "datapath/rtp/source_policy.h"
#include "datapath/rtp/stream_identity.h"

namespace sluice::rtp {
namespace {

constexpr uint64_t kTicksPerSecond = 2'000'000'000;
constexpr uint64_t kTicksApart = kTicksPerSecond / 50;
constexpr uint32_t kMediaBytes = 160;
const packet::Endpoint kPeer = *packet::Endpoint::Parse("198.18.1.2:21000");

void BM_ReadRtpHeader(benchmark::State& state) {
  const std::vector<uint8_t> packet = RtpDatagram(0, 1, 160, 0x1234);
  const uint8_t* data = packet.data();
  RtpHeader header;
  for (auto _ : state) {
    benchmark::DoNotOptimize(data);
    benchmark::DoNotOptimize(ReadRtpHeader(data, packet.size(), header));
    benchmark::DoNotOptimize(header);
  }
}
BENCHMARK(BM_ReadRtpHeader);

SourcePacket PacketOf(uint16_t sequence) {
  return {kPeer.address, kPeer.port, SourcePacketKind::kRtp, sequence, 0x1234, sequence * kTicksApart};
}

void BM_IsLockedTo(benchmark::State& state) {
  StreamIdentity identity;
  identity.Reset();
  Probation probation;
  SourcePolicy::Reset(probation);
  SourceRule rule;
  rule.mode = SourceMode::kExact;
  rule.signalled = kPeer;
  for (uint16_t i = 1; i < 10; ++i) {
    SourcePolicy::Consider(rule, PacketOf(i), kTicksPerSecond, identity, probation);
  }
  packet::Endpoint source = kPeer;
  if (!identity.IsLockedTo(source.address, source.port, rule.generation)) state.SkipWithError("not locked");
  for (auto _ : state) {
    benchmark::DoNotOptimize(source);
    benchmark::DoNotOptimize(identity.IsLockedTo(source.address, source.port, rule.generation));
  }
}
BENCHMARK(BM_IsLockedTo);

// `step` is from one sequence number to the next: 1 in order, 0 the same again, 2 every second one lost.
void BM_Statistics(benchmark::State& state) {
  StreamIdentity identity;
  identity.Reset();
  ReceiveHot hot;
  ReceiveDetail detail;
  ReceiveStatistics::Reset(hot, detail);
  PayloadMap map;
  if (!map.Add(0, 8000, PayloadRole::kMedia, kTicksPerSecond)) state.SkipWithError("no payload type");
  RtpHeader header;
  header.ssrc = 0x1234;
  uint64_t ticks = kTicksPerSecond;
  for (auto _ : state) {
    header.sequence = static_cast<uint16_t>(header.sequence + state.range(0));
    header.timestamp += kMediaBytes;
    ticks += kTicksApart;
    ReceiveStatistics::OnPacket(identity, hot, detail, map, header, kRtpHeaderSize + kMediaBytes, ticks);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_Statistics)->ArgName("step")->Arg(1)->Arg(0)->Arg(2);

}  // namespace
}  // namespace sluice::rtp

BENCHMARK_MAIN();
