#include "signaling/agent/call_limiter.h"

#include <vector>

#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

using Verdict = CallLimiter::Verdict;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

TEST(CallLimiter, CountsWithoutLimits) {
  CallLimiter limiter;
  std::vector<CallLimiter::Place> places(1000);
  for (CallLimiter::Place& place : places) EXPECT_EQ(limiter.Take("a", {}, kStart, place), Verdict::kTaken);
  EXPECT_EQ(limiter.UsageOf("a").calls, 1000u);
  places.clear();
  EXPECT_EQ(limiter.UsageOf("a").calls, 0u);
  EXPECT_EQ(limiter.UsageOf("a").refused, 0u);
}

TEST(CallLimiter, LetsSoManyCallsBeAtOnceAndTheNextOneWhenOneHasEnded) {
  CallLimiter limiter;
  CallLimiter::Place first, second, third;
  const routing::CallLimits limits = {.calls = 2};
  EXPECT_EQ(limiter.Take("a", limits, kStart, first), Verdict::kTaken);
  EXPECT_EQ(limiter.Take("a", limits, kStart, second), Verdict::kTaken);
  EXPECT_EQ(limiter.Take("a", limits, kStart, third), Verdict::kTooMany);
  EXPECT_EQ(limiter.Take("b", limits, kStart, third), Verdict::kTaken);
  first = CallLimiter::Place();
  EXPECT_EQ(limiter.Take("a", limits, kStart, third), Verdict::kTaken);
  EXPECT_EQ(limiter.UsageOf("a").calls, 2u);
  EXPECT_EQ(limiter.UsageOf("a").refused, 1u);
  EXPECT_EQ(limiter.UsageOf("b").calls, 0u);
}

TEST(CallLimiter, LetsASecondsWorthComeAtOnceAndThenOneEachInterval) {
  CallLimiter limiter;
  const routing::CallLimits limits = {.calls_per_second = 4};
  const auto take = [&](absl::Duration after) {
    CallLimiter::Place place;
    return limiter.Take("a", limits, kStart + after, place);
  };
  for (int i = 0; i < 4; ++i) EXPECT_EQ(take(absl::ZeroDuration()), Verdict::kTaken);
  EXPECT_EQ(take(absl::Milliseconds(249)), Verdict::kTooFast);
  EXPECT_EQ(take(absl::Milliseconds(250)), Verdict::kTaken);
  EXPECT_EQ(take(absl::Milliseconds(250)), Verdict::kTooFast);
  // However long the pause, it saves up for one second.
  for (int i = 0; i < 4; ++i) EXPECT_EQ(take(absl::Hours(1)), Verdict::kTaken);
  EXPECT_EQ(take(absl::Hours(1)), Verdict::kTooFast);
}

TEST(CallLimiter, GivesPlacesAgainWhateverTheLimit) {
  CallLimiter limiter;
  CallLimiter::Place first;
  limiter.Take("a", {}, kStart, first);
  EXPECT_EQ(first.key(), "a");
  const CallLimiter::Place again = limiter.TakeAgain("a");
  EXPECT_EQ(limiter.UsageOf("a").calls, 2u);
  const CallLimiter::Place none = limiter.TakeAgain("");
  EXPECT_EQ(limiter.UsageOf("").calls, 0u);
  CallLimiter::Place third;
  EXPECT_EQ(limiter.Take("a", {.calls = 2}, kStart, third), Verdict::kTooMany);
}

TEST(CallLimiter, KeepsAPlaceThatMoves) {
  CallLimiter limiter;
  CallLimiter::Place place;
  limiter.Take("a", {}, kStart, place);
  CallLimiter::Place moved = std::move(place);
  EXPECT_EQ(limiter.UsageOf("a").calls, 1u);
  place = CallLimiter::Place();
  EXPECT_EQ(limiter.UsageOf("a").calls, 1u);
  moved = CallLimiter::Place();
  EXPECT_EQ(limiter.UsageOf("a").calls, 0u);
}

}  // namespace
}  // namespace sluice::agent
