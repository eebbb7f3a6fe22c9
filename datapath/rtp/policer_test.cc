#include "datapath/rtp/policer.h"

#include <gtest/gtest.h>

namespace sluice::rtp {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

TEST(Policer, LetsTheNegotiatedRatePassForEver) {
  Policer policer;
  const uint32_t cost = Policer::Cost(80'000, kSecond);
  for (uint64_t i = 0; i < 5000; ++i) ASSERT_TRUE(policer.Take(cost, 200, (1000 + i * 20) * 1'000'000, kSecond)) << i;
}

TEST(Policer, HoldsTwiceTheRateToTheRateAfterTheBurst) {
  Policer policer;
  const uint32_t cost = Policer::Cost(80'000, kSecond);
  int passed = 0;
  for (uint64_t i = 0; i < 1000; ++i) passed += policer.Take(cost, 200, kSecond + i * 10'000'000, kSecond);
  // 10 s at 10 kB/s and a burst of 10 kB are 550 packets of 200 bytes.
  EXPECT_NEAR(passed, 550, 2);
}

TEST(Policer, LetsABurstOfOneSecondPass) {
  Policer policer;
  const uint32_t cost = Policer::Cost(80'000, kSecond);
  int passed = 0;
  for (int i = 0; i < 100; ++i) passed += policer.Take(cost, 200, 5 * kSecond, kSecond);
  EXPECT_EQ(passed, 50);
}

TEST(Policer, ForgivesAfterSilence) {
  Policer policer;
  const uint32_t cost = Policer::Cost(80'000, kSecond);
  while (policer.Take(cost, 200, 5 * kSecond, kSecond)) {
  }
  EXPECT_TRUE(policer.Take(cost, 200, 6 * kSecond, kSecond));
}

TEST(Policer, HasNoCostWithoutALimit) {
  EXPECT_EQ(Policer::Cost(0, kSecond), 0u);
  EXPECT_GT(Policer::Cost(1, kSecond), 0u);
  EXPECT_GT(Policer::Cost(~uint64_t{0}, kSecond), 0u);
}

}  // namespace
}  // namespace sluice::rtp
