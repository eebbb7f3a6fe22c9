// What an earlier run of the controller has made, and this one adopts, goes on as if nothing had happened.
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "signaling/fleet/fleet_test_bed.h"

namespace sluice::fleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FleetAdoption : public FleetTest {
 protected:
  // Runs a fleet that makes sessions on relay-1 and goes away.
  void RunBefore(const std::vector<std::string>& ids) {
    StartFleet();
    for (const std::string& id : ids) {
      absl::StatusOr<PlacedSession> placed = Create(TestSession(id));
      ASSERT_TRUE(placed.ok()) << placed.status();
      made_[id] = *placed;
    }
    fleet_.reset();
    ++options_.epoch;
  }

  // The next run, before its start.
  void MakeFleet() {
    fleet_ = std::make_unique<GrpcFleet>(options_);
    fleet_->SetListener(&listener_);
  }
  void Adopt(const std::string& id) {
    const PlacedSession& made = made_.at(id);
    EXPECT_EQ(fleet_->AdoptSession(made.relay, TestSession(id), made.state), absl::OkStatus());
  }
  void StartAndAwaitHealth() {
    fleet_->Start();
    AwaitHealth("relay-1", RelayHealth::kHealthy);
  }

  std::map<std::string, PlacedSession> made_;
};

TEST_F(FleetAdoption, GoesOnWithASessionThatTheRelayHasAndDoesNotTouchIt) {
  FakeRelay& relay = AddRelay("relay-1");
  RunBefore({"call-1"});
  options_.orphan_grace = absl::ZeroDuration();
  const uint64_t writes = relay.writes();
  MakeFleet();
  Adopt("call-1");
  StartAndAwaitHealth();
  EXPECT_EQ(relay.writes(), writes);
  EXPECT_EQ(Info("relay-1").sessions, 1u);
  const auto updated = Update(TestSession("call-1", 2));
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_THAT(PortsOf(*updated), ElementsAre(20000, 20002, 20004, 20006));
  EXPECT_EQ(relay.last_writer().epoch(), options_.epoch);
  EXPECT_TRUE(Delete("call-1").ok());
  EXPECT_THAT(relay.SessionIds(), IsEmpty());
}

TEST_F(FleetAdoption, GivesASessionBackOnItsPortsThatTheRelayLost) {
  FakeRelay& relay = AddRelay("relay-1");
  RunBefore({"call-1", "call-2"});
  relay.Kill();
  relay.Start();
  MakeFleet();
  // The lower ports are free: who does not ask by name would get those.
  Adopt("call-2");
  StartAndAwaitHealth();
  EXPECT_THAT(relay.SessionIds(), ElementsAre("call-2"));
  EXPECT_THAT(PortsOf(relay.StateOf("call-2")), ElementsAre(20004, 20006));
  EXPECT_EQ(Info("relay-1").restored_sessions, 1u);
}

TEST_F(FleetAdoption, TellsTheCallWhenTheRelayCannotHaveItAgain) {
  FakeRelay& relay = AddRelay("relay-1");
  RunBefore({"ended", "no-port", "call-3"});
  relay.EndSession("ended");
  relay.Kill();
  relay.OccupyPort(20006);
  relay.Start();
  relay.EndSession("ended");
  MakeFleet();
  for (const char* id : {"ended", "no-port", "call-3"}) Adopt(id);
  StartAndAwaitHealth();
  EXPECT_THAT(listener_.Await(2), UnorderedElementsAre("relay-1 ended lost", "relay-1 no-port lost"));
  EXPECT_TRUE(relay.WaitForSessions({"call-3"}));
}

TEST_F(FleetAdoption, SaysAtOnceThatThereIsNoSuchRelay) {
  AddRelay("relay-1");
  MakeFleet();
  const absl::Status status = fleet_->AdoptSession("relay-9", TestSession("call-1"), {});
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("relay-9"));
}

