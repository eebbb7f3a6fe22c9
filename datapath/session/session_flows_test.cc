// What sessions are compiled into, and what is learned from workers.

#include "datapath/session/session_test_bed.h"

namespace sluice::session {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

const packet::Endpoint kFromA = At("198.18.1.1:16384");
const packet::Endpoint kRtcpFromA = At("198.18.1.1:16385");
const packet::Endpoint kFromB = At("198.18.2.1:16384");
const packet::Endpoint kRtcpFromB = At("198.18.2.1:16385");

class SessionFlows : public SessionTest {
 protected:
  // B is a phone behind a NAT at 198.18.2.9 that says a private address.
  static SessionSpec BehindNat() {
    SessionSpec spec = TestSpec();
    LegSpec& leg = spec.streams[0].legs[1];
    leg.remote = At("198.18.3.2:21000");
    leg.source_mode = rtp::SourceMode::kPrefix;
    leg.prefixes = {*packet::IpPrefix::Parse("198.18.2.9/32")};
    return spec;
  }
};

TEST_F(SessionFlows, RtpAndRtcpGoToTheSignalledAddressAndTheNextPort) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  EXPECT_EQ(DestinationOf(*EntryAt(kFromA)), At("198.18.2.2:22000"));
  EXPECT_EQ(DestinationOf(*EntryAt(kRtcpFromA)), At("198.18.2.2:22001"));
  EXPECT_EQ(DestinationOf(*EntryAt(kFromB)), At("198.18.1.2:21000"));
  EXPECT_EQ(DestinationOf(*EntryAt(kRtcpFromB)), At("198.18.1.2:21001"));
  EXPECT_TRUE(EntryAt(kRtcpFromA)->Has(flow::kFlowRtcpOnly));
  EXPECT_TRUE(EntryAt(kFromA)->Has(flow::kFlowTelephoneEvents));
  EXPECT_EQ(EntryAt(kFromA)->rewrite.source.ToHost(), Address("198.18.2.1").v4().ToHost());
  EXPECT_EQ(EntryAt(kRtcpFromA)->rewrite.source_port.ToHost(), kRtcpFromB.port);
  EXPECT_EQ(EntryAt(kFromA)->opposite_state, EntryAt(kFromB)->state);
}

TEST_F(SessionFlows, ExplicitRtcpGoesWhereItWasSignalled) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[1].rtcp_mode = RtcpMode::kExplicit;
  spec.streams[0].legs[1].remote_rtcp = At("198.18.2.2:30001");
  ASSERT_TRUE(Create(spec).ok());
  EXPECT_EQ(DestinationOf(*EntryAt(kRtcpFromA)), At("198.18.2.2:30001"));
  EXPECT_EQ(EntryAt(kRtcpFromB)->signalled_port, 30001);
}

TEST_F(SessionFlows, RtcpChangesPortsBetweenMuxAndNoMux) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].rtcp_mode = RtcpMode::kMux;
  ASSERT_TRUE(Create(spec).ok());
  const flow::FlowEntry4* muxed = EntryAt(kFromA);
  EXPECT_TRUE(muxed->Has(flow::kFlowRtcpMux));
  ASSERT_NE(muxed->rtcp_entry, flow::kNoEntry);
  EXPECT_EQ(DestinationOf(table_->entry4(muxed->rtcp_entry)), At("198.18.2.2:22001"));
  EXPECT_EQ(table_->entry4(muxed->rtcp_entry).rewrite.source_port.ToHost(), kRtcpFromB.port);
  EXPECT_EQ(DestinationOf(*EntryAt(kRtcpFromB)), At("198.18.1.2:21000"));
  EXPECT_EQ(muxed->opposite_state, EntryAt(kRtcpFromB)->state);
  EXPECT_EQ(EntryAt(kRtcpFromB)->opposite_state, muxed->state);
}

TEST_F(SessionFlows, DatagramsHaveNoRtcp) {
  SessionSpec spec = TestSpec();
  spec.streams[0].kind = MediaKind::kDatagrams;
  ASSERT_TRUE(Create(spec).ok());
  EXPECT_EQ(table_->flows(), 2u);
  EXPECT_TRUE(EntryAt(kFromA)->Has(flow::kFlowDatagrams));
  EXPECT_FALSE(Get().streams[0].legs[0].local_rtcp.is_set());
}

