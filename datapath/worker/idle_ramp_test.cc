#include "datapath/worker/idle_ramp.h"

#include <gtest/gtest.h>

namespace sluice::worker {
namespace {

constexpr unsigned kMany = IdleRamp::kManyPackets;
constexpr uint64_t kSecond = 1'000'000'000;  // Ticks.

// Asks until the ramp sleeps at all, at `ticks`.
void UseUpSpins(IdleRamp& ramp, uint64_t ticks) {
  for (unsigned i = 0; i < IdleRamp::kPollsBeforeSleep; ++i) ASSERT_EQ(ramp.OnEmpty(ticks), 0u);
}

TEST(IdleRamp, DoublesFromAMicrosecondToTheLimit) {
  IdleRamp ramp(50'000, kSecond);
  ramp.OnPackets(0, kMany);
  UseUpSpins(ramp, 1);
  for (const uint64_t expected : {1000, 2000, 4000, 8000, 16000, 32000, 50000, 50000}) {
    EXPECT_EQ(ramp.OnEmpty(1), expected);
  }
}

TEST(IdleRamp, BeginsAnewAfterManyPackets) {
  IdleRamp ramp(50'000, kSecond);
  ramp.OnPackets(0, kMany);
  UseUpSpins(ramp, 1);
  while (ramp.OnEmpty(1) < 50'000) {
  }
  ramp.OnPackets(2, kMany);
  UseUpSpins(ramp, 3);
  EXPECT_EQ(ramp.OnEmpty(3), 1000u);
}

TEST(IdleRamp, GoesOnFromItsSleepAfterFewPackets) {
  IdleRamp ramp(50'000, kSecond);
  ramp.OnPackets(0, kMany);
  UseUpSpins(ramp, 1);
  while (ramp.OnEmpty(1) < 8'000) {
  }
  ramp.OnPackets(2, kMany - 1);
  EXPECT_EQ(ramp.OnEmpty(3), 16'000u);
  while (ramp.OnEmpty(3) < 50'000) {
  }
  ramp.OnPackets(4, 1);
  EXPECT_EQ(ramp.OnEmpty(5), 50'000u);
}

TEST(IdleRamp, SleepsNoLongerThanTheLimitAsSoonAsSomebodyTalks) {
  IdleRamp ramp(50'000, kSecond);
  ramp.OnPackets(0, kMany);
  UseUpSpins(ramp, 1);
  while (ramp.OnEmpty(kSecond) < 1'000'000) {
  }
  ramp.OnPackets(kSecond + 1, 1);
  EXPECT_EQ(ramp.OnEmpty(kSecond + 2), 50'000u);
}

TEST(IdleRamp, GoesToTwentyTimesTheLimitAfterASecondOfSilence) {
  IdleRamp ramp(50'000, kSecond);
  ramp.OnPackets(0, kMany);
  UseUpSpins(ramp, 1);
  for (int i = 0; i < 20; ++i) EXPECT_LE(ramp.OnEmpty(kSecond - 1), 50'000u);
  EXPECT_EQ(ramp.OnEmpty(kSecond), 100'000u);
  for (int i = 0; i < 20; ++i) ramp.OnEmpty(kSecond);
  EXPECT_EQ(ramp.OnEmpty(kSecond), 1'000'000u);
}

TEST(IdleRamp, NeverSleepsLongerThanAMillisecond) {
  IdleRamp ramp(900'000, kSecond);
  ramp.OnPackets(0, kMany);
  UseUpSpins(ramp, 1);
  for (int i = 0; i < 20; ++i) ramp.OnEmpty(5 * kSecond);
  EXPECT_EQ(ramp.OnEmpty(5 * kSecond), 1'000'000u);
}

TEST(IdleRamp, NeverSleepsWithALimitOfZero) {
  IdleRamp ramp(0, kSecond);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(ramp.OnEmpty(10 * kSecond), 0u);
}

}  // namespace
}  // namespace sluice::worker
