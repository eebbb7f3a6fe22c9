#include "signaling/agent/failure_limiter.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class FailureLimiterTest : public testing::Test {
 protected:
  FailureLimiter limiter_{3, absl::Minutes(1), 4};
};

TEST_F(FailureLimiterTest, RefusesTheThirdWrongAnswerAndThoseAfterIt) {
  EXPECT_FALSE(limiter_.Fail("198.18.1.2", "alice", kNow));
  EXPECT_FALSE(limiter_.Fail("198.18.1.2", "alice", kNow));
  EXPECT_TRUE(limiter_.Fail("198.18.1.2", "alice", kNow));
  EXPECT_TRUE(limiter_.Fail("198.18.1.2", "alice", kNow));
}

TEST_F(FailureLimiterTest, CountsAddressesAndAccountsApart) {
  limiter_.Fail("198.18.1.2", "alice", kNow);
  limiter_.Fail("198.18.1.2", "alice", kNow);
  EXPECT_FALSE(limiter_.Fail("198.18.1.3", "alice", kNow));
  EXPECT_FALSE(limiter_.Fail("198.18.1.2", "bob", kNow));
}

TEST_F(FailureLimiterTest, BeginsAnewAfterARightAnswer) {
  limiter_.Fail("198.18.1.2", "alice", kNow);
  limiter_.Fail("198.18.1.2", "alice", kNow);
  limiter_.Succeed("198.18.1.2", "alice");
  EXPECT_FALSE(limiter_.Fail("198.18.1.2", "alice", kNow));
  EXPECT_EQ(limiter_.size(), 1u);
}

TEST_F(FailureLimiterTest, BeginsAnewAfterSilence) {
  limiter_.Fail("198.18.1.2", "alice", kNow);
  limiter_.Fail("198.18.1.2", "alice", kNow);
  EXPECT_FALSE(limiter_.Fail("198.18.1.2", "alice", kNow + absl::Minutes(1) + absl::Seconds(1)));
}

TEST_F(FailureLimiterTest, ForgetsWhoFailedLongestAgoWhenItIsFull) {
  limiter_.Fail("198.18.1.2", "first", kNow);
  limiter_.Fail("198.18.1.2", "first", kNow);
  for (int i = 0; i < 4; ++i) limiter_.Fail("198.18.1.2", absl::StrCat("other-", i), kNow);
  EXPECT_EQ(limiter_.size(), 4u);
  EXPECT_FALSE(limiter_.Fail("198.18.1.2", "first", kNow));
}

}  // namespace
}  // namespace sluice::agent
