#include "signaling/transport/source_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sluice::transport {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

sip::Endpoint At(absl::string_view text) { return *sip::Endpoint::Parse(text); }

class SourceLimiterTest : public testing::Test {
 protected:
  // How many of `count` requests at once are taken.
  int Admitted(const sip::Endpoint& source, int count) {
    int admitted = 0;
    for (int i = 0; i < count; ++i) admitted += limiter_.Admit(source, now_);
    return admitted;
  }

  SourceLimiter::Time now_ = SourceLimiter::Time(seconds(1'000'000));
  std::vector<std::string> reports_;
  SourceLimiter limiter_{
      {.requests_per_second = 100, .report = [this](absl::string_view line) { reports_.emplace_back(line); }}};
  const sip::Endpoint stranger_ = At("198.18.1.9:5060");
};

TEST_F(SourceLimiterTest, TakesASecondsWorthAtOnceAndThenAsManyASecond) {
  EXPECT_EQ(Admitted(stranger_, 1000), 100);
  now_ += milliseconds(500);
  EXPECT_EQ(Admitted(stranger_, 1000), 50);
  now_ += seconds(3);
  EXPECT_EQ(Admitted(stranger_, 1000), 100);
}

TEST_F(SourceLimiterTest, NeverStopsWhoKeepsToTheLimit) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(limiter_.Admit(stranger_, now_));
    now_ += milliseconds(10);
  }
}

TEST_F(SourceLimiterTest, CountsAnAddressWithAllOfItsPorts) {
  EXPECT_EQ(Admitted(stranger_, 100), 100);
  EXPECT_EQ(Admitted(At("198.18.1.9:45426"), 1), 0);
  EXPECT_EQ(Admitted(At("198.18.1.10:5060"), 100), 100);
}

TEST_F(SourceLimiterTest, CountsAnIpv6SiteAsOne) {
  EXPECT_EQ(Admitted(At("[2001:db8::1]:5060"), 100), 100);
  EXPECT_EQ(Admitted(At("[2001:db8::ffff:1]:5060"), 1), 0);
  EXPECT_EQ(Admitted(At("[2001:db8:0:1::1]:5060"), 100), 100);
}

TEST_F(SourceLimiterTest, DoesNotLimitWhoIsKnownForAnHour) {
  limiter_.Trust(At("198.18.1.9:45426"), now_);
  EXPECT_EQ(Admitted(stranger_, 1000), 1000);
  now_ += seconds(3599);
  EXPECT_EQ(Admitted(stranger_, 1000), 1000);
  now_ += seconds(1);
  EXPECT_EQ(Admitted(stranger_, 1000), 100);
  // In the middle of a flood, too.
  limiter_.Trust(stranger_, now_);
  EXPECT_EQ(Admitted(stranger_, 1000), 1000);
}

TEST_F(SourceLimiterTest, SaysWhoItIsOnceInTenSeconds) {
  EXPECT_EQ(Admitted(stranger_, 100), 100);
  EXPECT_THAT(reports_, testing::IsEmpty());
  Admitted(stranger_, 1000);
  Admitted(At("198.18.1.10:5060"), 1000);
  EXPECT_THAT(
      reports_,
      testing::ElementsAre("sip: 198.18.1.9 sends more than 100 requests a second and has not shown who it is; what is "
                           "too much is dropped (abuse.requests_per_second)"));
  now_ += seconds(10);
  Admitted(At("198.18.1.10:5060"), 1000);
  EXPECT_EQ(reports_.size(), 2u);
}

TEST_F(SourceLimiterTest, LimitsNobodyWithoutALimit) {
  SourceLimiter unlimited({});
  unlimited.Trust(stranger_, now_);
  for (int i = 0; i < 100000; ++i) ASSERT_TRUE(unlimited.Admit(stranger_, now_));
}

// Most strangers have a place of their own, however many there are within reason.
TEST_F(SourceLimiterTest, KeepsStrangersApart) {
  int refused = 0;
  for (int i = 0; i < 1000; ++i) {
    const sip::Endpoint source = At(absl::StrCat("198.18.", i / 250, ".", i % 250, ":5060"));
    refused += 100 - Admitted(source, 100);
  }
  // Two of a thousand that meet in 65536 places: 8 pairs are to be expected.
  EXPECT_LT(refused, 100 * 40);
}

TEST_F(SourceLimiterTest, ServesManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> admitted = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10000; ++j) admitted += limiter_.Admit(stranger_, now_);
      limiter_.Trust(At("198.18.1.10:5060"), now_);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(admitted, 100);
  EXPECT_LE(admitted, 400);
  EXPECT_EQ(reports_.size(), 1u);
  EXPECT_EQ(Admitted(At("198.18.1.10:5060"), 1000), 1000);
}

}  // namespace
}  // namespace sluice::transport
