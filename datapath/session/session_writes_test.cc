// What writes do: idempotence, arbitration, limits, ports.

#include "datapath/session/session_test_bed.h"

namespace sluice::session {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SessionWrites : public SessionTest {};

TEST_F(SessionWrites, CreateAnswersAPairOfPortsOnEachNetworkAndPublishesFourFlows) {
  const auto state = Create(TestSpec());
  ASSERT_TRUE(state.ok()) << state.status();
  const auto& legs = state->streams[0].legs;
  EXPECT_EQ(legs[0].local, At("198.18.1.1:16384"));
  EXPECT_EQ(legs[0].local_rtcp, At("198.18.1.1:16385"));
  EXPECT_EQ(legs[1].local, At("198.18.2.1:16384"));
  EXPECT_EQ(state->shard, "controller-1/0");
  EXPECT_EQ(table_->flows(), 4u);
  EXPECT_THAT(TakeEvents(), ElementsAre("created call-1"));
}

TEST_F(SessionWrites, TheSameCreateTwiceIsOneSession) {
  const auto first = Create(TestSpec());
  const auto second = Create(TestSpec());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(first->streams[0].legs[0].local, second->streams[0].legs[0].local);
  EXPECT_EQ(model_->statistics().created, 1u);
  EXPECT_EQ(table_->flows(), 4u);
}

TEST_F(SessionWrites, ACreateThatNamesThePortsItGotIsTheSameCreate) {
  const auto first = Create(TestSpec());
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].requested_local = first->streams[0].legs[0].local;
  EXPECT_TRUE(Create(spec).ok());
}

TEST_F(SessionWrites, ACreateWithAnotherContentAlreadyExists) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[1].remote = At("198.18.2.3:22000");
  EXPECT_TRUE(absl::IsAlreadyExists(Create(spec).status()));
  EXPECT_EQ(DestinationOf(*EntryAt(At("198.18.1.1:16384"))), At("198.18.2.2:22000"));
}

TEST_F(SessionWrites, DeleteAnswersFinalStatisticsAndGivesEverythingBack) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  Receive(At("198.18.1.1:16384"), 3);
  const auto state = Delete("call-1");
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->streams[0].legs[0].received.receive.packets, 3u);
  EXPECT_EQ(state->streams[0].legs[1].sent_packets, 3u);
  EXPECT_EQ(table_->flows(), 0u);
  table_->Collect();
  EXPECT_EQ(table_->states_available(), 1024u);
  EXPECT_EQ(next_hops_.references(), 0);
  EXPECT_EQ(model_->networks().usage(0, now_.time).used, 0u);
  EXPECT_TRUE(absl::IsNotFound(model_->GetSession("call-1", now_).status()));
}

TEST_F(SessionWrites, ACreateThatItsOwnDeleteOvertookDoesNotComeToLife) {
  const auto unknown = Delete("call-1");
  ASSERT_TRUE(unknown.ok());
  EXPECT_THAT(unknown->session_id, IsEmpty());
  EXPECT_TRUE(absl::IsFailedPrecondition(Create(TestSpec()).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Update(TestSpec(), true).status()));
  Pass(absl::Seconds(59));
  EXPECT_TRUE(absl::IsFailedPrecondition(Create(TestSpec()).status()));
  Pass(absl::Seconds(2));
  EXPECT_TRUE(Create(TestSpec()).ok());
}

TEST_F(SessionWrites, AnUpdateOfAnUnknownSessionIsNotFoundUnlessItMayBeMissing) {
  EXPECT_TRUE(absl::IsNotFound(Update(TestSpec()).status()));
  EXPECT_TRUE(Update(TestSpec(), true).ok());
}

TEST_F(SessionWrites, AWriterWithALowerEpochIsRefusedAndCounted) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  const auto stale = model_->DeleteSession({"controller-1/0", 6}, "call-1", now_);
  EXPECT_TRUE(absl::IsFailedPrecondition(stale.status()));
  EXPECT_THAT(std::string(stale.status().message()), HasSubstr("writer.epoch is 6"));
  EXPECT_EQ(model_->statistics().stale_writes, 1u);
  EXPECT_TRUE(model_->DeleteSession({"controller-1/0", 8}, "call-1", now_).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Create(TestSpec("call-2")).status()));
}

TEST_F(SessionWrites, EpochsOfDifferentShardsAreIndependent) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  const auto state = model_->UpdateSession({"controller-2/0", 1}, TestSpec(), false, now_);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->shard, "controller-2/0");
}

TEST_F(SessionWrites, AnUpdateKeepsPortsOfWhatStaysAndGivesBackWhatGoes) {
  SessionSpec spec = TestSpec();
  spec.streams.push_back(spec.streams[0]);
  spec.streams[1].stream_id = 1;
  const auto first = Create(spec);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(table_->flows(), 8u);
  spec.streams.erase(spec.streams.begin());
  const auto second = Update(spec);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->streams[0].stream_id, 1);
  EXPECT_EQ(second->streams[0].legs[0].local, first->streams[1].legs[0].local);
  EXPECT_EQ(table_->flows(), 4u);
  EXPECT_EQ(model_->networks().usage(0, now_.time).used, 2u);
  EXPECT_EQ(model_->networks().usage(0, now_.time).quarantined, 2u);
}

