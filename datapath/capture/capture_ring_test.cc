#include "datapath/capture/capture_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace sluice::capture {
namespace {

std::vector<uint8_t> Bytes(const std::string& text) { return {text.begin(), text.end()}; }

TEST(CaptureRing, GivesFramesInTheirOrderWithAllTheirMarks) {
  CaptureRing ring(4);
  ASSERT_TRUE(ring.Push(7, 0, false, 100, Bytes("first")));
  ASSERT_TRUE(ring.Push(8, 1, true, 200, Bytes("second")));
  std::vector<std::string> seen;
  const size_t count = ring.Pop(10, [&seen](const CapturedFrame& frame) {
    seen.push_back(std::to_string(frame.capture_id) + "/" + std::to_string(frame.leg) + (frame.sent ? "s" : "r") +
                   std::to_string(frame.ticks) + std::string(frame.frame().begin(), frame.frame().end()));
  });
  EXPECT_EQ(count, 2u);
  EXPECT_EQ(seen, (std::vector<std::string>{"7/0r100first", "8/1s200second"}));
}

TEST(CaptureRing, DropsAndCountsWhenTheWriterIsBehind) {
  CaptureRing ring(2);
  EXPECT_TRUE(ring.Push(1, 0, false, 0, Bytes("a")));
  EXPECT_TRUE(ring.Push(1, 0, false, 0, Bytes("b")));
  EXPECT_FALSE(ring.Push(1, 0, false, 0, Bytes("c")));
  EXPECT_EQ(ring.dropped(), 1u);
  EXPECT_EQ(ring.Pop(1, [](const CapturedFrame&) {}), 1u);
  EXPECT_TRUE(ring.Push(1, 0, false, 0, Bytes("d")));
}

TEST(CaptureRing, DropsAFrameThatDoesNotFitInsteadOfCuttingIt) {
  CaptureRing ring(2);
  EXPECT_FALSE(ring.Push(1, 0, false, 0, std::vector<uint8_t>(kMaxFrameBytes + 1)));
  EXPECT_TRUE(ring.Push(1, 0, false, 0, std::vector<uint8_t>(kMaxFrameBytes)));
  EXPECT_EQ(ring.dropped(), 1u);
}

TEST(CaptureRing, LosesNothingUncountedBetweenTwoThreads) {
  constexpr uint64_t kFrames = 200000;
  CaptureRing ring(64);
  std::thread worker([&ring] {
    uint8_t frame[8];
    for (uint64_t i = 0; i < kFrames; ++i) {
      std::memcpy(frame, &i, sizeof i);
      ring.Push(1, 0, false, i, frame);
    }
  });
  uint64_t seen = 0;
  uint64_t last = 0;
  const auto check = [&](const CapturedFrame& frame) {
    uint64_t value;
    std::memcpy(&value, frame.bytes, sizeof value);
    ASSERT_EQ(value, frame.ticks);
    if (seen > 0) {
      ASSERT_GT(value, last);
    }
    last = value;
    ++seen;
  };
  while (seen + ring.dropped() < kFrames) ring.Pop(32, check);
  worker.join();
  ring.Pop(64, check);
  EXPECT_EQ(seen + ring.dropped(), kFrames);
}

}  // namespace
}  // namespace sluice::capture
