#include "signaling/agent/failure_backoff.h"

#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

class FailureBackoffTest : public testing::Test {
 protected:
  void Fail(int times, absl::Time now = kStart) {
    for (int i = 0; i < times; ++i) backoff_.Fail("198.18.1.2", now);
  }
  // How long, in whole seconds.
  absl::Duration WaitAfter(absl::Time last) const {
    absl::Duration wait;
    while (backoff_.MustWait("198.18.1.2", last + wait)) wait += absl::Seconds(1);
    return wait;
  }

  FailureBackoff backoff_{3, absl::Seconds(10), 100};
};

TEST_F(FailureBackoffTest, LetsSomeFailuresPass) {
  Fail(2);
  EXPECT_EQ(WaitAfter(kStart), absl::ZeroDuration());
}

TEST_F(FailureBackoffTest, DoublesTheWaitUpToTheLongest) {
  Fail(3);
  EXPECT_EQ(WaitAfter(kStart), absl::Seconds(1));
  Fail(1);
  EXPECT_EQ(WaitAfter(kStart), absl::Seconds(2));
  Fail(1);
  EXPECT_EQ(WaitAfter(kStart), absl::Seconds(4));
  Fail(100);
  EXPECT_EQ(WaitAfter(kStart), absl::Seconds(10));
}

TEST_F(FailureBackoffTest, HoldsNobodyElse) {
  Fail(10);
  EXPECT_FALSE(backoff_.MustWait("198.18.1.3", kStart));
}

TEST_F(FailureBackoffTest, ForgetsAfterSilence) {
  Fail(10);
  const absl::Time later = kStart + absl::Minutes(6);
  Fail(1, later);
  EXPECT_FALSE(backoff_.MustWait("198.18.1.2", later));
}

}  // namespace
}  // namespace sluice::agent
