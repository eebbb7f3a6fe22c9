#include "signaling/agent/server_health.h"

#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);
const sip::Endpoint kAddress = *sip::Endpoint::Parse("198.18.3.1:5060");
const TriedServer kServer = {{sip::Protocol::kUdp, kAddress}};

TEST(ServerHealth, KnowsWhatHasFailedAndNothingElse) {
  ServerHealth health;
  health.Failed(kServer, kStart);
  EXPECT_TRUE(health.IsDown(kServer));
  EXPECT_FALSE(health.IsDown({{sip::Protocol::kTcp, kAddress}}));
  EXPECT_FALSE(health.IsDown({{sip::Protocol::kUdp, *sip::Endpoint::Parse("198.18.3.1:5061")}}));
}

TEST(ServerHealth, TellsTwoNamesAtOneAddressApart) {
  ServerHealth health;
  const TriedServer first = {{sip::Protocol::kTls, kAddress}, 1};
  const TriedServer second = {{sip::Protocol::kTls, kAddress}, 2};
  health.Failed(first, kStart);
  EXPECT_FALSE(health.IsDown(second));
  health.Worked(second, kStart);
  EXPECT_TRUE(health.IsDown(first));
}

TEST(ServerHealth, ForgivesAtTheFirstAnswer) {
  ServerHealth health;
  health.Failed(kServer, kStart);
  health.Worked(kServer, kStart);
  EXPECT_FALSE(health.IsDown(kServer));
  EXPECT_EQ(health.NextDue(), absl::InfiniteFuture());
}

TEST(ServerHealth, WaitsTwiceAsLongAfterEachProbeThatFails) {
  ServerHealth health;
  absl::Time now = kStart;
  health.Failed(kServer, now);
  for (const int seconds : {5, 10, 20, 40, 80, 160, 300, 300}) {
    EXPECT_EQ(health.NextDue(), now + absl::Seconds(seconds));
    EXPECT_TRUE(health.TakeDue(now + absl::Seconds(seconds) - absl::Milliseconds(1)).empty());
    now = health.NextDue();
    EXPECT_EQ(health.TakeDue(now), std::vector{kServer});
    EXPECT_TRUE(health.TakeDue(now).empty());
    health.Failed(kServer, now);
  }
}

TEST(ServerHealth, CountsTheFailuresOfOneOutageOnce) {
  ServerHealth health;
  for (int i = 0; i < 5; ++i) health.Failed(kServer, kStart + absl::Seconds(i));
  EXPECT_EQ(health.NextDue(), kStart + absl::Seconds(5));
}

TEST(ServerHealth, ProbesOnceMoreWhenNobodyTellsHowAProbeWent) {
  ServerHealth health;
  health.Failed(kServer, kStart);
  EXPECT_EQ(health.TakeDue(kStart + absl::Seconds(5)).size(), 1u);
  EXPECT_EQ(health.TakeDue(kStart + absl::Seconds(45)).size(), 1u);
}

TEST(ServerHealth, LeavesAServerAloneForAsLongAsItSaid) {
  ServerHealth health;
  health.Rests(kServer, absl::Seconds(60), kStart);
  // A call that it had taken before.
  health.Worked(kServer, kStart + absl::Seconds(1));
  EXPECT_TRUE(health.IsDown(kServer));
  EXPECT_EQ(health.NextDue(), kStart + absl::Seconds(60));
  health.Worked(kServer, kStart + absl::Seconds(60));
  EXPECT_FALSE(health.IsDown(kServer));
  health.Rests(kServer, absl::Hours(100), kStart);
  EXPECT_EQ(health.NextDue(), kStart + absl::Hours(1));
}

TEST(ServerHealth, ForgetsWhatNobodyUses) {
  ServerHealth health;
  health.Rests(kServer, absl::Seconds(60), kStart);
  health.Forget(kServer);
  EXPECT_FALSE(health.IsDown(kServer));
}

}  // namespace
}  // namespace sluice::agent
