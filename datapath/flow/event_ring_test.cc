#include "datapath/flow/event_ring.h"

#include <gtest/gtest.h>

#include <thread>

namespace sluice::flow {
namespace {

TEST(EventRing, GivesEventsInTheirOrder) {
  EventRing ring(4);
  for (uint32_t i = 1; i <= 3; ++i) EXPECT_TRUE(ring.Push({.state = i}));
  FlowEvent event;
  for (uint32_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(ring.Pop(event));
    EXPECT_EQ(event.state, i);
  }
  EXPECT_FALSE(ring.Pop(event));
}

TEST(EventRing, LosesTheNewEventWhenItIsFullAndCountsIt) {
  EventRing ring(3);
  ASSERT_EQ(ring.capacity(), 4u);
  for (uint32_t i = 1; i <= 4; ++i) EXPECT_TRUE(ring.Push({.state = i}));
  EXPECT_FALSE(ring.Push({.state = 5}));
  EXPECT_EQ(ring.lost(), 1u);
  FlowEvent event;
  ASSERT_TRUE(ring.Pop(event));
  EXPECT_EQ(event.state, 1u);
  EXPECT_TRUE(ring.Push({.state = 6}));
  EXPECT_EQ(ring.lost(), 1u);
}

TEST(EventRing, CarriesWholeEventsBetweenTwoThreads) {
  constexpr uint32_t kEvents = 200'000;
  EventRing ring(64);
  std::thread worker([&ring] {
    for (uint32_t i = 1; i <= kEvents; ++i) {
      while (!ring.Push({.duration = static_cast<uint16_t>(i), .state = i, .ticks = i, .ssrc = i})) {
        std::this_thread::yield();
      }
    }
  });
  uint32_t expected = 1;
  FlowEvent event;
  while (expected <= kEvents) {
    if (!ring.Pop(event)) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(event.state, expected);
    ASSERT_EQ(event.ticks, expected);
    ASSERT_EQ(event.ssrc, expected);
    ASSERT_EQ(event.duration, static_cast<uint16_t>(expected));
    ++expected;
  }
  worker.join();
}

}  // namespace
}  // namespace sluice::flow