TEST_F(SessionFlows, BeforeThePeerIsKnownNothingIsSentToIt) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[1].remote = {};
  ASSERT_TRUE(Create(spec).ok());
  EXPECT_TRUE(EntryAt(kFromA)->Has(flow::kFlowNoDestination));
  ASSERT_TRUE(Update(TestSpec()).ok());
  EXPECT_FALSE(EntryAt(kFromA)->Has(flow::kFlowNoDestination));
}

TEST_F(SessionFlows, HoldClosesRtpButNotRtcp) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].direction = Direction::kSendOnly;
  spec.streams[0].legs[1].direction = Direction::kRecvOnly;
  ASSERT_TRUE(Create(spec).ok());
  EXPECT_FALSE(EntryAt(kFromA)->Has(flow::kFlowClosed));
  EXPECT_TRUE(EntryAt(kFromB)->Has(flow::kFlowClosed));
  EXPECT_FALSE(EntryAt(kRtcpFromB)->Has(flow::kFlowClosed));
}

TEST_F(SessionFlows, ALearnedSourceIsWhereTheOtherLegIsSent) {
  ASSERT_TRUE(Create(BehindNat()).ok());
  EXPECT_TRUE(EntryAt(kFromA)->Has(flow::kFlowNoDestination)) << "198.18.3.2 is not where its SIP came from";
  Lock(kFromB, At("198.18.2.9:50211"));
  EXPECT_EQ(DestinationOf(*EntryAt(kFromA)), At("198.18.2.9:50211"));
  const LegState leg = Get().streams[0].legs[1];
  EXPECT_EQ(leg.learned, At("198.18.2.9:50211"));
  EXPECT_EQ(leg.source_lock, SourceLock::kLocked);
  EXPECT_THAT(TakeEvents(), ElementsAre("created call-1", "locked call-1/0/1"));
}

TEST_F(SessionFlows, RtcpFollowsTheLearnedAddressButGuessesNoPort) {
  ASSERT_TRUE(Create(BehindNat()).ok());
  Lock(kFromB, At("198.18.2.9:50211"));
  EXPECT_EQ(EntryAt(kRtcpFromB)->rtp_source.ToHost(), Address("198.18.2.9").v4().ToHost());
  EXPECT_TRUE(EntryAt(kRtcpFromA)->Has(flow::kFlowNoDestination));
  Lock(kRtcpFromB, At("198.18.2.9:50999"));
  EXPECT_EQ(DestinationOf(*EntryAt(kRtcpFromA)), At("198.18.2.9:50999"));
}

TEST_F(SessionFlows, AnUpdateOfOtherThingsKeepsLockAndCounters) {
  ASSERT_TRUE(Create(BehindNat()).ok());
  Lock(kFromB, At("198.18.2.9:50211"));
  Receive(kFromB, 5);
  SessionSpec spec = BehindNat();
  spec.streams[0].legs[1].direction = Direction::kSendOnly;
  spec.streams[0].legs[1].bandwidth_limit_bps = 64000;
  ASSERT_TRUE(Update(spec).ok());
  const LegState leg = Get().streams[0].legs[1];
  EXPECT_EQ(leg.source_lock, SourceLock::kLocked);
  EXPECT_EQ(leg.received.receive.packets, 5u);
  EXPECT_EQ(DestinationOf(*EntryAt(kFromA)), At("198.18.2.9:50211"));
}

TEST_F(SessionFlows, AnotherSignalledAddressOpensTheLockAndKeepsTheCounters) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  Lock(kFromB, At("198.18.2.2:22000"));
  Receive(kFromB, 5);
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[1].remote = At("198.18.2.7:23000");
  ASSERT_TRUE(Update(spec).ok());
  const LegState leg = Get().streams[0].legs[1];
  EXPECT_EQ(leg.source_lock, SourceLock::kOpen);
  EXPECT_EQ(leg.received.receive.packets, 5u);
  EXPECT_EQ(DestinationOf(*EntryAt(kFromA)), At("198.18.2.7:23000"));
}

TEST_F(SessionFlows, AnotherPolicyOpensTheLock) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  Lock(kFromB, At("198.18.2.2:22000"));
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[1].source_mode = rtp::SourceMode::kSameAddress;
  ASSERT_TRUE(Update(spec).ok());
  EXPECT_EQ(Get().streams[0].legs[1].source_lock, SourceLock::kOpen);
}

