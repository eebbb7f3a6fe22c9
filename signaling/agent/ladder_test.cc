#include "signaling/agent/ladder.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::agent {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class LadderTest : public testing::Test {
 protected:
  void Add(Ladder& ladder, LadderPeer peer, bool received, const std::string& message) {
    ladder.Add(ring_, kNow, peer, received, peer == LadderPeer::kCaller ? caller_ : callee_, message);
  }

  TraceRing ring_{1000};
  const sip::Hop caller_{sip::Protocol::kUdp, {}, *sip::Endpoint::Parse("198.18.1.2:45426")};
  const sip::Hop callee_{sip::Protocol::kTcp, {}, *sip::Endpoint::Parse("198.18.2.9:43518")};
};

TEST_F(LadderTest, ShowsMessagesInOrderWithPeerAndDirection) {
  Ladder ladder;
  Add(ladder, LadderPeer::kCaller, true, "INVITE sip:b SIP/2.0\r\nVia: x\r\n\r\n");
  Add(ladder, LadderPeer::kCallee, false, "INVITE sip:c SIP/2.0\r\n\r\n");
  const auto entries = ladder.Entries(ring_, true);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].first_line, "INVITE sip:b SIP/2.0");
  EXPECT_EQ(entries[0].peer, LadderPeer::kCaller);
  EXPECT_TRUE(entries[0].received);
  EXPECT_EQ(entries[0].peer_endpoint, "198.18.1.2:45426");
  EXPECT_EQ(entries[0].transport, "udp");
  EXPECT_EQ(entries[0].message, "INVITE sip:b SIP/2.0\r\nVia: x\r\n\r\n");
  EXPECT_FALSE(entries[1].received);
  EXPECT_EQ(entries[1].transport, "tcp");
  EXPECT_EQ(ladder.Entries(ring_, false)[0].message, "");
}

TEST_F(LadderTest, MarksWhatWentTheSameWayBefore) {
  Ladder ladder;
  Add(ladder, LadderPeer::kCaller, true, "INVITE sip:b SIP/2.0\r\n\r\n");
  Add(ladder, LadderPeer::kCallee, false, "INVITE sip:b SIP/2.0\r\n\r\n");
  Add(ladder, LadderPeer::kCaller, true, "INVITE sip:b SIP/2.0\r\n\r\n");
  const auto entries = ladder.Entries(ring_, false);
  EXPECT_FALSE(entries[0].retransmission);
  EXPECT_FALSE(entries[1].retransmission);
  EXPECT_TRUE(entries[2].retransmission);
}

TEST_F(LadderTest, PutsWhatWasBeforeTheCallInFront) {
  Ladder before;
  Add(before, LadderPeer::kCaller, true, "INVITE sip:b SIP/2.0\r\nCSeq: 1\r\n\r\n");
  Ladder ladder;
  Add(ladder, LadderPeer::kCallee, false, "INVITE sip:c SIP/2.0\r\n\r\n");
  ladder.Prepend(std::move(before));
  const auto entries = ladder.Entries(ring_, false);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].peer_endpoint, "198.18.1.2:45426");
  EXPECT_EQ(entries[1].peer_endpoint, "198.18.2.9:43518");
}

TEST_F(LadderTest, KeepsTheBeginningAndTheEndOfAVeryLongCall) {
  Ladder ladder;
  for (int i = 0; i < 1000; ++i) Add(ladder, LadderPeer::kCaller, true, absl::StrCat("INFO ", i, "\r\n\r\n"));
  const auto entries = ladder.Entries(ring_, false);
  ASSERT_EQ(entries.size(), Ladder::kMaxMessages);
  EXPECT_EQ(entries.front().first_line, "INFO 0");
  EXPECT_EQ(entries.back().first_line, "INFO 999");
}

TEST_F(LadderTest, ShowsFirstLinesWhenTheMessagesThemselvesAreGone) {
  Ladder ladder;
  Add(ladder, LadderPeer::kCaller, true, "INVITE sip:b SIP/2.0\r\n\r\n");
  ring_.Append(std::string(1000, 'x'));
  const auto entries = ladder.Entries(ring_, true);
  EXPECT_EQ(entries[0].message, "");
  EXPECT_EQ(entries[0].first_line, "INVITE sip:b SIP/2.0");
}

}  // namespace
}  // namespace sluice::agent
