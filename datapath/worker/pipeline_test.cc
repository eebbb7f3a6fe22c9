// What becomes of packets, one behaviour a test. Who may send is in source_attack_test.cc.

#include "datapath/worker/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <string>
#include <vector>

#include "datapath/packet/packet_builder.h"
#include "datapath/packet/packet_fixtures.h"
#include "datapath/packet/parse.h"
#include "datapath/packet/rewrite.h"
#include "datapath/rtp/receive_statistics.h"
#include "datapath/rtp/rtp_builder.h"
#include "datapath/worker/pipeline_harness.h"

namespace sluice::worker {
namespace {

using packet::DropReason;
using testing::ElementsAre;
using testing::IsEmpty;

packet::Endpoint At(const char* text) { return *packet::Endpoint::Parse(text); }

// Where a sent frame comes from and goes to, as its headers say.
std::string Route(const Frame& frame) {
  const packet::ParsedPacket parsed = packet::Parse(frame.data(), frame.size());
  if (parsed.verdict != DropReason::kNone) return std::string(packet::Name(parsed.verdict));
  const packet::UdpHeader udp = packet::ReadUdp(parsed, frame.data());
  const packet::Endpoint source = {packet::SourceAddress(parsed, frame.data()), udp.source_port.ToHost()};
  const packet::Endpoint destination = {packet::DestinationAddress(parsed, frame.data()),
                                        udp.destination_port.ToHost()};
  return source.ToString() + " > " + destination.ToString();
}

bool HasRightChecksum(const Frame& frame) {
  const packet::ParsedPacket parsed = packet::Parse(frame.data(), frame.size());
  return packet::IsUdpChecksumRight(packet::SourceAddress(parsed, frame.data()),
                                    packet::DestinationAddress(parsed, frame.data()), frame.data() + parsed.udp_offset,
                                    parsed.udp_size);
}

Frame PayloadOf(const Frame& frame) {
  const packet::ParsedPacket parsed = packet::Parse(frame.data(), frame.size());
  const auto begin = frame.begin() + static_cast<std::ptrdiff_t>(parsed.payload_offset());
  return Frame(begin, begin + static_cast<std::ptrdiff_t>(parsed.payload_size()));
}

Frame RtcpFrame(const std::vector<uint8_t>& datagram, const char* from = "198.18.1.2:21001",
                const char* to = "198.18.1.1:24595") {
  return packet::PacketBuilder(from, to).Payload(datagram).Build();
}

class PipelineTest : public testing::Test {
 protected:
  PipelineHarness relay_;
};

TEST_F(PipelineTest, SendsRtpOnFromTheOtherLegWithItsPayloadUnchanged) {
  relay_.Publish(relay_.Flow());
  const Frame frame = RtpFrame();
  const Outcome outcome = relay_.Process(frame);
  EXPECT_EQ(Route(outcome.sent), "198.18.2.1:18582 > 198.18.2.9:50211");
  EXPECT_EQ(PayloadOf(outcome.sent), PayloadOf(frame));
  EXPECT_TRUE(HasRightChecksum(outcome.sent));
  EXPECT_EQ(outcome.port, PipelineHarness::kPort);
}

TEST_F(PipelineTest, WritesAFreshHeaderThatLeaksNothingOfTheInnerNetwork) {
  relay_.Publish(relay_.Flow());
  const Outcome outcome = relay_.Process(RtpFrame());
  packet::Ipv4Header ip;
  std::memcpy(&ip, &outcome.sent[14], sizeof(ip));
  EXPECT_EQ(ip.ttl, 64);
  EXPECT_EQ(ip.tos, 46 << 2);
  EXPECT_EQ(ip.identification.ToHost(), 0);
  EXPECT_EQ(ip.fragment.ToHost(), packet::kIpv4DontFragment);
  EXPECT_THAT(std::vector<uint8_t>(outcome.sent.begin(), outcome.sent.begin() + 12),
              ElementsAre(2, 0, 0, 0, 2, 1, 2, 0, 0, 0, 1, 1));  // The neighbour's MAC address, then the egress'.
}

TEST_F(PipelineTest, CarriesEachFamilyToEachFamily) {
  struct Case {
    const char* from;
    const char* local;
    const char* source;
    const char* destination;
  };
  const Case cases[] = {
      {"198.18.1.2:21000", "198.18.1.1:4000", "[2001:db8:2::1]:4002", "[2001:db8:2::9]:50211"},
      {"[2001:db8:1::2]:21000", "[2001:db8:1::1]:4000", "198.18.2.1:4004", "198.18.2.9:50211"},
      {"[2001:db8:1::2]:21000", "[2001:db8:1::1]:4006", "[2001:db8:2::1]:4008", "[2001:db8:2::9]:50211"},
  };
  for (const Case& c : cases) {
    relay_.Publish(relay_.Flow(c.from, c.local, c.source, c.destination));
    const Frame frame = RtpFrame({}, c.from, c.local);
    const Outcome outcome = relay_.Process(frame);
    EXPECT_EQ(Route(outcome.sent), std::string(c.source) + " > " + c.destination);
    EXPECT_TRUE(HasRightChecksum(outcome.sent));
    EXPECT_EQ(PayloadOf(outcome.sent), PayloadOf(frame));
  }
}

TEST_F(PipelineTest, TakesVlanTagsOffAndPutsThemOnAsTheEgressSays) {
  flow::FlowSpec spec = relay_.Flow();
  relay_.Publish(spec);
  const Frame tagged =
      packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").Vlan(7).Payload(PayloadOf(RtpFrame())).Build();
  Outcome outcome = relay_.Process(tagged);
  EXPECT_EQ(packet::Parse(outcome.sent.data(), outcome.sent.size()).vlan, 0);
  EXPECT_EQ(outcome.sent.size(), 214u);

  spec.target.next_hop = relay_.tagged_next_hop();
  relay_.Publish(spec);
  outcome = relay_.Process(RtpFrame());
  EXPECT_EQ(packet::Parse(outcome.sent.data(), outcome.sent.size()).vlan, PipelineHarness::kVlan);
  EXPECT_EQ(Route(outcome.sent), "198.18.2.1:18582 > 198.18.2.9:50211");
}

TEST_F(PipelineTest, SendsThePacketWithoutThePaddingOfItsFrame) {
  flow::FlowSpec spec = relay_.Flow();
  spec.flags = flow::kFlowDatagrams;
  relay_.Publish(spec);
  const Frame frame =
      packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").PayloadOfSize(1).Padding(17).Build();
  EXPECT_EQ(relay_.Process(frame).sent.size(), 43u);
}

TEST_F(PipelineTest, DropsWhatDoesNotParseUnderTheParsersReason) {
  relay_.Publish(relay_.Flow());
  for (const packet::PacketFixture& fixture : packet::PacketFixtures()) {
    if (fixture.verdict == DropReason::kNone) continue;
    EXPECT_EQ(relay_.Process(fixture.frame).dropped, fixture.verdict) << fixture.description;
  }
}

TEST_F(PipelineTest, DropsUnderTheReasonThatTheFlowGives) {
  struct Case {
    const char* description;
    DropReason reason;
    void (*change)(flow::FlowSpec&);
    Frame frame;
  };
  const Frame garbage = packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").PayloadOfSize(172).Build();
  const Frame empty = packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").PayloadOfSize(0).Build();
  const Frame stranger = RtpFrame({}, "198.18.66.6:21000");
  const std::vector<Case> cases = {
      {"another source than the signalled one", DropReason::kSourceMismatch, [](flow::FlowSpec&) {}, stranger},
      {"the first packet of a candidate", DropReason::kSourceProbation,
       [](flow::FlowSpec& spec) { spec.source_mode = rtp::SourceMode::kAny; }, stranger},
      {"what is not RTP", DropReason::kBadRtp, [](flow::FlowSpec&) {}, garbage},
      {"an empty datagram", DropReason::kBadRtp, [](flow::FlowSpec&) {}, empty},
      {"an empty datagram on a multiplexed port", DropReason::kBadRtp,
       [](flow::FlowSpec& spec) { spec.flags |= flow::kFlowRtcpMux; }, empty},
      {"RTP on an RTCP port", DropReason::kBadRtp, [](flow::FlowSpec& spec) { spec.flags |= flow::kFlowRtcpOnly; },
       RtpFrame()},
      {"a payload type that was not negotiated", DropReason::kPayloadType, [](flow::FlowSpec&) {},
       RtpFrame({.payload_type = 96})},
      {"RTCP on an RTP port without multiplexing", DropReason::kPayloadType, [](flow::FlowSpec&) {},
       RtcpFrame(rtp::ReceiverReport(1, {{}}), "198.18.1.2:21000", "198.18.1.1:24594")},
      {"a peer on hold", DropReason::kDirection, [](flow::FlowSpec& spec) { spec.flags |= flow::kFlowClosed; },
       RtpFrame()},
      {"a packet of more than a second's bandwidth", DropReason::kPoliced,
       [](flow::FlowSpec& spec) { spec.bandwidth_limit_bps = 1000; }, RtpFrame()},
      {"a flow whose other side is not known", DropReason::kNoDestination,
       [](flow::FlowSpec& spec) { spec.target.destination = {}; }, RtpFrame()},
      {"a flow without a next hop", DropReason::kNoNeighbour,
       [](flow::FlowSpec& spec) { spec.target.next_hop = flow::kNoNextHop; }, RtpFrame()},
  };
  for (const Case& c : cases) {
    flow::FlowSpec spec = relay_.Flow();
    c.change(spec);
    relay_.Publish(spec);
    EXPECT_EQ(relay_.Process(c.frame).dropped, c.reason) << c.description;
    EXPECT_EQ(relay_.DetailOf(spec).Drops(c.reason), 1u) << c.description;
  }
}

TEST_F(PipelineTest, DropsWhatIsForNoAddressOrPortOfOurs) {
  EXPECT_EQ(relay_.Process(RtpFrame({}, "198.18.1.2:21000", "198.18.9.9:24594")).dropped, DropReason::kNotLocal);
  EXPECT_EQ(relay_.Process(RtpFrame()).dropped, DropReason::kNoFlow);
  const flow::FlowSpec spec = relay_.Flow();
  relay_.Publish(spec);
  relay_.flows().Unpublish(spec.local);
  EXPECT_EQ(relay_.Process(RtpFrame()).dropped, DropReason::kNoFlow);
}

TEST_F(PipelineTest, GivesWhatIsNotOursToTheKernelWhereThereIsAWay) {
  const Frame arp = packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").EtherType(0x0806).Build();
  const Frame tcp = packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").Protocol(6).Build();
  const Frame other_host = RtpFrame({}, "198.18.1.2:21000", "198.18.9.9:24594");
  const Frame fragment = packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").Fragment(0x2000).Build();
  for (const Frame& frame : {arp, tcp, other_host}) {
    const Outcome outcome = relay_.Process(frame, 1, true);
    EXPECT_TRUE(outcome.to_kernel);
    EXPECT_EQ(outcome.dropped, DropReason::kNone);
  }
  EXPECT_EQ(relay_.Process(fragment, 1, true).dropped, DropReason::kFragment);
}

TEST_F(PipelineTest, DropsPacketsInSeveralSegments) {
  relay_.Publish(relay_.Flow());
  rte_mbuf* head = MakeMbuf(relay_.pool(), RtpFrame());
  rte_mbuf* tail = MakeMbuf(relay_.pool(), Frame(100));
  ASSERT_EQ(rte_pktmbuf_chain(head, tail), 0);
  EXPECT_EQ(relay_.ProcessMbuf(head).dropped, DropReason::kNoBuffer);
}

TEST_F(PipelineTest, DropsWhatHasNoRoomForTheLongestHeaders) {
  relay_.Publish(relay_.Flow("198.18.1.2:21000", "198.18.1.1:24594", "[2001:db8:2::1]:4002", "[2001:db8:2::9]:50211"));
  const Frame frame = RtpFrame();
  rte_mbuf* packet = MakeMbuf(relay_.pool(), frame);
  packet->data_off = 23;
  std::memcpy(rte_pktmbuf_mtod(packet, void*), frame.data(), frame.size());
  EXPECT_EQ(relay_.ProcessMbuf(packet).dropped, DropReason::kNoBuffer);
  packet = MakeMbuf(relay_.pool(), frame);
  packet->data_off = 24;
  std::memcpy(rte_pktmbuf_mtod(packet, void*), frame.data(), frame.size());
  EXPECT_EQ(Route(relay_.ProcessMbuf(packet).sent), "[2001:db8:2::1]:4002 > [2001:db8:2::9]:50211");
}

TEST_F(PipelineTest, AsksForTheNeighbourThatItMisses) {
  relay_.Publish(relay_.Flow());
  relay_.next_hops().Set(relay_.next_hop(), {.state = flow::NextHopState::kUnresolved});
  EXPECT_EQ(relay_.Process(RtpFrame()).dropped, DropReason::kNoNeighbour);
  std::vector<flow::NextHopIndex> wanted;
  relay_.next_hops().TakeWanted([&wanted](flow::NextHopIndex index) { wanted.push_back(index); });
  EXPECT_THAT(wanted, ElementsAre(relay_.next_hop()));
}

TEST_F(PipelineTest, KeepsADamagedPayloadVisiblyDamagedAndAMissingChecksumMissing) {
  relay_.Publish(relay_.Flow());
  const Frame payload = PayloadOf(RtpFrame());
  const auto builder = [&payload] {
    return packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").Payload(payload);
  };
  EXPECT_FALSE(HasRightChecksum(relay_.Process(builder().DamageUdpChecksum(1).Build()).sent));
  const Frame sent = relay_.Process(builder().WithoutUdpChecksum().Build()).sent;
  EXPECT_EQ(sent[40] | sent[41], 0);
}

TEST_F(PipelineTest, KeepsTheOrderOfABurstOfManyFlowsAndCountsEachDrop) {
  relay_.Publish(relay_.Flow());
  relay_.Publish(relay_.Flow("[2001:db8:1::2]:21000", "[2001:db8:1::1]:4000", "198.18.2.1:4004", "198.18.2.9:50213"));
  std::vector<Frame> frames;
  std::vector<std::string> expected;
  for (uint16_t i = 0; i < kMaxBurst; ++i) {
    switch (i % 4) {
      case 0:
        frames.push_back(RtpFrame({.sequence = i}));
        expected.push_back("198.18.2.1:18582 > 198.18.2.9:50211");
        break;
      case 1:
        frames.push_back(RtpFrame({.sequence = i}, "[2001:db8:1::2]:21000", "[2001:db8:1::1]:4000"));
        expected.push_back("198.18.2.1:4004 > 198.18.2.9:50213");
        break;
      case 2:
        frames.push_back(RtpFrame({}, "198.18.1.2:21000", "198.18.1.1:30000"));
        break;
      default:
        frames.push_back(Frame(10));
        break;
    }
  }
  std::vector<std::string> routes;
  uint16_t last = 0;
  for (const Frame& frame : relay_.ProcessAll(frames)) {
    routes.push_back(Route(frame));
    const uint16_t sequence = PayloadOf(frame)[3];
    EXPECT_GE(sequence, last);
    last = sequence;
  }
  EXPECT_EQ(routes, expected);
  EXPECT_EQ(relay_.counters().drops[static_cast<size_t>(DropReason::kNoFlow)].Load(), kMaxBurst / 4);
  EXPECT_EQ(relay_.counters().drops[static_cast<size_t>(DropReason::kBadLength)].Load(), kMaxBurst / 4);
}

TEST_F(PipelineTest, TellsTheLockTheFirstPacketAndTheFirstStranger) {
  const flow::FlowSpec spec = relay_.Flow();
  relay_.Publish(spec);
  relay_.Process(RtpFrame(), 100);
  relay_.Process(RtpFrame({.sequence = 2}), 200);
  relay_.Process(RtpFrame({.sequence = 3}, "198.18.66.6:21000"), 300);
  relay_.Process(RtpFrame({.sequence = 4}, "198.18.66.6:21000"), 400);
  const std::vector<flow::FlowEvent> events = relay_.TakeEvents();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].kind, flow::FlowEventKind::kSourceLocked);
  EXPECT_EQ(events[0].source, At("198.18.1.2:21000"));
  EXPECT_EQ(events[0].state, spec.state);
  EXPECT_EQ(events[0].ssrc, 0x11223344u);
  EXPECT_EQ(events[0].ticks, 100u);
  EXPECT_EQ(events[1].kind, flow::FlowEventKind::kFirstPacket);
  EXPECT_EQ(events[2].kind, flow::FlowEventKind::kSourceRefused);
  EXPECT_EQ(events[2].source, At("198.18.66.6:21000"));
  EXPECT_EQ(events[2].ticks, 300u);
}

