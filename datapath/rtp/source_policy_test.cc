#include "datapath/rtp/source_policy.h"

#include <gtest/gtest.h>

namespace sluice::rtp {
namespace {

using packet::DropReason;

constexpr uint64_t kSecond = 1'000'000'000;  // Ticks.

packet::Endpoint At(const char* text) { return *packet::Endpoint::Parse(text); }

// A leg of which 198.18.1.2:21000 was signalled.
class SourcePolicyTest : public testing::Test {
 protected:
  SourcePolicyTest() { rule_.signalled = At("198.18.1.2:21000"); }

  SourceDecision Consider(const char* from, uint16_t sequence, uint64_t ticks = kSecond, uint32_t ssrc = 1,
                          SourcePacketKind kind = SourcePacketKind::kRtp) {
    const packet::Endpoint source = At(from);
    return SourcePolicy::Consider(rule_, {source.address, source.port, kind, sequence, ssrc, ticks}, kSecond, identity_,
                                  probation_);
  }
  DropReason Verdict(const char* from, uint16_t sequence, uint64_t ticks = kSecond, uint32_t ssrc = 1,
                     SourcePacketKind kind = SourcePacketKind::kRtp) {
    return Consider(from, sequence, ticks, ssrc, kind).verdict;
  }
  // How many packets, 20 ms apart and in sequence, it takes until one is forwarded; 0: more than 20.
  int PacketsToLock(const char* from) {
    for (int i = 1; i <= 20; ++i) {
      const uint64_t ticks = kSecond + static_cast<uint64_t>(i) * kSecond / 50;
      if (Verdict(from, static_cast<uint16_t>(100 + i), ticks) == DropReason::kNone) return i;
    }
    return 0;
  }

