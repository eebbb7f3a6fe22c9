#include "signaling/dns/failed_destinations.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::dns {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

Destination To(const std::string& address) { return {sip::Protocol::kUdp, *sip::Endpoint::Parse(address)}; }

TEST(FailedDestinations, AvoidsWhatHasFailedAndNothingElse) {
  FailedDestinations failed;
  failed.Failed(To("198.18.1.1:5060"), kStart);
  EXPECT_TRUE(failed.ShouldAvoid(To("198.18.1.1:5060"), kStart + absl::Seconds(29)));
  EXPECT_FALSE(failed.ShouldAvoid(To("198.18.1.1:5061"), kStart));
  EXPECT_FALSE(failed.ShouldAvoid({sip::Protocol::kTcp, *sip::Endpoint::Parse("198.18.1.1:5060")}, kStart));
}

TEST(FailedDestinations, LetsOneProbeAndNoMoreThroughWhenTheTimeIsOver) {
  FailedDestinations failed;
  failed.Failed(To("198.18.1.1:5060"), kStart);
  EXPECT_FALSE(failed.ShouldAvoid(To("198.18.1.1:5060"), kStart + absl::Seconds(30)));
  EXPECT_TRUE(failed.ShouldAvoid(To("198.18.1.1:5060"), kStart + absl::Seconds(31)));
  // Nobody has told how the probe went: another one.
  EXPECT_FALSE(failed.ShouldAvoid(To("198.18.1.1:5060"), kStart + absl::Seconds(71)));
}

TEST(FailedDestinations, ForgivesAtTheFirstSuccess) {
  FailedDestinations failed;
  failed.Failed(To("198.18.1.1:5060"), kStart);
  failed.Worked(To("198.18.1.1:5060"));
  EXPECT_FALSE(failed.ShouldAvoid(To("198.18.1.1:5060"), kStart));
  EXPECT_EQ(failed.size(), 0u);
}

TEST(FailedDestinations, WaitsTwiceAsLongAfterEachProbeThatFails) {
  FailedDestinations failed({.first = absl::Seconds(10), .longest = absl::Seconds(25)});
  absl::Time now = kStart;
  failed.Failed(To("198.18.1.1:5060"), now);
  for (const absl::Duration wait : {absl::Seconds(10), absl::Seconds(20), absl::Seconds(25), absl::Seconds(25)}) {
    EXPECT_TRUE(failed.ShouldAvoid(To("198.18.1.1:5060"), now + wait - absl::Seconds(1)));
    now += wait;
    EXPECT_FALSE(failed.ShouldAvoid(To("198.18.1.1:5060"), now));
    failed.Failed(To("198.18.1.1:5060"), now);
  }
}

TEST(FailedDestinations, CountsTheFailuresOfOneOutageOnce) {
  FailedDestinations failed({.first = absl::Seconds(10)});
  for (int i = 0; i < 5; ++i) failed.Failed(To("198.18.1.1:5060"), kStart);
  EXPECT_FALSE(failed.ShouldAvoid(To("198.18.1.1:5060"), kStart + absl::Seconds(10)));
}

TEST(FailedDestinations, KeepsItsSize) {
  FailedDestinations failed({.max_marked = 2});
  for (int port = 1; port <= 3; ++port) failed.Failed(To(absl::StrCat("198.18.1.1:", port)), kStart);
  EXPECT_EQ(failed.size(), 2u);
  failed.Failed(To("198.18.1.1:4"), kStart + absl::Hours(1));
  EXPECT_EQ(failed.size(), 1u);
}

}  // namespace
}  // namespace sluice::dns