TEST_F(SessionWrites, ALegThatAsksForOtherPortsThanItHasIsTold) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].requested_local = At("198.18.1.1:20000");
  const auto state = Update(spec);
  EXPECT_TRUE(absl::IsInvalidArgument(state.status()));
  EXPECT_THAT(std::string(state.status().message()), HasSubstr("streams[0].legs[0].requested_local"));
}

TEST_F(SessionWrites, PortsAskedForByNameAreGivenOnce) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].requested_local = At("198.18.1.1:20000");
  ASSERT_TRUE(Create(spec).ok());
  EXPECT_EQ(Get().streams[0].legs[0].local, At("198.18.1.1:20000"));
  spec.session_id = "call-2";
  EXPECT_TRUE(absl::IsResourceExhausted(Create(spec).status()));
  EXPECT_EQ(model_->networks().usage(1, now_.time).used, 2u) << "the failed create has taken nothing";
}

TEST_F(SessionWrites, WithMuxOnePortIsEnough) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].rtcp_mode = RtcpMode::kMux;
  const auto state = Create(spec);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->streams[0].legs[0].local_rtcp, state->streams[0].legs[0].local);
  EXPECT_EQ(table_->flows(), 3u);
  EXPECT_EQ(model_->networks().usage(0, now_.time).used, 1u);
}

TEST_F(SessionWrites, AMuxThatIsNotAcceptedGetsTheNextPort) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].rtcp_mode = RtcpMode::kMux;
  ASSERT_TRUE(Create(spec).ok());
  spec.streams[0].legs[0].rtcp_mode = RtcpMode::kNextPort;
  const auto state = Update(spec);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->streams[0].legs[0].local_rtcp, At("198.18.1.1:16385"));
  EXPECT_EQ(table_->flows(), 4u);
}

TEST_F(SessionWrites, AddressesOfTheRemotesFamilyAreChosen) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].remote = At("[2001:db8:1::2]:21000");
  const auto state = Create(spec);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->streams[0].legs[0].local, At("[2001:db8:1::1]:16384"));
  spec.session_id = "call-2";
  spec.streams[0].legs[1].remote = At("[2001:db8:2::2]:21000");
  EXPECT_THAT(std::string(Create(spec).status().message()), HasSubstr("network core has no IPv6 addresses"));
}

TEST_F(SessionWrites, BeforeTheRemoteIsKnownTheWriterSaysWhichIpVersion) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].remote = {};
  spec.streams[0].legs[0].ip_version = IpVersion::kV6;
  const auto state = Create(spec);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->streams[0].legs[0].local, At("[2001:db8:1::1]:16384"));
  spec.streams[0].legs[0].remote = At("[2001:db8:1::2]:21000");
  EXPECT_TRUE(Update(spec).ok());
}

TEST_F(SessionWrites, ALegWithoutNetworkGetsTheFirstThatFits) {
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[1].network = "";
  ASSERT_TRUE(Create(spec).ok());
  EXPECT_EQ(Get().streams[0].legs[1].local.address, Address("198.18.1.1"));
}

TEST_F(SessionWrites, ALegMayMoveToAnotherNetworkAndKeepsItsCounters) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  Receive(At("198.18.1.1:16384"), 3);
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].network = "core";
  const auto state = Update(spec);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->streams[0].legs[0].local, At("198.18.2.1:16386"));
  EXPECT_EQ(state->streams[0].legs[0].received.receive.packets, 3u);
  EXPECT_EQ(EntryAt(At("198.18.1.1:16384")), nullptr);
  EXPECT_EQ(table_->flows(), 4u);
}

TEST_F(SessionWrites, MediaIsNeverSentWhereItMustNotGo) {
  SessionSettings settings;
  settings.forbidden_destinations = {*packet::IpPrefix::Parse("198.18.9.0/24")};
  model_->Configure(settings);
  for (const char* remote : {"127.0.0.1:4000", "224.0.0.1:4000", "169.254.1.1:4000", "255.255.255.255:4000",
                             "198.18.2.1:4000", "198.18.9.9:4000"}) {
    SessionSpec spec = TestSpec();
    spec.streams[0].legs[0].remote = At(remote);
    const absl::Status status = Create(spec).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << remote;
    EXPECT_THAT(std::string(status.message()), HasSubstr("streams[0].legs[0].remote ")) << remote;
  }
}

