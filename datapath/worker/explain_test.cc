#include "datapath/worker/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datapath/packet/packet_builder.h"
#include "datapath/packet/packet_fixtures.h"
#include "datapath/rtp/rtp_builder.h"
#include "datapath/worker/pipeline_harness.h"

namespace sluice::worker {
namespace {

using packet::DropReason;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint64_t kNow = PipelineHarness::kTicksPerSecond;

class ExplainTest : public testing::Test {
 protected:
  Explanation Explain(const Frame& frame) { return worker::Explain(relay_.flows(), relay_.next_hops(), frame, kNow); }

  PipelineHarness relay_;
};

TEST_F(ExplainTest, TellsTheWholeWayOfAPacketThatIsForwarded) {
  const flow::FlowSpec spec = relay_.Flow();
  relay_.Publish(spec);
  const Explanation explanation = Explain(RtpFrame({.sequence = 7, .ssrc = 99}));
  EXPECT_THAT(explanation.steps,
              ElementsAre("UDP from 198.18.1.2:21000 to 198.18.1.1:24594, 172 bytes of payload",
                          "the source policy would take its source with this packet",
                          "RTP, payload type 0, sequence number 7, SSRC 99",
                          "forwarded from 198.18.2.1:18582 to 198.18.2.9:50211, DSCP 46, by 02:00:00:00:02:01 on DPDK "
                          "port 3"));
  EXPECT_EQ(explanation.verdict, DropReason::kNone);
  EXPECT_EQ(explanation.state, spec.state);
  EXPECT_EQ(explanation.new_source, spec.target.source);
  EXPECT_EQ(explanation.new_destination, spec.target.destination);
}

TEST_F(ExplainTest, TellsToWhomTheStreamIsLockedWhenAStrangerSends) {
  relay_.Publish(relay_.Flow());
  relay_.Process(RtpFrame());
  EXPECT_THAT(Explain(RtpFrame({}, "198.18.66.6:21000")).steps,
              ElementsAre(testing::_, "the stream is locked to 198.18.1.2:21000: dropped as source_mismatch"));
  EXPECT_THAT(Explain(RtpFrame()).steps[1], "its source is the one that the stream is locked to");
}

TEST_F(ExplainTest, ChangesNothing) {
  flow::FlowSpec spec = relay_.Flow();
  spec.source_mode = rtp::SourceMode::kAny;
  spec.bandwidth_limit_bps = 80'000;
  relay_.Publish(spec);
  for (uint16_t i = 0; i < 20; ++i) {
    EXPECT_EQ(Explain(RtpFrame({.sequence = i}, "198.18.66.6:21000")).verdict, DropReason::kSourceProbation);
  }
  EXPECT_EQ(Explain(RtpFrame()).verdict, DropReason::kNone);
  EXPECT_FALSE(relay_.StateOf(spec).identity.source().is_set());
  EXPECT_EQ(relay_.StateOf(spec).receive.packets(), 0u);
  EXPECT_EQ(relay_.DetailOf(spec).probation.packets.Load(), 0u);
  EXPECT_EQ(relay_.DetailOf(spec).policer.full_at.Load(), 0u);
  EXPECT_TRUE(relay_.TakeEvents().empty());
}

TEST_F(ExplainTest, AgreesWithThePipelineAboutEveryFixture) {
  relay_.Publish(relay_.Flow());
  relay_.Publish(relay_.Flow("[2001:db8:1::2]:21000", "[2001:db8:1::1]:24594", "198.18.2.1:4002", "198.18.2.9:4000"));
  for (const packet::PacketFixture& fixture : packet::PacketFixtures()) {
    const DropReason explained = Explain(fixture.frame).verdict;
    EXPECT_EQ(explained, relay_.Process(fixture.frame, kNow).dropped) << fixture.description;
  }
}

TEST_F(ExplainTest, AgreesWithThePipelineAboutEveryReasonOfAFlow) {
  struct Case {
    DropReason reason;
    void (*change)(flow::FlowSpec&);
    Frame frame;
    const char* why;
  };
  const Case cases[] = {
      {DropReason::kSourceMismatch, [](flow::FlowSpec&) {}, RtpFrame({}, "198.18.66.6:1"), "does not allow"},
      {DropReason::kSourceProbation, [](flow::FlowSpec& spec) { spec.source_mode = rtp::SourceMode::kAny; },
       RtpFrame({}, "198.18.66.6:1"), "after more packets"},
      {DropReason::kBadRtp, [](flow::FlowSpec&) {},
       packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").PayloadOfSize(172).Build(), "no valid RTP"},
      {DropReason::kBadRtp, [](flow::FlowSpec& spec) { spec.flags = flow::kFlowRtcpOnly; }, RtpFrame(),
       "no valid RTCP"},
      {DropReason::kPayloadType, [](flow::FlowSpec&) {}, RtpFrame({.payload_type = 96}),
       "payload type 96 was not negotiated"},
      {DropReason::kDirection, [](flow::FlowSpec& spec) { spec.flags |= flow::kFlowClosed; }, RtpFrame(), "hold"},
      {DropReason::kPoliced, [](flow::FlowSpec& spec) { spec.bandwidth_limit_bps = 1000; }, RtpFrame(), "bandwidth"},
      {DropReason::kNoDestination, [](flow::FlowSpec& spec) { spec.target.destination = {}; }, RtpFrame(),
       "other leg's address is not known"},
      {DropReason::kNoNeighbour, [](flow::FlowSpec& spec) { spec.target.next_hop = flow::kNoNextHop; }, RtpFrame(),
       "not resolved"},
  };
  for (const Case& c : cases) {
    flow::FlowSpec spec = relay_.Flow();
    c.change(spec);
    relay_.Publish(spec);
    const Explanation explanation = Explain(c.frame);
    EXPECT_EQ(explanation.verdict, c.reason);
    EXPECT_THAT(explanation.steps.back(), HasSubstr(c.why));
    EXPECT_THAT(explanation.steps.back(), HasSubstr(std::string(packet::Name(c.reason))));
    EXPECT_EQ(relay_.Process(c.frame, kNow).dropped, c.reason);
  }
}

TEST_F(ExplainTest, TellsWhatIsNotOurs) {
  EXPECT_THAT(Explain(RtpFrame({}, "198.18.1.2:21000", "198.18.9.9:24594")).steps.back(),
              "198.18.9.9 is no media address of this relay: dropped as not_local");
  EXPECT_THAT(Explain(RtpFrame()).steps.back(), "nobody uses port 24594 of 198.18.1.1: dropped as no_flow");
}

TEST_F(ExplainTest, TellsThatRtcpTakesAWayOfItsOwn) {
  flow::FlowSpec spec = relay_.Flow();
  spec.flags |= flow::kFlowRtcpMux;
  spec.rtcp_target = {*packet::Endpoint::Parse("198.18.2.1:18583"), *packet::Endpoint::Parse("198.18.2.9:50212"),
                      relay_.next_hop()};
  relay_.Publish(spec);
  const Explanation explanation = Explain(
      packet::PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").Payload(rtp::ReceiverReport(1, {{}})).Build());
  EXPECT_EQ(explanation.new_destination.ToString(), "198.18.2.9:50212");
  EXPECT_THAT(explanation.steps, testing::Contains(HasSubstr("port of its own")));
}

}  // namespace
}  // namespace sluice::worker
