#include "signaling/agent/trace_ring.h"

#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

TEST(TraceRing, GivesBackWhatItWasGiven) {
  TraceRing ring(100);
  const uint64_t first = ring.Append("INVITE");
  const uint64_t second = ring.Append("ACK");
  EXPECT_EQ(ring.Read(first, 6), "INVITE");
  EXPECT_EQ(ring.Read(second, 3), "ACK");
}

TEST(TraceRing, KeepsAMessageThatGoesRoundTheEnd) {
  TraceRing ring(10);
  ring.Append("12345678");
  const uint64_t position = ring.Append("abcd");
  EXPECT_EQ(ring.Read(position, 4), "abcd");
}

TEST(TraceRing, ForgetsTheOldestWhenItsRoomIsNeeded) {
  TraceRing ring(10);
  const uint64_t first = ring.Append("12345");
  const uint64_t second = ring.Append("67890");
  EXPECT_EQ(ring.Read(first, 5), "12345");
  ring.Append("x");
  EXPECT_EQ(ring.Read(first, 5), "");
  EXPECT_EQ(ring.Read(second, 5), "67890");
}

TEST(TraceRing, DoesNotKeepWhatIsLongerThanItself) {
  TraceRing ring(4);
  const uint64_t kept = ring.Append("1234");
  EXPECT_EQ(ring.Append("12345"), TraceRing::kNowhere);
  EXPECT_EQ(ring.Read(TraceRing::kNowhere, 5), "");
  EXPECT_EQ(ring.Read(kept, 4), "1234");
}

}  // namespace
}  // namespace sluice::agent
