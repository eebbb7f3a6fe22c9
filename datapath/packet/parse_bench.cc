// Cycles of parsing and rewriting one packet that is in the cache. The names carry the families.

#include <benchmark/benchmark.h>

#include <vector>

#include "datapath/packet/packet_builder.h"
#include "datapath/packet/parse.h"
#include "datapath/packet/rewrite.h"

namespace sluice::packet {
namespace {

constexpr size_t kHeadroom = 128;
constexpr size_t kCopiedHeaders = 64;

const Endpoint kLocal4 = *Endpoint::Parse("198.18.1.1:24594");
const Endpoint kLocal6 = *Endpoint::Parse("[2001:db8:1::1]:24594");
const Endpoint kFrom4 = *Endpoint::Parse("198.18.2.1:18582");
const Endpoint kTo4 = *Endpoint::Parse("198.18.2.9:50211");
const Endpoint kFrom6 = *Endpoint::Parse("[2001:db8:2::1]:18582");
const Endpoint kTo6 = *Endpoint::Parse("[2001:db8:2::9]:50211");

std::vector<uint8_t> Frame(bool v4) {
  return v4 ? PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").Build()
            : PacketBuilder("[2001:db8:1::2]:21000", "[2001:db8:1::1]:24594").Build();
}

void BM_Parse(benchmark::State& state, bool v4) {
  const std::vector<uint8_t> frame = Frame(v4);
  const uint8_t* data = frame.data();
  for (auto _ : state) {
    benchmark::DoNotOptimize(data);
    benchmark::DoNotOptimize(Parse(data, frame.size()));
  }
}
BENCHMARK_CAPTURE(BM_Parse, ipv4_214_bytes, true);
BENCHMARK_CAPTURE(BM_Parse, ipv6_234_bytes, false);

// The baseline: what a relay without precomputed rewrites would do.
void BM_FullUdpChecksum(benchmark::State& state) {
  const std::vector<uint8_t> frame = Frame(true);
  for (auto _ : state) {
    benchmark::DoNotOptimize(FullUdpField(kFrom4.address, kTo4.address, frame.data() + 34, frame.size() - 34));
  }
}
BENCHMARK(BM_FullUdpChecksum)->Name("BM_FullUdpChecksum/ipv4_214_bytes");

// Each iteration rewrites a packet as it arrived: its headers are copied into place first, which is part of the figure.
template <typename Apply>
void RunRewrite(benchmark::State& state, const std::vector<uint8_t>& frame, size_t udp_offset, Apply&& apply) {
  std::vector<uint8_t> buffer(kHeadroom);
  buffer.insert(buffer.end(), frame.begin(), frame.end());
  uint8_t* udp = &buffer[kHeadroom + udp_offset];
  const uint16_t udp_size = static_cast<uint16_t>(frame.size() - udp_offset);
  for (auto _ : state) {
    std::memcpy(&buffer[kHeadroom], frame.data(), kCopiedHeaders);
    benchmark::DoNotOptimize(udp);
    benchmark::DoNotOptimize(apply(udp, udp_size));
    benchmark::ClobberMemory();
  }
}

void BM_Rewrite4(benchmark::State& state) {
  const Rewrite4 rewrite = MakeRewrite4(kLocal4, kFrom4, kTo4, 46);
  RunRewrite(state, Frame(true), 34, [&rewrite](uint8_t* udp, uint16_t size) { return Apply(rewrite, udp, size); });
}
BENCHMARK(BM_Rewrite4)->Name("BM_Rewrite/ipv4_to_ipv4");

void BM_RewriteAny(benchmark::State& state, bool from_v4, bool to_v4) {
  const Endpoint& local = from_v4 ? kLocal4 : kLocal6;
  const RewriteAny rewrite = MakeRewrite(local, to_v4 ? kFrom4 : kFrom6, to_v4 ? kTo4 : kTo6, 46);
  RunRewrite(state, Frame(from_v4), from_v4 ? 34 : 54,
             [&](uint8_t* udp, uint16_t size) { return Apply(rewrite, from_v4, udp, size); });
}
BENCHMARK_CAPTURE(BM_RewriteAny, ipv4_to_ipv6, true, false);
BENCHMARK_CAPTURE(BM_RewriteAny, ipv6_to_ipv4, false, true);
BENCHMARK_CAPTURE(BM_RewriteAny, ipv6_to_ipv6, false, false);

}  // namespace
}  // namespace sluice::packet

BENCHMARK_MAIN();
