#include "signaling/agent/unclaimed_ladders.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

constexpr absl::Time kStart = absl::UnixEpoch();

class UnclaimedLaddersTest : public testing::Test {
 protected:
  void See(absl::string_view sip_call_id, absl::Time now) {
    ladders_.Of(sip_call_id, now).Add(ring_, now, LadderPeer::kCaller, true, {}, "INVITE sip:b@sluice SIP/2.0\r\n\r\n");
  }

  TraceRing ring_{4096};
  UnclaimedLadders ladders_{2, absl::Seconds(32)};
};

TEST_F(UnclaimedLaddersTest, GivesACallWhatWasSeenBeforeItOnce) {
  See("a", kStart);
  See("a", kStart + absl::Seconds(1));
  EXPECT_EQ(ladders_.Claim("a", kStart + absl::Seconds(2)).Entries(ring_, false).size(), 2u);
  EXPECT_TRUE(ladders_.Claim("a", kStart + absl::Seconds(2)).empty());
  EXPECT_EQ(ladders_.size(), 0u);
}

TEST_F(UnclaimedLaddersTest, DropsTheOldestWhenThereAreTooMany) {
  See("a", kStart);
  See("b", kStart);
  See("c", kStart);
  EXPECT_EQ(ladders_.size(), 2u);
  EXPECT_TRUE(ladders_.Claim("a", kStart).empty());
  EXPECT_FALSE(ladders_.Claim("b", kStart).empty());
  EXPECT_FALSE(ladders_.Claim("c", kStart).empty());
}

TEST_F(UnclaimedLaddersTest, DoesNotTakeAnOldAttemptForThisCall) {
  See("a", kStart);
  EXPECT_TRUE(ladders_.Claim("a", kStart + absl::Seconds(33)).empty());
}

TEST_F(UnclaimedLaddersTest, ForgetsWhatNobodyClaims) {
  See("a", kStart);
  See("b", kStart + absl::Minutes(1));
  EXPECT_EQ(ladders_.size(), 1u);
}

}  // namespace
}  // namespace sluice::agent