TEST_F(PipelineTest, KeepsLockAndCountersOverAnUpdateAndOpensTheLockForANewGeneration) {
  flow::FlowSpec spec = relay_.Flow();
  relay_.Publish(spec);
  relay_.Process(RtpFrame());
  spec.target.destination = At("198.18.2.9:50300");
  relay_.Publish(spec);
  EXPECT_EQ(Route(relay_.Process(RtpFrame({.sequence = 2})).sent), "198.18.2.1:18582 > 198.18.2.9:50300");
  EXPECT_EQ(relay_.StateOf(spec).receive.packets(), 2u);

  spec.signalled = At("198.18.1.7:21000");
  spec.generation = 1;
  relay_.Publish(spec);
  EXPECT_EQ(relay_.Process(RtpFrame({.sequence = 3})).dropped, DropReason::kSourceMismatch);
  EXPECT_FALSE(relay_.Process(RtpFrame({.sequence = 3}, "198.18.1.7:21000")).sent.empty());
  EXPECT_EQ(relay_.StateOf(spec).receive.packets(), 3u);
}

TEST_F(PipelineTest, CountsExactlyWhatWasSent) {
  const flow::FlowSpec spec = relay_.Flow();
  relay_.Publish(spec);
  // 500 packets of 20 ms, of which numbers 100 and 200 are lost and number 300 comes twice.
  for (uint16_t i = 0; i < 500; ++i) {
    if (i == 100 || i == 200) continue;
    const Frame frame = RtpFrame({.sequence = i, .timestamp = 160u * i});
    const uint64_t ticks = 1'000'000'000 + 20'000'000ull * i;
    relay_.Process(frame, ticks);
    if (i == 300) relay_.Process(frame, ticks);
  }
  const rtp::ReceiveSnapshot snapshot = rtp::ReceiveStatistics::Read(
      relay_.StateOf(spec).identity, relay_.StateOf(spec).receive, relay_.DetailOf(spec).receive, 11'000'000'000);
  EXPECT_EQ(snapshot.packets, 499u);
  EXPECT_EQ(snapshot.bytes, 499u * 172);
  EXPECT_EQ(snapshot.expected, 500u);
  EXPECT_EQ(snapshot.lost, 2u);
  EXPECT_EQ(snapshot.duplicates, 1u);
  EXPECT_EQ(snapshot.ssrc, 0x11223344u);
  EXPECT_EQ(snapshot.first_arrival, 1'000'000'000u);
}

TEST_F(PipelineTest, CountsAPeerThatSendsOnHoldAsReceivedAndNotForwarded) {
  flow::FlowSpec spec = relay_.Flow();
  spec.flags |= flow::kFlowClosed;
  relay_.Publish(spec);
  for (uint16_t i = 0; i < 10; ++i) EXPECT_TRUE(relay_.Process(RtpFrame({.sequence = i})).sent.empty());
  EXPECT_EQ(relay_.StateOf(spec).receive.packets(), 10u);
  EXPECT_EQ(relay_.DetailOf(spec).Drops(DropReason::kDirection), 10u);

  spec.flags &= ~flow::kFlowClosed;
  relay_.Publish(spec);
  EXPECT_FALSE(relay_.Process(RtpFrame({.sequence = 10})).sent.empty());
}

TEST_F(PipelineTest, CarriesMultiplexedRtcpOfAPeerOnHold) {
  flow::FlowSpec spec = relay_.Flow();
  spec.flags |= flow::kFlowClosed | flow::kFlowRtcpMux;
  relay_.Publish(spec);
  const Frame report = RtcpFrame(rtp::ReceiverReport(1, {{}}), "198.18.1.2:21000", "198.18.1.1:24594");
  EXPECT_EQ(Route(relay_.Process(report).sent), "198.18.2.1:18582 > 198.18.2.9:50211");
  EXPECT_EQ(relay_.Process(RtpFrame()).dropped, DropReason::kDirection);
}

TEST_F(PipelineTest, BridgesMultiplexedRtcpToAPortOfItsOwnAndBack) {
  for (const bool wide : {false, true}) {
    const char* source = wide ? "[2001:db8:2::1]:18582" : "198.18.2.1:18582";
    const char* destination = wide ? "[2001:db8:2::9]:50210" : "198.18.2.9:50210";
    flow::FlowSpec spec = relay_.Flow("198.18.1.2:21000", "198.18.1.1:24594", source, destination);
    spec.flags |= flow::kFlowRtcpMux;
    const char* rtcp_source = wide ? "[2001:db8:2::1]:18583" : "198.18.2.1:18583";
    const char* rtcp_destination = wide ? "[2001:db8:2::9]:50211" : "198.18.2.9:50211";
    spec.rtcp_target = {At(rtcp_source), At(rtcp_destination), relay_.next_hop()};
    relay_.Publish(spec);
    const Frame report = RtcpFrame(rtp::ReceiverReport(1, {{}}), "198.18.1.2:21000", "198.18.1.1:24594");
    EXPECT_EQ(Route(relay_.Process(report).sent), std::string(rtcp_source) + " > " + rtcp_destination);
    EXPECT_EQ(Route(relay_.Process(RtpFrame()).sent), std::string(source) + " > " + destination);

    // Back: the port of its own leads to the multiplexed one.
    flow::FlowSpec back = relay_.Flow(rtcp_destination, rtcp_source, "198.18.1.1:24594", "198.18.1.2:21000");
    back.flags = flow::kFlowRtcpOnly;
    relay_.Publish(back);
    EXPECT_EQ(Route(relay_.Process(RtcpFrame(rtp::ReceiverReport(2, {{}}), rtcp_destination, rtcp_source)).sent),
              "198.18.1.1:24594 > 198.18.1.2:21000");
  }
}

TEST_F(PipelineTest, MeasuresTheRoundTripToThePeerThatAnswersASenderReport) {
  flow::FlowSpec to_b = relay_.Flow("198.18.1.2:21001", "198.18.1.1:24595", "198.18.2.1:18583", "198.18.2.9:50212");
  flow::FlowSpec to_a = relay_.Flow("198.18.2.9:50212", "198.18.2.1:18583", "198.18.1.1:24595", "198.18.1.2:21001");
  to_b.flags = to_a.flags = flow::kFlowRtcpOnly;
  to_b.opposite_state = to_a.state;
  to_a.opposite_state = to_b.state;
  relay_.Publish(to_b);
  relay_.Publish(to_a);
  const rtp::SenderInfo info = {.ssrc = 1, .ntp = 0x0000'1234'5678'0000};
  EXPECT_FALSE(relay_.Process(RtcpFrame(rtp::SenderReport(info)), 1'000'000'000).sent.empty());
  // B answers 250 ms later and says that it held the report for 125 ms.
  const Frame answer =
      RtcpFrame(rtp::ReceiverReport(2, {{.ssrc = 1, .last_sender_report = info.compact_ntp(), .delay = 65536 / 8}}),
                "198.18.2.9:50212", "198.18.2.1:18583");
  EXPECT_FALSE(relay_.Process(answer, 1'250'000'000).sent.empty());
  EXPECT_NEAR(relay_.DetailOf(to_a).rtcp.round_trip.Load(), 65536 / 8, 1);
  EXPECT_EQ(relay_.DetailOf(to_b).rtcp.round_trip.Load(), 0u);
}

TEST_F(PipelineTest, CarriesDatagramsOfAnyContentAndCountsThem) {
  flow::FlowSpec spec = relay_.Flow();
  spec.flags = flow::kFlowDatagrams;
  relay_.Publish(spec);
  const Frame frame = packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").PayloadOfSize(1).Build();
  EXPECT_EQ(Route(relay_.Process(frame).sent), "198.18.2.1:18582 > 198.18.2.9:50211");
  EXPECT_EQ(relay_.StateOf(spec).receive.packets(), 1u);
}

TEST_F(PipelineTest, HoldsAFlowToItsBandwidth) {
  flow::FlowSpec spec = relay_.Flow();
  spec.bandwidth_limit_bps = 80'000;  // 50 packets of 200 bytes (IP) a second.
  relay_.Publish(spec);
  int sent = 0;
  // 200 packets a second for 10 s: the rate, and a second's burst.
  for (uint16_t i = 0; i < 2000; ++i) {
    if (!relay_.Process(RtpFrame({.sequence = i}), 1'000'000'000 + 5'000'000ull * i).sent.empty()) ++sent;
  }
  EXPECT_NEAR(sent, 550, 2);
  EXPECT_EQ(relay_.DetailOf(spec).Drops(DropReason::kPoliced), 2000u - static_cast<unsigned>(sent));
}

TEST_F(PipelineTest, TellsEachDigitOnce) {
  const flow::FlowSpec spec = relay_.Flow();
  relay_.Publish(spec);
  relay_.Process(RtpFrame());
  relay_.TakeEvents();
  const auto event_packet = [](uint16_t sequence, bool end, uint8_t duration) {
    std::vector<uint8_t> datagram = rtp::RtpDatagram(PipelineHarness::kEvents, sequence, 8000, 0x11223344, 4);
    datagram[12] = 5;
    datagram[13] = end ? 0x8a : 0x0a;
    datagram[14] = duration;
    datagram[15] = 0;
    return packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").Payload(datagram).Build();
  };
  for (uint16_t i = 0; i < 3; ++i) EXPECT_FALSE(relay_.Process(event_packet(2 + i, false, 1 + i)).sent.empty());
  for (uint16_t i = 0; i < 3; ++i) EXPECT_FALSE(relay_.Process(event_packet(5 + i, true, 4)).sent.empty());
  const std::vector<flow::FlowEvent> events = relay_.TakeEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, flow::FlowEventKind::kDtmf);
  EXPECT_EQ(events[0].digit, '5');
  EXPECT_EQ(events[0].duration, 0x400);
}

TEST_F(PipelineTest, CopiesCapturedPacketsAsTheyCameAndAsTheyLeft) {
  flow::FlowSpec spec = relay_.Flow();
  spec.flags |= flow::kFlowCapture;
  relay_.Publish(spec);
  const Frame frame = RtpFrame();
  const Frame sent = relay_.Process(frame, 77).sent;
  const Frame stranger = RtpFrame({}, "198.18.66.6:21000");
  relay_.Process(stranger, 78);
  std::vector<Frame> frames;
  std::vector<bool> directions;
  relay_.captures().Pop(10, [&](const capture::CapturedFrame& captured) {
    EXPECT_EQ(captured.capture_id, spec.state);
    frames.emplace_back(captured.frame().begin(), captured.frame().end());
    directions.push_back(captured.sent);
  });
  EXPECT_THAT(frames, ElementsAre(frame, sent, stranger));
  EXPECT_THAT(directions, ElementsAre(false, true, false));
}

TEST_F(PipelineTest, LosesNoMediaWhenNobodyReadsCapturesOrEvents) {
  flow::FlowSpec spec = relay_.Flow();
  spec.flags |= flow::kFlowCapture;
  relay_.Publish(spec);
  for (uint16_t i = 0; i < 100; ++i) EXPECT_FALSE(relay_.Process(RtpFrame({.sequence = i})).sent.empty());
  EXPECT_GT(relay_.captures().dropped(), 0u);
}

}  // namespace
}  // namespace sluice::worker
