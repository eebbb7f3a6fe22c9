// Sessions are written to a real gRPC server, and what it says comes back.
#include <string>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "signaling/fleet/fleet_test_bed.h"

namespace sluice::fleet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FleetWrites : public FleetTest {};

TEST_F(FleetWrites, CreatesUpdatesReadsAndDeletesASession) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();

  const auto created = Create(TestSession("call-1"));
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->relay, "relay-1");
  EXPECT_THAT(PortsOf(created->state), ElementsAre(20000, 20002));

  const auto updated = Update(TestSession("call-1", 2));
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_THAT(PortsOf(*updated), ElementsAre(20000, 20002, 20004, 20006));
  EXPECT_EQ(relay.SessionOf("call-1").streams_size(), 2);

  const auto live = Get("call-1");
  ASSERT_TRUE(live.ok()) << live.status();
  EXPECT_EQ(live->streams_size(), 2);
  EXPECT_EQ(Info("relay-1").sessions, 1u);

  const auto deleted = Delete("call-1");
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->streams_size(), 2) << "the final statistics";
  EXPECT_THAT(relay.SessionIds(), IsEmpty());
  EXPECT_EQ(Info("relay-1").sessions, 0u);
}

TEST_F(FleetWrites, SignsEveryWriteWithWriterAndEpoch) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  EXPECT_EQ(relay.last_writer().shard(), "controller-1");
  EXPECT_EQ(relay.last_writer().epoch(), 7u);
}

TEST_F(FleetWrites, SendsManyWritesInFewBatches) {
  constexpr int kCalls = 500;
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  // While no batch is answered, eight are on their way at most, however small, and the other writes gather.
  relay.HoldAnswers(true);
  absl::BlockingCounter answered(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    fleet_->CreateSession(TestSession("call-" + std::to_string(i)), [&](const absl::StatusOr<PlacedSession>& placed) {
      EXPECT_TRUE(placed.ok()) << placed.status();
      answered.DecrementCount();
    });
  }
  // The fleet works in order: once it answers this, it has taken all the others.
  EXPECT_TRUE(absl::IsNotFound(Get("unknown").status()));
  relay.HoldAnswers(false);
  answered.Wait();
  EXPECT_EQ(relay.SessionIds().size(), static_cast<size_t>(kCalls));
  EXPECT_LE(relay.batches(), 8u + 2u) << "the rest goes in batches of 256";
}

TEST_F(FleetWrites, GivesTheRelaysRefusalToTheCallerAndKeepsTheSessionAsItWas) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  relay.RefuseNext(absl::InvalidArgumentError("streams[1].legs[0].remote.port: 0 to 65535"));
  const auto updated = Update(TestSession("call-1", 2));
  EXPECT_EQ(updated.status(), absl::InvalidArgumentError("streams[1].legs[0].remote.port: 0 to 65535"));
  EXPECT_EQ(Get("call-1")->streams_size(), 1);
  EXPECT_EQ(Info("relay-1").failed_writes, 1u);
}

TEST_F(FleetWrites, SaysPreciselyWhatIsWrongWithAnId) {
  AddRelay("relay-1");
  StartFleet();
  EXPECT_TRUE(absl::IsNotFound(Update(TestSession("call-1")).status()));
  EXPECT_TRUE(absl::IsNotFound(Get("call-1").status()));
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Create(TestSession("call-1")).status()));
}

TEST_F(FleetWrites, DeletingAnUnknownSessionIsOk) {
  AddRelay("relay-1");
  StartFleet();
  const auto deleted = Delete("call-1");
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->streams_size(), 0);
}

TEST_F(FleetWrites, ADeleteThatOvertakesItsCreateLeavesNothing) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  absl::StatusOr<PlacedSession> placed = absl::UnknownError("");
  absl::Notification answered;
  fleet_->CreateSession(TestSession("call-1"), [&](absl::StatusOr<PlacedSession> given) {
    placed = std::move(given);
    answered.Notify();
  });
  ASSERT_TRUE(Delete("call-1").ok());
  answered.WaitForNotification();
  EXPECT_TRUE(placed.ok() || absl::IsCancelled(placed.status())) << placed.status();
  EXPECT_THAT(relay.SessionIds(), IsEmpty());
}

TEST_F(FleetWrites, AnswersWithinTheDeadlineWhenTheRelayDoesNot) {
  FakeRelay& relay = AddRelay("relay-1");
  options_.deadline = absl::Milliseconds(300);
  StartFleet();
  relay.HoldAnswers(true);
  const auto placed = Create(TestSession("call-1"));
  EXPECT_TRUE(absl::IsDeadlineExceeded(placed.status())) << placed.status();
  EXPECT_THAT(std::string(placed.status().message()), HasSubstr("relay-1"));
  relay.HoldAnswers(false);
  EXPECT_TRUE(relay.WaitForSessions({})) << "it is taken back";
}

TEST_F(FleetWrites, AnswersEverythingBeforeItEnds) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  relay.HoldAnswers(true);
  std::vector<absl::Status> answers;
  fleet_->CreateSession(TestSession("call-2"), [&](const auto& placed) { answers.push_back(placed.status()); });
  fleet_->UpdateSession(TestSession("call-1", 2), [&](const auto& state) { answers.push_back(state.status()); });
  ASSERT_TRUE(relay.WaitForWrites(2));
  fleet_.reset();
  ASSERT_EQ(answers.size(), 2u);
  for (const absl::Status& answer : answers) EXPECT_TRUE(absl::IsCancelled(answer)) << answer;
}

TEST_F(FleetWrites, TellsTheListenerOfItsOwnSessionsOnly) {
  FakeRelay& relay = AddRelay("relay-1");
  StartFleet();
  ASSERT_TRUE(Create(TestSession("call-1")).ok());
  relay::v1::Event event;
  event.set_session_id("somebody-else's");
  event.set_kind(relay::v1::EVENT_KIND_SILENCE);
  relay.Emit(event);
  event.set_session_id("call-1");
  relay.Emit(event);
  EXPECT_THAT(listener_.Await(1), ElementsAre("relay-1 call-1 EVENT_KIND_SILENCE"));
}

}  // namespace
}  // namespace sluice::fleet
