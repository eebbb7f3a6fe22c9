#include "signaling/sip/timer_wheel.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>

namespace sluice::sip {
namespace {

const absl::Time kBegin = absl::FromUnixMillis(1'700'000'000'123);

TEST(TimerWheel, HasNothingToDoWhenNoTimerIsSet) {
  TimerWheel wheel;
  EXPECT_EQ(wheel.NextDeadline(), absl::InfiniteFuture());
  EXPECT_EQ(wheel.PopDue(kBegin), nullptr);
}

TEST(TimerWheel, FiresAtItsTimeAndNotBefore) {
  TimerWheel wheel;
  for (const absl::Duration after : {absl::Milliseconds(1), absl::Milliseconds(63), absl::Milliseconds(64),
                                     absl::Milliseconds(500), absl::Seconds(32), absl::Hours(24 * 365)}) {
    WheelTimer timer;
    wheel.Set(timer, kBegin + after);
    EXPECT_EQ(wheel.PopDue(kBegin + after - absl::Milliseconds(1)), nullptr) << after;
    EXPECT_LE(wheel.NextDeadline(), kBegin + after);
    EXPECT_EQ(wheel.PopDue(kBegin + after), &timer) << after;
    EXPECT_FALSE(timer.is_set());
    EXPECT_EQ(wheel.PopDue(kBegin + after), nullptr);
  }
}

TEST(TimerWheel, RoundsUpToTheNextTick) {
  TimerWheel wheel;
  WheelTimer timer;
  wheel.Set(timer, kBegin + absl::Microseconds(1));
  EXPECT_EQ(wheel.PopDue(kBegin), nullptr);
  EXPECT_EQ(wheel.PopDue(kBegin + absl::Milliseconds(1)), &timer);
}

TEST(TimerWheel, WhatHasPassedIsDueAtOnce) {
  TimerWheel wheel;
  WheelTimer timer;
  EXPECT_EQ(wheel.PopDue(kBegin), nullptr);
  wheel.Set(timer, kBegin - absl::Hours(1));
  EXPECT_LE(wheel.NextDeadline(), kBegin);
  EXPECT_EQ(wheel.PopDue(kBegin), &timer);
}

TEST(TimerWheel, MovesAndCancels) {
  TimerWheel wheel;
  WheelTimer moved, cancelled, never;
  wheel.Set(moved, kBegin + absl::Seconds(1));
  wheel.Set(cancelled, kBegin + absl::Seconds(1));
  wheel.Set(moved, kBegin + absl::Seconds(2));
  wheel.Set(never, absl::InfiniteFuture());
  wheel.Cancel(cancelled);
  wheel.Cancel(cancelled);
  EXPECT_EQ(wheel.PopDue(kBegin + absl::Milliseconds(1999)), nullptr);
  EXPECT_EQ(wheel.PopDue(kBegin + absl::Seconds(2)), &moved);
  EXPECT_EQ(wheel.NextDeadline(), absl::InfiniteFuture());
}

TEST(TimerWheel, MayBeChangedWhileDueTimersAreTaken) {
  TimerWheel wheel;
  WheelTimer first, second;
  wheel.Set(first, kBegin);
  wheel.Set(second, kBegin);
  EXPECT_EQ(wheel.PopDue(kBegin), &first);
  wheel.Cancel(second);
  wheel.Set(first, kBegin);
  EXPECT_EQ(wheel.PopDue(kBegin), &first);
  EXPECT_EQ(wheel.PopDue(kBegin), nullptr);
}

TEST(TimerWheel, DoesWhatASortedListDoes) {
  TimerWheel wheel;
  std::mt19937_64 random(7);
  std::deque<WheelTimer> timers(500);
  std::map<WheelTimer*, absl::Time> expected;
  absl::Time now = kBegin;
  for (int round = 0; round < 5000; ++round) {
    for (int i = 0; i < 3; ++i) {
      WheelTimer& timer = timers[random() % timers.size()];
      if (random() % 4 == 0) {
        wheel.Cancel(timer);
        expected.erase(&timer);
      } else {
        const absl::Time when =
            now + absl::Milliseconds(static_cast<int64_t>(random() % (uint64_t{1} << (random() % 24))));
        wheel.Set(timer, when);
        expected[&timer] = when;
      }
    }
    now += absl::Milliseconds(static_cast<int64_t>(random() % 200));
    absl::Time last = absl::InfinitePast();
    while (WheelTimer* timer = wheel.PopDue(now)) {
      ASSERT_TRUE(expected.contains(timer));
      EXPECT_LE(expected[timer], now);
      EXPECT_GE(expected[timer], last);
      last = expected[timer];
      expected.erase(timer);
    }
    for (const auto& [timer, when] : expected) {
      ASSERT_GT(when, now);
      ASSERT_LE(wheel.NextDeadline(), when);
    }
  }
}

}  // namespace
}  // namespace sluice::sip
