// The short way of ordinary packets against the way of all others. A flow that is captured has no short way, and goes
// on as if it were not: so the same packets through two relays, one of which captures, have to end in the same places,
// with the same bytes, counters and events.

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "datapath/packet/packet_builder.h"
#include "datapath/rtp/receive_statistics.h"
#include "datapath/worker/pipeline_harness.h"

namespace sluice::worker {
namespace {

using packet::DropReason;
using packet::PacketBuilder;

// None, one that is never reached, and one that the sender is above.
constexpr uint64_t kLimitsBps[] = {0, 1'000'000'000'000, 25'000};
constexpr unsigned kPackets = 400;
constexpr unsigned kSeeds = 50;
constexpr uint8_t kNotNegotiated = 96;
constexpr uint8_t kMarker = 0x80;
// With the marker it looks like an RTCP sender report (RFC 5761 4).
constexpr uint8_t kLikeRtcp = 72;

struct Way {
  const char* name;
  const char* from;
  const char* local;
  const char* source;
  const char* destination;
};
const Way kWays[] = {
    {"ipv4", "198.18.1.2:21000", "198.18.1.1:24594", "198.18.2.1:18582", "198.18.2.9:50211"},
    {"ipv4_to_ipv6", "198.18.1.2:21000", "198.18.1.1:4000", "[2001:db8:2::1]:4002", "[2001:db8:2::9]:50211"},
    {"ipv6_to_ipv4", "[2001:db8:1::2]:21000", "[2001:db8:1::1]:4000", "198.18.2.1:4004", "198.18.2.9:50211"},
    {"ipv6", "[2001:db8:1::2]:21000", "[2001:db8:1::1]:4006", "[2001:db8:2::1]:4008", "[2001:db8:2::9]:50211"},
};

// A phone that mostly does what phones do.
class Sender {
 public:
  Sender(const Way& way, uint8_t payload_type, unsigned seed) : way_(way), payload_type_(payload_type), random_(seed) {}

  Frame Next() {
    std::vector<uint8_t> rtp = {0x80, payload_type_};
    ++sequence_;
    timestamp_ += 160;
    const unsigned what = Below(40);
    if (what == 0) sequence_ -= 1;                                   // The same again.
    if (what == 1) sequence_ += 1;                                   // One is lost.
    if (what == 2) sequence_ -= 2;                                   // Late.
    if (what == 3) sequence_ = static_cast<uint16_t>(Below(65536));  // A restart, or a stray.
    if (what == 4) ssrc_ ^= 1;                                       // Another stream.
    if (what == 5) rtp[1] = PipelineHarness::kEvents;                // A digit.
    if (what == 6) rtp[1] = kNotNegotiated;
    if (what == 7) rtp[1] |= kMarker;
    if (what == 8) rtp[0] = static_cast<uint8_t>(Below(256));       // Padding, extension, CSRCs, another version.
    if (what == 9) rtp[1] = static_cast<uint8_t>(192 + Below(32));  // RTCP, or what looks like it.
    if (what == 10) timestamp_ = random_();
    AppendBigEndian(rtp, sequence_, 2);
    AppendBigEndian(rtp, timestamp_, 4);
    AppendBigEndian(rtp, ssrc_, 4);
    rtp.resize(what == 11 ? Below(13) : 12 + Below(200), static_cast<uint8_t>(random_()));
    if (what >= 21 && what < 26) AddExtension(rtp);
    const bool is_stranger = what == 12;
    PacketBuilder builder(is_stranger ? Stranger() : way_.from, way_.local);
    builder.Payload(rtp);
    if (what == 13) builder.WithoutUdpChecksum();
    if (what == 14) builder.DamageUdpChecksum(static_cast<uint16_t>(1 + Below(65534)));
    if (what == 15) builder.DamageIpChecksum();
    if (what == 16) builder.Vlan(static_cast<uint16_t>(1 + Below(4094)));
    if (what == 17) builder.Padding(1 + Below(30));
    if (what == 18) builder.TrafficClass(static_cast<uint8_t>(random_()));
    if (what == 19) builder.Fragment(static_cast<uint16_t>(random_()));
    if (what == 20) builder.UdpLengthOff(static_cast<int>(Below(5)) - 2);
    return builder.Build();
  }
  unsigned Below(unsigned end) { return static_cast<unsigned>(random_() % end); }

 private:
  static void AppendBigEndian(std::vector<uint8_t>& bytes, uint32_t value, int size) {
    while (size-- > 0) bytes.push_back(static_cast<uint8_t>(value >> (8 * size)));
  }
  // Or what says that it is one.
  void AddExtension(std::vector<uint8_t>& rtp) {
    rtp[0] |= 0x10;
    if (rtp.size() < 16) return;
    rtp[14] = Below(8) == 0 ? 1 : 0;
    rtp[15] = static_cast<uint8_t>(Below(static_cast<unsigned>(rtp.size()) / 4));
  }
  const char* Stranger() const { return way_.from[0] == '[' ? "[2001:db8:1::2]:21002" : "198.18.1.3:21000"; }

  const Way& way_;
  const uint8_t payload_type_;
  std::mt19937 random_;
  uint16_t sequence_ = 65'500;
  uint32_t timestamp_ = 0;
  uint32_t ssrc_ = 0x11223344;
};

std::string Text(const rtp::ReceiveSnapshot& s) {
  std::string text;
  for (const uint64_t figure :
       {s.packets, s.bytes, s.expected, s.lost, s.duplicates, s.reordered, s.resets, s.ssrc_changes, s.loss_events,
        uint64_t{s.ssrc}, uint64_t{s.reorder_extent}, uint64_t{s.last_payload_type}, s.first_arrival, s.last_arrival}) {
    text += std::to_string(figure) + " ";
  }
  text += std::to_string(s.jitter_ms) + " " + std::to_string(s.max_jitter_ms) + " " + std::to_string(s.burst_ratio);
  for (const auto& [type, packets] : s.payload_types)
    text += " " + std::to_string(type) + ":" + std::to_string(packets);
  return text;
}

struct Relay {
  Relay(const Way& way, uint16_t flags, uint64_t limit_bps, bool is_tagged, bool any_type) {
    spec = relay.Flow(way.from, way.local, way.source, way.destination);
    spec.flags |= flags;
    spec.bandwidth_limit_bps = limit_bps;
    if (any_type) spec.payload_map = rtp::PayloadMap::Any(PipelineHarness::kTicksPerSecond);
    if (is_tagged) spec.target.next_hop = relay.tagged_next_hop();
    relay.Publish(spec);
  }
  std::string Statistics(uint64_t now) {
    const flow::FlowState& state = relay.StateOf(spec);
    return Text(rtp::ReceiveStatistics::Read(state.identity, state.receive, relay.DetailOf(spec).receive, now));
  }

  PipelineHarness relay;
  flow::FlowSpec spec;
};

class OrdinaryPacketTest : public testing::TestWithParam<Way> {};

TEST_P(OrdinaryPacketTest, GoesTheSameWayAsAnyOther) {
  unsigned sent = 0, policed = 0;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const uint16_t flags = (seed & 1 ? flow::kFlowRtcpMux : 0) | (seed & 2 ? flow::kFlowTelephoneEvents : 0);
    const uint64_t limit_bps = kLimitsBps[seed % 3];
    Relay with_short_way(GetParam(), flags, limit_bps, seed & 4, seed & 8);
    Relay without(GetParam(), flags | flow::kFlowCapture, limit_bps, seed & 4, seed & 8);
    Sender sender(GetParam(), seed & 8 ? kLikeRtcp : PipelineHarness::kPcmu, seed);
    uint64_t now = PipelineHarness::kTicksPerSecond;
    for (unsigned i = 0; i < kPackets; ++i) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", packet " + std::to_string(i));
      now += sender.Below(40'000'000);
      const Frame frame = sender.Next();
      const Outcome a = with_short_way.relay.Process(frame, now);
      const Outcome b = without.relay.Process(frame, now);
      sent += !a.sent.empty();
      policed += a.dropped == DropReason::kPoliced;
      ASSERT_EQ(packet::Name(a.dropped), packet::Name(b.dropped));
      ASSERT_EQ(a.sent, b.sent);
      ASSERT_EQ(a.port, b.port);
      ASSERT_EQ(with_short_way.Statistics(now), without.Statistics(now));
      const std::vector<flow::FlowEvent> events = with_short_way.relay.TakeEvents();
      const std::vector<flow::FlowEvent> other_events = without.relay.TakeEvents();
      ASSERT_EQ(events.size(), other_events.size());
      for (size_t e = 0; e < events.size(); ++e) {
        ASSERT_EQ(events[e].kind, other_events[e].kind);
        ASSERT_EQ(events[e].ticks, other_events[e].ticks);
        ASSERT_EQ(events[e].ssrc, other_events[e].ssrc);
        ASSERT_EQ(events[e].digit, other_events[e].digit);
      }
    }
  }
  EXPECT_GT(sent, kSeeds * kPackets / 2) << "it is about packets that go on";
  EXPECT_GT(policed, 0u) << "and about a limit that is reached";
}

INSTANTIATE_TEST_SUITE_P(Families, OrdinaryPacketTest, testing::ValuesIn(kWays),
                         [](const auto& way) { return std::string(way.param.name); });

}  // namespace
}  // namespace sluice::worker
