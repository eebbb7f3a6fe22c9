#include "signaling/fleet/backoff.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace sluice::fleet {
namespace {

TEST(Backoff, GrowsByAHalfUpToOneSecond) {
  Backoff backoff;
  EXPECT_EQ(backoff.Next(0.5), absl::Milliseconds(100));
  EXPECT_EQ(backoff.Next(0.5), absl::Milliseconds(150));
  EXPECT_EQ(backoff.Next(0.5), absl::Milliseconds(225));
  for (int i = 0; i < 20; ++i) backoff.Next(0.5);
  EXPECT_EQ(backoff.Next(0.5), absl::Seconds(1));
}

TEST(Backoff, SpreadsByATenthAndNeverPastTheLongest) {
  Backoff low;
  EXPECT_EQ(low.Next(0.0), absl::Milliseconds(90));
  Backoff high;
  EXPECT_LT(high.Next(0.999), absl::Milliseconds(110));
  for (int i = 0; i < 20; ++i) EXPECT_LE(high.Next(0.999), absl::Seconds(1));
}

TEST(Backoff, BeginsAnewAfterASuccess) {
  Backoff backoff;
  EXPECT_TRUE(backoff.fresh());
  for (int i = 0; i < 5; ++i) backoff.Next(0.5);
  EXPECT_FALSE(backoff.fresh());
  backoff.Reset();
  EXPECT_TRUE(backoff.fresh());
  EXPECT_EQ(backoff.Next(0.5), absl::Milliseconds(100));
}

}  // namespace
}  // namespace sluice::fleet