TEST_F(SessionWrites, AWriteThatFailsHalfwayChangesNothing) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  SessionSpec spec = TestSpec();
  spec.streams[0].legs[0].remote = At("198.18.1.3:21000");
  next_hops_.FailWith(absl::ResourceExhaustedError("the next-hop table is full"));
  EXPECT_TRUE(absl::IsResourceExhausted(Update(spec).status()));
  next_hops_.FailWith(absl::OkStatus());
  EXPECT_EQ(DestinationOf(*EntryAt(At("198.18.2.1:16384"))), At("198.18.1.2:21000"));
  EXPECT_TRUE(Create(TestSpec()).ok()) << "the session is as it was";
  ASSERT_TRUE(Delete("call-1").ok());
  EXPECT_EQ(next_hops_.references(), 0);
}

TEST_F(SessionWrites, ADrainingRelayKeepsItsSessionsAndTakesNoOthers) {
  ASSERT_TRUE(Create(TestSpec()).ok());
  TakeEvents();
  model_->SetDraining(true, now_);
  EXPECT_TRUE(absl::IsResourceExhausted(Create(TestSpec("call-2")).status()));
  EXPECT_TRUE(Update(TestSpec()).ok());
  ASSERT_TRUE(Delete("call-1").ok());
  EXPECT_THAT(TakeEvents(), ElementsAre("deleted call-1", "drained"));
  model_->SetDraining(false, now_);
  EXPECT_TRUE(Create(TestSpec("call-2")).ok());
}

TEST_F(SessionWrites, ListsInPagesInTheOrderOfIds) {
  for (const char* id : {"c", "a", "b"}) ASSERT_TRUE(Create(TestSpec(id)).ok());
  const SessionModel::Page first = model_->ListSessions("", 2, true, now_);
  ASSERT_EQ(first.sessions.size(), 2u);
  EXPECT_EQ(first.sessions[0].session_id, "a");
  EXPECT_EQ(first.next, "b");
  EXPECT_THAT(first.sessions[0].streams, IsEmpty());
  const SessionModel::Page second = model_->ListSessions(first.next, 2, false, now_);
  ASSERT_EQ(second.sessions.size(), 1u);
  EXPECT_EQ(second.sessions[0].streams.size(), 1u);
  EXPECT_THAT(second.next, IsEmpty());
}

TEST_F(SessionWrites, WrongFieldsAreNamed) {
  const auto message = [&](auto change) {
    SessionSpec spec = TestSpec();
    change(spec);
    const absl::Status status = Create(spec).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  using Spec = SessionSpec&;
  EXPECT_THAT(message([](Spec spec) { spec.session_id = "a b"; }), HasSubstr("session_id"));
  EXPECT_THAT(message([](Spec spec) { spec.streams.clear(); }), HasSubstr("streams has 0"));
  EXPECT_THAT(message([](Spec spec) { spec.label.resize(257); }), HasSubstr("label has 257"));
  EXPECT_THAT(message([](Spec spec) { spec.streams.push_back(spec.streams[0]); }), HasSubstr("streams[1].stream_id"));
  EXPECT_THAT(message([](Spec spec) { spec.streams[0].legs[1].network = "moon"; }),
              HasSubstr("there is no 'moon', allowed are access, core"));
  EXPECT_THAT(message([](Spec spec) { spec.streams[0].legs[0].source_mode = rtp::SourceMode::kPrefix; }),
              HasSubstr("prefixes has 0"));
  EXPECT_THAT(message([](Spec spec) { spec.streams[0].legs[0].payload_types[1].number = 0; }),
              HasSubstr("payload_types[1].number 0 stands twice"));
  EXPECT_THAT(message([](Spec spec) { spec.streams[0].legs[0].payload_types[0].clock_rate = 0; }),
              HasSubstr("clock_rate is 0"));
  EXPECT_THAT(message([](Spec spec) { spec.streams[0].legs[0].remote_rtcp = At("198.18.1.2:1"); }),
              HasSubstr("remote_rtcp is for RTCP_MODE_EXPLICIT"));
  EXPECT_EQ(table_->flows(), 0u);
}

class FullRelay : public SessionTest {
 protected:
  FullRelay() {
    flow_options_.max_flows = 8;
    options_.networks[0].first_port = 20000;
    options_.networks[0].last_port = 20003;
  }
};

TEST_F(FullRelay, SaysWhatIsUsedUp) {
  ASSERT_TRUE(Create(TestSpec("call-1")).ok());
  ASSERT_TRUE(Create(TestSpec("call-2")).ok());
  const absl::Status ports = Create(TestSpec("call-3")).status();
  EXPECT_TRUE(absl::IsResourceExhausted(ports));
  EXPECT_THAT(std::string(ports.message()), HasSubstr("network access: no free pair of media ports in 20000 to 20003"));
  SessionSpec spec = TestSpec("call-3");
  for (LegSpec& leg : spec.streams[0].legs) leg.network = "core";
  const absl::Status flows = Create(spec).status();
  EXPECT_TRUE(absl::IsResourceExhausted(flows));
  EXPECT_THAT(std::string(flows.message()), HasSubstr("datapath.max_flows"));
  EXPECT_EQ(model_->networks().usage(1, now_.time).used, 4u);
}

}  // namespace
}  // namespace sluice::session
