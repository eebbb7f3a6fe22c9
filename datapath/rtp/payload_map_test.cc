#include "datapath/rtp/payload_map.h"

#include <gtest/gtest.h>

namespace sluice::rtp {
namespace {

constexpr uint64_t kTicksPerSecond = 2'600'000'000;

TEST(PayloadMap, AllowsNothingUntilItIsTold) {
  PayloadMap map;
  for (int type = 0; type < 128; ++type) EXPECT_FALSE(map.IsNegotiated(static_cast<uint8_t>(type)));
}

TEST(PayloadMap, KnowsRoleAndClockOfEachType) {
  PayloadMap map;
  ASSERT_TRUE(map.Add(0, 8000, PayloadRole::kMedia, kTicksPerSecond));
  ASSERT_TRUE(map.Add(13, 8000, PayloadRole::kComfortNoise, kTicksPerSecond));
  ASSERT_TRUE(map.Add(101, 48000, PayloadRole::kTelephoneEvent, kTicksPerSecond));
  EXPECT_TRUE(map.IsNegotiated(101));
  EXPECT_FALSE(map.IsNegotiated(100));
  EXPECT_EQ(map.ClockRate(0), 8000u);
  EXPECT_EQ(map.ClockRate(101), 48000u);
  EXPECT_TRUE(map.CountsForJitter(0));
  EXPECT_FALSE(map.CountsForJitter(13));
  EXPECT_FALSE(map.CountsForJitter(101));
  EXPECT_TRUE(map.IsTelephoneEvent(101));
  EXPECT_FALSE(map.IsTelephoneEvent(13));
}

TEST(PayloadMap, TurnsTicksIntoUnitsOfTheTypesClock) {
  PayloadMap map;
  ASSERT_TRUE(map.Add(0, 8000, PayloadRole::kMedia, kTicksPerSecond));
  ASSERT_TRUE(map.Add(96, 90000, PayloadRole::kMedia, kTicksPerSecond));
  EXPECT_NEAR(map.ToClock(0, kTicksPerSecond), 8000, 1);
  EXPECT_NEAR(map.ToClock(96, kTicksPerSecond / 50), 1800, 1);
  // A day later the difference of 20 ms is still right to a unit.
  const uint64_t day = kTicksPerSecond * 86400;
  EXPECT_NEAR(map.ToClock(96, day + kTicksPerSecond / 50) - map.ToClock(96, day), 1800, 1);
}

TEST(PayloadMap, RefusesANinthClockAndWhatIsOutOfRange) {
  PayloadMap map;
  for (uint8_t i = 0; i < PayloadMap::kMaxClocks; ++i) {
    ASSERT_TRUE(map.Add(static_cast<uint8_t>(96 + i), 8000u + i, PayloadRole::kMedia, kTicksPerSecond));
  }
  EXPECT_FALSE(map.Add(110, 90000, PayloadRole::kMedia, kTicksPerSecond));
  EXPECT_FALSE(map.IsNegotiated(110));
  EXPECT_TRUE(map.Add(110, 8003, PayloadRole::kMedia, kTicksPerSecond));
  EXPECT_FALSE(map.Add(128, 8000, PayloadRole::kMedia, kTicksPerSecond));
  EXPECT_FALSE(map.Add(0, 0, PayloadRole::kMedia, kTicksPerSecond));
  EXPECT_FALSE(map.Add(0, (1u << 24) + 1, PayloadRole::kMedia, kTicksPerSecond));
}

TEST(PayloadMap, AllowsEverythingAsAny) {
  const PayloadMap map = PayloadMap::Any(kTicksPerSecond);
  EXPECT_TRUE(map.IsNegotiated(0));
  EXPECT_TRUE(map.IsNegotiated(127));
  EXPECT_EQ(map.ClockRate(127), 8000u);
}

}  // namespace
}  // namespace sluice::rtp