TEST_F(FleetAdoption, WaitsForARelayThatIsNotReachedAtTheStart) {
  FakeRelay& relay = AddRelay("relay-1");
  RunBefore({"changed", "over", "as-it-was"});
  relay.SetSilent(true);
  options_.connect_timeout = absl::Milliseconds(50);
  MakeFleet();
  for (const char* id : {"changed", "over", "as-it-was"}) Adopt(id);
  fleet_->Start();
  AwaitHealth("relay-1", RelayHealth::kDown);
  EXPECT_TRUE(absl::IsUnavailable(Update(TestSession("changed", 2)).status()));
  EXPECT_TRUE(absl::IsUnavailable(Delete("over").status()));
  EXPECT_EQ(Info("relay-1").sessions, 2u);
  relay.SetSilent(false);
  EXPECT_TRUE(relay.WaitForSessions({"changed", "as-it-was"}));
  AwaitHealth("relay-1", RelayHealth::kHealthy);
  EXPECT_EQ(relay.SessionOf("changed").streams_size(), 2);
}

TEST_F(FleetAdoption, EndsWhatNobodyAdoptsAfterTheGracePeriod) {
  FakeRelay& relay = AddRelay("relay-1");
  RunBefore({"adopted", "forgotten"});
  options_.orphan_grace = absl::Milliseconds(50);
  MakeFleet();
  Adopt("adopted");
  fleet_->Start();
  EXPECT_TRUE(relay.WaitForSessions({"adopted"}));
}

TEST_F(FleetAdoption, TakesASessionAlsoWhenTheRelayWasComparedAlready) {
  FakeRelay& relay = AddRelay("relay-1");
  RunBefore({"there", "lost"});
  relay.Kill();
  relay.Start();
  relay.PlantSession("there", "controller-1");
  MakeFleet();
  StartAndAwaitHealth();
  for (const char* id : {"there", "lost"}) Adopt(id);
  EXPECT_TRUE(relay.WaitForSessions({"there", "lost"}));
  EXPECT_TRUE(Update(TestSession("there")).ok());
  EXPECT_TRUE(Update(TestSession("lost")).ok());
}

TEST_F(FleetAdoption, HearsWhatHappenedWhileNobodyListened) {
  FakeRelay& relay = AddRelay("relay-1");
  RunBefore({"adopted", "forgotten"});
  for (const char* id : {"adopted", "forgotten"}) {
    relay::v1::Event event;
    event.set_session_id(id);
    event.set_kind(relay::v1::EVENT_KIND_SILENCE);
    relay.Emit(event);
  }
  MakeFleet();
  Adopt("adopted");
  fleet_->Start();
  EXPECT_THAT(listener_.Await(1), ElementsAre("relay-1 adopted EVENT_KIND_SILENCE"));
  // Once: who comes back later goes on where it was.
  relay.CutConnections();
  relay::v1::Event event;
  event.set_session_id("adopted");
  event.set_kind(relay::v1::EVENT_KIND_ONE_WAY);
  relay.Emit(event);
  EXPECT_THAT(listener_.Await(2),
              ElementsAre("relay-1 adopted EVENT_KIND_SILENCE", "relay-1 adopted EVENT_KIND_ONE_WAY"));
}

// What another controller has made, and this one adopts while it is connected.
class FleetTakeover : public FleetAdoption {
 protected:
  void RunOther(const std::vector<std::string>& ids) {
    options_.writer = "controller-2";
    RunBefore(ids);
    options_.writer = "controller-1";
  }
};

TEST_F(FleetTakeover, WritesASessionOfAnotherInItsOwnNameOnce) {
  FakeRelay& relay = AddRelay("relay-1");
  RunOther({"call-1"});
  MakeFleet();
  StartAndAwaitHealth();
  Adopt("call-1");
  ASSERT_TRUE(Update(TestSession("call-1")).ok());
  EXPECT_EQ(relay.StateOf("call-1").shard(), "controller-1");
  EXPECT_THAT(PortsOf(relay.StateOf("call-1")), ElementsAre(20000, 20002));
}

