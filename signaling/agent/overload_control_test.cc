#include "signaling/agent/overload_control.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

class OverloadControlTest : public testing::Test {
 protected:
  void Say(absl::string_view parameters, absl::Time now = kStart) {
    const auto via = sip::Via::Parse(absl::StrCat("SIP/2.0/UDP 198.18.1.1:5060;branch=z9hG4bK1", parameters));
    ASSERT_TRUE(via.has_value()) << parameters;
    control_.OnResponse(server_, *via, now);
  }
  // Of 100 calls.
  int LeftAway(absl::Time now = kStart) const {
    int count = 0;
    for (uint64_t random = 0; random < 100; ++random) count += control_.LeavesAway(server_, random, now) ? 1 : 0;
    return count;
  }

  OverloadControl control_;
  dns::Destination server_ = {sip::Protocol::kUdp, *sip::Endpoint::Parse("198.18.3.1:5060")};
};

TEST_F(OverloadControlTest, LeavesAwayThePartThatTheServerWants) {
  EXPECT_EQ(LeftAway(), 0);
  Say(";oc=20;oc-algo=\"loss\";oc-validity=1000;oc-seq=1282321615.782");
  EXPECT_EQ(LeftAway(), 20);
  EXPECT_FALSE(control_.LeavesAway({sip::Protocol::kUdp, *sip::Endpoint::Parse("198.18.3.2:5060")}, 0, kStart));
  Say(";oc=100;oc-algo=\"loss\";oc-seq=1282321616.1");
  EXPECT_EQ(LeftAway(), 100);
}

TEST_F(OverloadControlTest, ForgetsItWhenItsTimeHasRunOut) {
  Say(";oc=50;oc-validity=1000");
  EXPECT_EQ(LeftAway(kStart + absl::Milliseconds(999)), 50);
  EXPECT_EQ(LeftAway(kStart + absl::Milliseconds(1000)), 0);
  Say(";oc=50");
  EXPECT_EQ(LeftAway(kStart + absl::Milliseconds(499)), 50);
  EXPECT_EQ(LeftAway(kStart + absl::Milliseconds(500)), 0);
}

TEST_F(OverloadControlTest, EndsAtOnceWhenTheServerSaysSo) {
  Say(";oc=50;oc-validity=60000;oc-seq=1");
  Say(";oc=0;oc-validity=0;oc-seq=2");
  EXPECT_EQ(LeftAway(), 0);
}

TEST_F(OverloadControlTest, DoesNotGoBackToWhatWasSaidBefore) {
  Say(";oc=50;oc-validity=1000;oc-seq=2");
  Say(";oc=10;oc-validity=1000;oc-seq=1");
  EXPECT_EQ(LeftAway(), 50);
  Say(";oc=10;oc-validity=1000;oc-seq=1", kStart + absl::Seconds(2));
  EXPECT_EQ(LeftAway(kStart + absl::Seconds(2)), 10);
}

TEST_F(OverloadControlTest, TakesNothingThatItCannotRead) {
  for (const absl::string_view parameters :
       {"", ";oc", ";oc=101", ";oc=-1", ";oc=x", ";oc=50;oc-algo=\"rate\"", ";oc=50;oc-validity=x", ";oc=50;oc-seq=x",
        ";oc=50;oc-seq=nan", ";oc=50;oc-seq=inf", ";oc=50;oc-validity=99999999999"}) {
    Say(parameters);
    EXPECT_EQ(LeftAway(), 0) << parameters;
  }
}

}  // namespace
}  // namespace sluice::agent