  SourceRule rule_;
  PrefixSet prefixes_;
  StreamIdentity identity_;
  Probation probation_;
};

TEST_F(SourcePolicyTest, TakesTheSignalledSourceAtOnceUnderEveryMode) {
  prefixes_.prefixes[prefixes_.count++] = *packet::IpPrefix::Parse("198.18.1.0/24");
  rule_.prefixes = &prefixes_;
  for (const SourceMode mode : {SourceMode::kExact, SourceMode::kSameAddress, SourceMode::kPrefix, SourceMode::kAny}) {
    rule_.mode = mode;
    identity_.Reset();
    const SourceDecision decision = Consider("198.18.1.2:21000", 1);
    EXPECT_EQ(decision.verdict, DropReason::kNone);
    EXPECT_EQ(decision.event, SourceEvent::kLocked);
    EXPECT_EQ(identity_.source(), At("198.18.1.2:21000"));
  }
}

TEST_F(SourcePolicyTest, TakesNobodyBeforeFivePacketsInSequence) {
  rule_.mode = SourceMode::kSameAddress;
  EXPECT_EQ(PacketsToLock("198.18.1.2:40000"), 5);
  EXPECT_EQ(identity_.source(), At("198.18.1.2:40000"));
}

TEST_F(SourcePolicyTest, AllowsWhomTheModeSays) {
  struct Case {
    SourceMode mode;
    const char* from;
    bool allowed;
  };
  prefixes_.prefixes[prefixes_.count++] = *packet::IpPrefix::Parse("198.18.5.0/24");
  rule_.prefixes = &prefixes_;
  for (const Case& c : {
           Case{SourceMode::kExact, "198.18.1.2:21002", false},
           Case{SourceMode::kExact, "198.18.1.3:21000", false},
           Case{SourceMode::kSameAddress, "198.18.1.2:21002", true},
           Case{SourceMode::kSameAddress, "198.18.1.3:21000", false},
           Case{SourceMode::kPrefix, "198.18.5.77:1", true},
           Case{SourceMode::kPrefix, "198.18.6.77:1", false},
           Case{SourceMode::kPrefix, "198.18.1.2:21000", false},  // Signalled, but a private address as a rule.
           Case{SourceMode::kAny, "198.18.6.77:1", true},
           Case{SourceMode::kAny, "127.0.0.1:1", false},
           Case{SourceMode::kAny, "224.0.0.1:1", false},
       }) {
    rule_.mode = c.mode;
    identity_.Reset();
    SourcePolicy::Reset(probation_);
    EXPECT_EQ(PacketsToLock(c.from) != 0, c.allowed) << c.from;
  }
}

TEST_F(SourcePolicyTest, TakesLoopbackWhereTheFlowSaysSo) {
  rule_.signalled = At("127.0.0.1:9000");
  EXPECT_EQ(Verdict("127.0.0.1:9000", 1), DropReason::kSourceMismatch);
  rule_.allow_loopback = true;
  EXPECT_EQ(Verdict("127.0.0.1:9000", 1), DropReason::kNone);
}

TEST_F(SourcePolicyTest, KeepsTheFirstCandidateForThreeSecondsAndThenTakesAnother) {
  rule_.mode = SourceMode::kAny;
  EXPECT_EQ(Verdict("198.18.7.1:1", 1, kSecond), DropReason::kSourceProbation);
  for (uint16_t i = 0; i < 10; ++i) {
    EXPECT_EQ(Verdict("198.18.7.2:1", i, 2 * kSecond), DropReason::kSourceProbation);
  }
  for (uint16_t i = 0; i < 4; ++i) {
    EXPECT_EQ(Verdict("198.18.7.2:1", i, 5 * kSecond), DropReason::kSourceProbation);
  }
  EXPECT_EQ(Verdict("198.18.7.2:1", 4, 5 * kSecond), DropReason::kNone);
}

TEST_F(SourcePolicyTest, LetsTheExactSourceOvertakeACandidate) {
  rule_.mode = SourceMode::kAny;
  for (uint16_t i = 0; i < 4; ++i) Verdict("198.18.7.1:1", i);
  EXPECT_EQ(Verdict("198.18.1.2:21000", 1), DropReason::kNone);
  EXPECT_EQ(Verdict("198.18.7.1:1", 4), DropReason::kSourceMismatch);
}

TEST_F(SourcePolicyTest, BeginsAnewWithAnotherSsrcOrAJumpOfTheSequence) {
  rule_.mode = SourceMode::kAny;
  for (uint16_t i = 0; i < 4; ++i) Verdict("198.18.7.1:1", i);
  EXPECT_EQ(Verdict("198.18.7.1:1", 4, kSecond, 2), DropReason::kSourceProbation);
  for (uint16_t i = 5; i < 8; ++i) EXPECT_EQ(Verdict("198.18.7.1:1", i, kSecond, 2), DropReason::kSourceProbation);
  EXPECT_EQ(Verdict("198.18.7.1:1", 8 + SourcePolicy::kMaxRise, kSecond, 2), DropReason::kSourceProbation);
  EXPECT_EQ(Verdict("198.18.7.1:1", 9 + SourcePolicy::kMaxRise, kSecond, 2), DropReason::kSourceProbation);
}

TEST_F(SourcePolicyTest, CountsNeitherRepeatedNorLatePackets) {
  rule_.mode = SourceMode::kAny;
  for (const uint16_t sequence : {10, 10, 9, 11, 11, 12, 8, 13}) {
    EXPECT_EQ(Verdict("198.18.7.1:1", sequence), DropReason::kSourceProbation) << sequence;
  }
  EXPECT_EQ(Verdict("198.18.7.1:1", 14), DropReason::kNone);
}

TEST_F(SourcePolicyTest, ProvesASequenceThatWraps) {
  rule_.mode = SourceMode::kAny;
  for (const uint16_t sequence : {65534, 65535, 0, 1}) Verdict("198.18.7.1:1", sequence);
  EXPECT_EQ(Verdict("198.18.7.1:1", 2), DropReason::kNone);
}

TEST_F(SourcePolicyTest, RefusesOthersAfterTheLockAndTellsItOnceAGeneration) {
  rule_.mode = SourceMode::kAny;
  ASSERT_EQ(Verdict("198.18.1.2:21000", 1), DropReason::kNone);
  const SourceDecision first = Consider("198.18.7.1:1", 1);
  EXPECT_EQ(first.verdict, DropReason::kSourceMismatch);
  EXPECT_EQ(first.event, SourceEvent::kRefused);
  EXPECT_EQ(Consider("198.18.7.2:1", 1).event, SourceEvent::kNone);
  EXPECT_EQ(PacketsToLock("198.18.7.1:1"), 0);

  rule_.generation = 1;
  ASSERT_EQ(Verdict("198.18.1.2:21000", 2), DropReason::kNone);
  EXPECT_EQ(Consider("198.18.7.1:1", 1).event, SourceEvent::kRefused);
}

TEST_F(SourcePolicyTest, OpensTheLockForAnotherGenerationOnly) {
  rule_.mode = SourceMode::kSameAddress;
  ASSERT_EQ(Verdict("198.18.1.2:21000", 1), DropReason::kNone);
  rule_.signalled = At("198.18.1.9:21000");
  EXPECT_EQ(Verdict("198.18.1.9:21000", 1), DropReason::kSourceMismatch);
  EXPECT_EQ(Verdict("198.18.1.2:21000", 2), DropReason::kNone);
  rule_.generation = 7;
  EXPECT_EQ(Verdict("198.18.1.2:21000", 3), DropReason::kSourceMismatch);
  EXPECT_EQ(Verdict("198.18.1.9:21000", 1), DropReason::kNone);
}

TEST_F(SourcePolicyTest, TakesNobodyByRtcpAloneOnAMultiplexedPort) {
  rule_.mode = SourceMode::kAny;
  for (uint16_t i = 0; i < 20; ++i) {
    EXPECT_EQ(Verdict("198.18.7.1:1", i, kSecond, 1, SourcePacketKind::kRtcp), DropReason::kSourceProbation);
  }
  EXPECT_EQ(Verdict("198.18.1.2:21000", 0, kSecond, 1, SourcePacketKind::kRtcp), DropReason::kNone);
}

TEST_F(SourcePolicyTest, LetsAnRtcpPortFollowTheAddressOfRtp) {
  rule_.rtcp_only = true;
  rule_.mode = SourceMode::kAny;
  const auto rtcp = [this](const char* from) { return Verdict(from, 0, kSecond, 0, SourcePacketKind::kRtcp); };
  EXPECT_EQ(rtcp("198.18.7.1:5000"), DropReason::kSourceProbation);
  rule_.rtp_source = At("198.18.7.1:1").address;
  EXPECT_EQ(rtcp("198.18.7.2:5000"), DropReason::kSourceProbation);
  EXPECT_EQ(rtcp("198.18.7.1:5000"), DropReason::kNone);
}

TEST_F(SourcePolicyTest, HoldsAnRtcpPortToTheSignalledSourceUnderExact) {
  rule_.rtcp_only = true;
  rule_.rtp_source = At("198.18.1.2:21000").address;
  EXPECT_EQ(Verdict("198.18.1.2:5000", 0, kSecond, 0, SourcePacketKind::kRtcp), DropReason::kSourceMismatch);
  EXPECT_EQ(Verdict("198.18.1.2:21000", 0, kSecond, 0, SourcePacketKind::kRtcp), DropReason::kNone);
}

TEST_F(SourcePolicyTest, TakesASourceOfDatagramsAfterFive) {
  rule_.mode = SourceMode::kAny;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(Verdict("198.18.7.1:1", 0, kSecond, 0, SourcePacketKind::kDatagram), DropReason::kSourceProbation);
  }
  EXPECT_EQ(Verdict("198.18.7.1:1", 0, kSecond, 0, SourcePacketKind::kDatagram), DropReason::kNone);
}

TEST_F(SourcePolicyTest, TreatsAStateThatAnotherWorkerChangesAsProbation) {
  rule_.mode = SourceMode::kAny;
  probation_.busy.store(1);
  EXPECT_EQ(PacketsToLock("198.18.7.1:1"), 0);
  probation_.busy.store(0);
  EXPECT_EQ(PacketsToLock("198.18.7.1:1"), 5);
}

}  // namespace
}  // namespace sluice::rtp
