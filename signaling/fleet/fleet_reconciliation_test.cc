// Whatever happens to relays and connections, each relay ends up with the sessions that are wanted there.
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "signaling/fleet/fleet_test_bed.h"

namespace sluice::fleet {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class FleetReconciliation : public FleetTest {};

TEST_F(FleetReconciliation, GivesARestartedRelayItsSessionsOnTheSamePorts) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  std::set<std::string> ids;
  for (int i = 0; i < 7; ++i) {
    ids.insert("call-" + std::to_string(i));
    ASSERT_TRUE(Create(TestSession("call-" + std::to_string(i), 2)).ok());
  }
  // The lowest ports are free now: who does not ask by name would get those.
  ASSERT_TRUE(Delete("call-0").ok());
  ids.erase("call-0");
  const std::vector<uint32_t> before = PortsOf(relay.StateOf("call-3"));

  relay.Kill();
  AwaitHealth("relay-1", RelayHealth::kDown);
  relay.Start();
  AwaitHealth("relay-1", RelayHealth::kHealthy);
  EXPECT_THAT(relay.SessionIds(), ::testing::UnorderedElementsAreArray(ids));
  EXPECT_EQ(PortsOf(relay.StateOf("call-3")), before);
  EXPECT_EQ(Info("relay-1").restored_sessions, 6u);
  EXPECT_EQ(Info("relay-1").sessions, 6u);
}

TEST_F(FleetReconciliation, WritesWhatWasUpdatedAndDeletedWhileTheRelayWasDown) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  ASSERT_TRUE(Create(TestSession("updated")).ok());
  ASSERT_TRUE(Create(TestSession("deleted")).ok());
  relay.Kill();
  AwaitHealth("relay-1", RelayHealth::kDown);
  EXPECT_TRUE(absl::IsUnavailable(Update(TestSession("updated", 2)).status()));
  EXPECT_TRUE(absl::IsUnavailable(Delete("deleted").status()));
  relay.Start();
  AwaitHealth("relay-1", RelayHealth::kHealthy);
  EXPECT_THAT(relay.SessionIds(), ElementsAre("updated"));
  EXPECT_EQ(relay.SessionOf("updated").streams_size(), 2);
}

TEST_F(FleetReconciliation, RepeatsWritesWhoseAnswersWereCutOff) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  ASSERT_TRUE(Create(TestSession("call-2")).ok());
  relay.HoldAnswers(true);
  absl::StatusOr<relay::v1::SessionState> updated = absl::UnknownError("");
  absl::Notification answered;
  fleet_->UpdateSession(TestSession("call-1", 2), [&](absl::StatusOr<relay::v1::SessionState> given) {
    updated = std::move(given);
    answered.Notify();
  });
  ASSERT_TRUE(relay.WaitForWrites(3));
  relay.CutConnections();
  relay.HoldAnswers(false);
  answered.WaitForNotification();
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_THAT(PortsOf(*updated), ElementsAre(20000, 20002, 20008, 20010));
  EXPECT_TRUE(relay.WaitForSessions({"call-1", "call-2"}));
}

TEST_F(FleetReconciliation, TellsTheCallWhenItsPortsAreTakenAfterARestart) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  ASSERT_TRUE(Create(TestSession("call-2")).ok());
  relay.Kill();
  relay.OccupyPort(20000);
  relay.Start();
  EXPECT_THAT(listener_.Await(1), ElementsAre("relay-1 call-1 lost"));
  EXPECT_TRUE(relay.WaitForSessions({"call-2"}));
  EXPECT_TRUE(absl::IsNotFound(Update(TestSession("call-1")).status()));
}

TEST_F(FleetReconciliation, DoesNotReviveWhatAnOperatorEndedMeanwhile) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  ASSERT_TRUE(Create(TestSession("call-2")).ok());
  relay.EndSession("call-1");
  relay.CutConnections();
  EXPECT_THAT(listener_.Await(1), ElementsAre("relay-1 call-1 lost"));
  AwaitHealth("relay-1", RelayHealth::kHealthy);
  EXPECT_THAT(relay.SessionIds(), ElementsAre("call-2"));
}

TEST_F(FleetReconciliation, EndsItsOwnForgottenSessionsAfterTheGracePeriodAndNobodyElses) {
  FakeRelay& relay = AddRelay("relay-1");
  relay.PlantSession("of-my-earlier-life", "controller-1");
  relay.PlantSession("of-another-controller", "controller-2");
  relay.PlantSession("of-nobody-known", "");
  options_.orphan_grace = absl::Milliseconds(50);
  StartFleet();
  EXPECT_TRUE(relay.WaitForSessions({"of-another-controller", "of-nobody-known"}));
}

TEST_F(FleetReconciliation, LeavesForgottenSessionsAloneDuringTheGracePeriod) {
  FakeRelay& relay = AddRelay("relay-1");
  relay.PlantSession("of-my-earlier-life", "controller-1");
  StartFleet();
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  EXPECT_THAT(relay.SessionIds(), UnorderedElementsAre("call-1", "of-my-earlier-life"));
}

TEST_F(FleetReconciliation, HearsEventsThatHappenedWhileItWasCutOff) {
  FakeRelay& relay = AddRelay("relay-1");
  options_.silence_limit = absl::Milliseconds(600);
  StartFleet();
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  relay::v1::Event event;
  event.set_session_id("call-1");
  event.set_kind(relay::v1::EVENT_KIND_FIRST_PACKET);
  relay.Emit(event);
  ASSERT_EQ(listener_.Await(1).size(), 1u);
  relay.SetSilent(true);
  AwaitInfo("relay-1", [](const RelayInfo& info) { return info.health != RelayHealth::kHealthy; });
  event.set_kind(relay::v1::EVENT_KIND_ONE_WAY);
  relay.Emit(event);
  relay.SetSilent(false);
  EXPECT_THAT(listener_.Await(2),
              ElementsAre("relay-1 call-1 EVENT_KIND_FIRST_PACKET", "relay-1 call-1 EVENT_KIND_ONE_WAY"));
}

}  // namespace
}  // namespace sluice::fleet