TEST_F(SessionFlows, ALockThatAnUpdateHasOvertakenIsForgotten) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[1].source_mode = rtp::SourceMode::kAny;
  ASSERT_TRUE(Create(spec).ok());
  flow::FlowEvent late;
  late.kind = flow::FlowEventKind::kSourceLocked;
  late.state = EntryAt(kFromB)->state;
  late.generation = EntryAt(kFromB)->generation;
  late.source = At("198.18.2.66:6666");
  spec.streams[0].legs[1].remote = At("198.18.2.7:23000");
  ASSERT_TRUE(Update(spec).ok());
  TakeEvents();
  model_->OnFlowEvent(late, now_);
  EXPECT_THAT(TakeEvents(), ::testing::IsEmpty());
  EXPECT_EQ(DestinationOf(*EntryAt(kFromA)), At("198.18.2.7:23000"));
}

TEST_F(SessionFlows, ASourceThatMediaMustNotGoToIsNoDestination) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[1].source_mode = rtp::SourceMode::kAny;
  ASSERT_TRUE(Create(spec).ok());
  SessionSettings settings;
  settings.forbidden_destinations = {*packet::IpPrefix::Parse("198.18.66.0/24")};
  model_->Configure(settings);
  Lock(kFromB, At("198.18.66.6:6666"));
  EXPECT_TRUE(EntryAt(kFromA)->Has(flow::kFlowNoDestination));
}

TEST_F(SessionFlows, DtmfIsToldWithItsDuration) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  flow::FlowEvent event;
  event.kind = flow::FlowEventKind::kDtmf;
  event.state = EntryAt(kFromA)->state;
  event.digit = '5';
  event.duration = 800;
  event.ticks = now_.ticks;
  model_->OnFlowEvent(event, now_);
  const EventLog::Page page = model_->events().Read(1, 10);
  ASSERT_EQ(page.events.size(), 1u);
  EXPECT_EQ(page.events[0].kind, EventKind::kDtmf);
  EXPECT_EQ(page.events[0].digit, '5');
  EXPECT_EQ(page.events[0].duration, absl::Milliseconds(100));
}

TEST_F(SessionFlows, SpeechIsRatedByTheNegotiatedCodec) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  for (int i = 0; i < 100; ++i) {
    Receive(kFromA);
    Pass(absl::Milliseconds(20));
  }
  const Quality quality = Get().streams[0].legs[0].received.quality;
  EXPECT_EQ(quality.algorithm, QualityAlgorithm::kNarrowband);
  EXPECT_EQ(quality.codec, "G.711+PLC");
  EXPECT_NEAR(quality.mos, 4.41, 0.01);
  EXPECT_EQ(Get().streams[0].legs[1].received.quality.algorithm, QualityAlgorithm::kNone);
}

TEST_F(SessionFlows, WhatWasHeldBackWasNotSent) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  Receive(kFromA, 10, 100);
  for (int i = 0; i < 4; ++i) DetailAt(kFromA).CountDrop(packet::DropReason::kNoNeighbour);
  DetailAt(kFromA).CountDrop(packet::DropReason::kSourceMismatch);
  const auto legs = Get().streams[0].legs;
  EXPECT_EQ(legs[1].sent_packets, 6u);
  EXPECT_EQ(legs[1].sent_bytes, 600u);
  EXPECT_EQ(legs[0].received.drops[static_cast<size_t>(packet::DropReason::kSourceMismatch)], 1u);
}

TEST_F(SessionFlows, CaptureMarksEveryFlowOfTheSession) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  ASSERT_TRUE(model_->SetCapture("call-1", true).ok());
  EXPECT_TRUE(EntryAt(kFromA)->Has(flow::kFlowCapture));
  EXPECT_TRUE(EntryAt(kRtcpFromB)->Has(flow::kFlowCapture));
  ASSERT_TRUE(Update(BehindNat()).ok());
  EXPECT_TRUE(EntryAt(kFromA)->Has(flow::kFlowCapture));
  ASSERT_TRUE(model_->SetCapture("call-1", false).ok());
  EXPECT_FALSE(EntryAt(kFromA)->Has(flow::kFlowCapture));
  EXPECT_TRUE(absl::IsNotFound(model_->SetCapture("call-2", true)));
}

TEST_F(SessionFlows, AStateTellsWhoseFlowItIs) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  const flow::StateIndex state = EntryAt(kFromB)->state;
  EXPECT_EQ(model_->NameOf(state).session_id, "call-1");
  EXPECT_EQ(model_->NameOf(state).leg, 1);
  ASSERT_TRUE(Delete("call-1").ok());
  EXPECT_EQ(model_->NameOf(state).session_id, "");
}

}  // namespace
}  // namespace sluice::session
