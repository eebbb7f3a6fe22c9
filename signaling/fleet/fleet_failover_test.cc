// Calls go where a relay can take them.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "signaling/fleet/fleet_test_bed.h"

namespace sluice::fleet {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class FleetFailover : public FleetTest {};

TEST_F(FleetFailover, SpreadsCallsOverHealthyRelays) {
  AddRelay("relay-1");
  AddRelay("relay-2");
  StartFleet();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Create(TestSession("call-" + std::to_string(i))).ok());
  EXPECT_EQ(Info("relay-1").sessions, 5u);
  EXPECT_EQ(Info("relay-2").sessions, 5u);
}

TEST_F(FleetFailover, GoesToTheOtherRelayWhenOneIsKilledAndBackWhenItReturns) {
  FakeRelay& first = AddRelay("relay-1");
  AddRelay("relay-2");
  StartFleet();
  first.Kill();
  for (int i = 0; i < 4; ++i) {
    const auto placed = Create(TestSession("while-dead-" + std::to_string(i)));
    ASSERT_TRUE(placed.ok()) << placed.status();
    EXPECT_EQ(placed->relay, "relay-2");
  }
  AwaitHealth("relay-1", RelayHealth::kDown);
  EXPECT_THAT(Info("relay-1").text, HasSubstr("cannot be reached"));
  first.Start();
  AwaitHealth("relay-1", RelayHealth::kHealthy);
  const auto placed = Create(TestSession("after"));
  ASSERT_TRUE(placed.ok()) << placed.status();
  EXPECT_EQ(placed->relay, "relay-1") << "it has fewer sessions";
  EXPECT_EQ(Info("relay-1").restarts, 1u);
}

TEST_F(FleetFailover, NoticesARelayThatFellSilent) {
  FakeRelay& first = AddRelay("relay-1");
  AddRelay("relay-2");
  options_.silence_limit = absl::Milliseconds(600);
  StartFleet();
  first.SetSilent(true);
  AwaitInfo("relay-1", [](const RelayInfo& info) {
    return info.health == RelayHealth::kConnecting && info.text == "has said nothing for 600ms";
  });
  first.SetSilent(false);
  AwaitHealth("relay-1", RelayHealth::kHealthy);
}

TEST_F(FleetFailover, AsksTheNextRelayWhenOneIsSlowAndTakesTheSessionBackThere) {
  FakeRelay& slow = AddRelay("relay-1");
  FakeRelay& quick = AddRelay("relay-2");
  options_.attempt_timeout = absl::Milliseconds(200);
  StartFleet();
  slow.HoldAnswers(true);
  const auto placed = Create(TestSession("call-1"));
  ASSERT_TRUE(placed.ok()) << placed.status();
  EXPECT_EQ(placed->relay, "relay-2");
  slow.HoldAnswers(false);
  EXPECT_TRUE(slow.WaitForSessions({}));
  EXPECT_TRUE(quick.WaitForSessions({"call-1"}));
}

TEST_F(FleetFailover, AsksTheNextRelayWhenOneIsFull) {
  FakeRelay& full = AddRelay("relay-1");
  AddRelay("relay-2");
  StartFleet();
  full.RefuseNext(absl::ResourceExhaustedError("no port left in network caller"));
  const auto placed = Create(TestSession("call-1"));
  ASSERT_TRUE(placed.ok()) << placed.status();
  EXPECT_EQ(placed->relay, "relay-2");
}

TEST_F(FleetFailover, DoesNotAskTheNextRelayWhatTheFirstCallsInvalid) {
  AddRelay("relay-1").RefuseNext(absl::InvalidArgumentError("session_id: 1 to 128 bytes"));
  FakeRelay& second = AddRelay("relay-2");
  StartFleet();
  EXPECT_EQ(Create(TestSession("call-1")).status(), absl::InvalidArgumentError("session_id: 1 to 128 bytes"));
  EXPECT_EQ(second.writes(), 0u);
}

TEST_F(FleetFailover, GivesADrainingRelayNothingNewAndLeavesItWhatItHas) {
  FakeRelay& first = AddRelay("relay-1");
  AddRelay("relay-2");
  StartFleet();
  ASSERT_EQ(Create(TestSession("call-1"))->relay, "relay-1");
  first.SetDraining(true);
  AwaitHealth("relay-1", RelayHealth::kDraining);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Create(TestSession("new-" + std::to_string(i)))->relay, "relay-2");
  EXPECT_TRUE(Update(TestSession("call-1", 2)).ok());
  first.SetDraining(false);
  AwaitHealth("relay-1", RelayHealth::kHealthy);
  EXPECT_EQ(Create(TestSession("call-2"))->relay, "relay-1");
}

TEST_F(FleetFailover, SaysOfEachRelayWhyItTakesNoCall) {
  FakeRelay& first = AddRelay("relay-1");
  FakeRelay& second = AddRelay("relay-2");
  StartFleet();
  first.SetDraining(true);
  second.Kill();
  AwaitHealth("relay-1", RelayHealth::kDraining);
  AwaitHealth("relay-2", RelayHealth::kDown);
  const absl::Status status = Create(TestSession("call-1")).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no relay takes calls: relay-1 drains, relay-2 is down (cannot be"));
}

TEST_F(FleetFailover, WithoutAnyRelayInTheConfigSaysSo) {
  StartFleet();
  const absl::Status status = Create(TestSession("call-1")).status();
  EXPECT_EQ(status, absl::UnavailableError("no relay takes calls: none is configured"));
}

TEST_F(FleetFailover, ACreateOutlivesAConnectionThatIsCut) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  relay.HoldAnswers(true);
  absl::StatusOr<PlacedSession> placed = absl::UnknownError("");
  absl::Notification answered;
  fleet_->CreateSession(TestSession("call-1"), [&](absl::StatusOr<PlacedSession> given) {
    placed = std::move(given);
    answered.Notify();
  });
  ASSERT_TRUE(relay.WaitForWrites(1));
  relay.CutConnections();
  relay.HoldAnswers(false);
  answered.WaitForNotification();
  ASSERT_TRUE(placed.ok()) << placed.status();
  EXPECT_TRUE(relay.WaitForSessions({"call-1"}));
}

}  // namespace
}  // namespace sluice::fleet