TEST_F(FleetTakeover, WritesItInItsOwnNameAlsoWhenTheRelayIsReachedLater) {
  FakeRelay& relay = AddRelay("relay-1");
  RunOther({"call-1"});
  MakeFleet();
  Adopt("call-1");
  StartAndAwaitHealth();
  EXPECT_EQ(relay.StateOf("call-1").shard(), "controller-1");
  // Somebody has taken it from us: it is not ours to take back.
  relay.PlantSession("call-1", "controller-3");
  const uint64_t writes = relay.writes();
  relay.CutConnections();
  AwaitInfo("relay-1", [&](const RelayInfo& info) { return info.health != RelayHealth::kHealthy; });
  AwaitHealth("relay-1", RelayHealth::kHealthy);
  EXPECT_EQ(relay.writes(), writes);
}

TEST_F(FleetTakeover, FencesAWriterAtEachRelayNowAndWheneverItIsReached) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  fleet_->Fence("controller-2", 42);
  ASSERT_TRUE(relay.WaitForWrites(1));
  EXPECT_EQ(relay.last_writer().shard(), "controller-2");
  EXPECT_EQ(relay.last_writer().epoch(), 42u);
  // Its own writes go on in their own name.
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  EXPECT_EQ(relay.last_writer().shard(), "controller-1");
  relay.Kill();
  relay.Start();
  ASSERT_TRUE(relay.WaitForSessions({"call-1"}));
  EXPECT_EQ(relay.writes(), 4u);
  // Whatever it writes fences the runs before it.
  fleet_->Fence("controller-1", 99);
  ASSERT_TRUE(Delete("call-1").ok());
  EXPECT_EQ(relay.writes(), 5u);
}

TEST_F(FleetTakeover, HearsThatASessionHadFallenSilentBefore) {
  FakeRelay& relay = AddRelay("relay-1");
  RunOther({"silent", "talking"});
  MakeFleet();
  StartAndAwaitHealth();
  relay::v1::Event event;
  event.set_session_id("silent");
  event.set_kind(relay::v1::EVENT_KIND_SILENCE);
  relay.Emit(event);
  ASSERT_TRUE(Create(TestSession("ours")).ok());
  event.set_session_id("ours");
  event.set_kind(relay::v1::EVENT_KIND_ONE_WAY);
  relay.Emit(event);
  EXPECT_THAT(listener_.Await(1), ElementsAre("relay-1 ours EVENT_KIND_ONE_WAY"));
  Adopt("talking");
  Adopt("silent");
  EXPECT_THAT(listener_.Await(2), ElementsAre("relay-1 ours EVENT_KIND_ONE_WAY", "relay-1 silent EVENT_KIND_SILENCE"));
}

TEST_F(FleetTakeover, HearsOfSilenceFromBeforeTheRelayWasReached) {
  FakeRelay& relay = AddRelay("relay-1");
  RunOther({"silent", "talking"});
  relay::v1::Event event;
  event.set_session_id("silent");
  event.set_kind(relay::v1::EVENT_KIND_SILENCE);
  relay.Emit(event);
  options_.adopts_late = true;
  MakeFleet();
  StartAndAwaitHealth();
  // Behind all that is past.
  ASSERT_TRUE(Create(TestSession("ours")).ok());
  event.set_session_id("ours");
  relay.Emit(event);
  EXPECT_THAT(listener_.Await(1), ElementsAre("relay-1 ours EVENT_KIND_SILENCE"));
  Adopt("talking");
  Adopt("silent");
  EXPECT_THAT(listener_.Await(2), ElementsAre("relay-1 ours EVENT_KIND_SILENCE", "relay-1 silent EVENT_KIND_SILENCE"));
}

}  // namespace
}  // namespace sluice::fleet
