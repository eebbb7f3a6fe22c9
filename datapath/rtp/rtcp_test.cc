#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "datapath/rtp/rtcp_reader.h"
#include "datapath/rtp/rtcp_round_trip.h"
#include "datapath/rtp/rtp_builder.h"

namespace sluice::rtp {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

std::vector<uint8_t> operator+(std::vector<uint8_t> a, const std::vector<uint8_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<uint8_t> Changed(std::vector<uint8_t> datagram, size_t at, uint8_t value) {
  datagram[at] = value;
  return datagram;
}

std::vector<uint8_t> Cut(std::vector<uint8_t> datagram, size_t size) {
  datagram.resize(size);
  return datagram;
}

TEST(RtcpReader, AcceptsWhatIsRtcpAndNothingElse) {
  const std::vector<uint8_t> report = ReceiverReport(1, {{.ssrc = 2}});
  const std::vector<uint8_t> bye = {0x81, 203, 0, 1, 0, 0, 0, 1};
  const std::vector<uint8_t> padded = {0xa1, 203, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4};
  struct Case {
    std::string description;
    std::vector<uint8_t> datagram;
    bool valid;
  };
  for (const Case& test : std::vector<Case>{
           {"a receiver report is RTCP", report, true},
           {"a sender report is RTCP", SenderReport({}), true},
           {"a compound of report and BYE is RTCP", report + bye, true},
           {"a BYE alone is RTCP (RFC 5506)", bye, true},
           {"padding at the end is allowed", report + padded, true},
           {"padding before the end is not", padded + bye, false},
           {"padding longer than the packet lies", Changed(padded, 11, 12), false},
           {"padding of 0 cannot be", Changed(padded, 11, 0), false},
           {"nothing is not RTCP", {}, false},
           {"four bytes that promise more are not", Cut(report, 4), false},
           {"four bytes of a BYE that names nobody are not", {0x80, 203, 0, 0}, false},
           {"four bytes of an empty report are not", {0x80, 201, 0, 0}, false},
           {"a report with more blocks than it has lies", Changed(report, 0, 0x82), false},
           {"a length beyond the datagram lies", Changed(report, 3, 99), false},
           {"a length that leaves three bytes over lies", report + std::vector<uint8_t>{0x81, 203, 0}, false},
           {"version 1 is not RTCP", Changed(report, 0, 0x41), false},
           {"an RTP packet is not RTCP", RtpDatagram(0, 1, 1, 1), false},
           {"RTP behind RTCP is not RTCP", report + RtpDatagram(0, 1, 1, 1), false},
       }) {
    const std::vector<uint8_t> datagram(test.datagram);
    EXPECT_EQ(IsValidRtcp(datagram.data(), datagram.size()), test.valid) << test.description;
  }
}

TEST(RtcpReader, ReadsSenderReportsAndTheirBlocks) {
  const std::vector<uint8_t> datagram =
      SenderReport({.ssrc = 7, .ntp = 0x1122334455667788, .rtp_timestamp = 9, .packets = 10, .octets = 11},
                   {{.ssrc = 20,
                     .fraction_lost = 64,
                     .lost = -3,
                     .highest = 0x10005,
                     .jitter = 12,
                     .last_sender_report = 0xabcdef01,
                     .delay = 65536}});
  RtcpReader reader(datagram.data(), datagram.size());
  RtcpPacket packet;
  ASSERT_TRUE(reader.Next(packet));
  SenderInfo info;
  ASSERT_TRUE(ReadSenderInfo(packet, info));
  EXPECT_EQ(info.ssrc, 7u);
  EXPECT_EQ(info.compact_ntp(), 0x33445566u);
  EXPECT_EQ(info.octets, 11u);
  ReportBlock block;
  ASSERT_TRUE(ReadReportBlock(packet, 0, block));
  EXPECT_EQ(block.ssrc, 20u);
  EXPECT_EQ(block.fraction_lost, 64);
  EXPECT_EQ(block.lost, -3) << "24 bits with sign";
  EXPECT_EQ(block.last_sender_report, 0xabcdef01u);
  EXPECT_EQ(block.delay, 65536u);
  EXPECT_FALSE(ReadReportBlock(packet, 1, block));
  EXPECT_FALSE(reader.Next(packet));
  EXPECT_TRUE(reader.ok());
}

TEST(RtcpReader, FindsVoipMetricsBehindOtherBlocks) {
  std::vector<uint8_t> datagram = {0x80, 207, 0,  13,  0,  0,   0, 1,                // SSRC
                                   4,    0,   0,  2,   0,  0,   0, 0, 0, 0,   0, 0,  // Receiver reference time.
                                   7,    0,   0,  8,   0,  0,   0, 2,                // VoIP metrics about SSRC 2.
                                   10,   11,  12, 13,  0,  120, 2, 8, 0, 150, 0, 60, 127, 127,
                                   127,  16,  86, 127, 41, 40,  0, 0, 0, 60,  0, 80, 0,   200};
  ASSERT_EQ(datagram.size(), 56u);
  RtcpReader reader(datagram.data(), datagram.size());
  RtcpPacket packet;
  ASSERT_TRUE(reader.Next(packet));
  VoipMetrics metrics;
  ASSERT_TRUE(ReadVoipMetrics(packet, metrics));
  EXPECT_EQ(metrics.ssrc, 2u);
  EXPECT_EQ(metrics.loss_rate, 10);
  EXPECT_EQ(metrics.burst_duration_ms, 120);
  EXPECT_EQ(metrics.round_trip_ms, 150);
  EXPECT_EQ(metrics.r_factor, 86);
  EXPECT_EQ(metrics.mos_listening_times_10, 41);
  datagram[11] = 200;  // The first block says more than there is.
  RtcpReader lying(datagram.data(), datagram.size());
  ASSERT_TRUE(lying.Next(packet));
  EXPECT_FALSE(ReadVoipMetrics(packet, metrics));
}

// A sends a report through the relay to B; B answers 100 ms later having held it for 60 ms: 40 ms between relay and B.
TEST(RtcpRoundTrip, IsTheTimeSinceTheForwardedReportLessWhatThePeerHeldIt) {
  RtcpState from_a, from_b;
  const SenderInfo info = {.ssrc = 1, .ntp = uint64_t{0xaabbccdd} << 16};
  const std::vector<uint8_t> report = SenderReport(info);
  RtcpRoundTrip::OnPacket(report.data(), report.size(), 50 * kSecond, kSecond, from_a, &from_b);
  const std::vector<uint8_t> answer = ReceiverReport(
      2, {{.ssrc = 1, .fraction_lost = 26, .lost = 5, .last_sender_report = 0xaabbccdd, .delay = 60 * 65536 / 1000}});
  RtcpRoundTrip::OnPacket(answer.data(), answer.size(), 50 * kSecond + kSecond / 10, kSecond, from_b, &from_a);
  EXPECT_NEAR(1000.0 * from_b.round_trip.Load() / 65536, 40, 0.1);
  EXPECT_EQ(from_b.remote_fraction.Load(), 26);
  EXPECT_EQ(from_b.remote_lost.Load(), 5u);
  EXPECT_EQ(from_b.has_report.Load(), 1);
  EXPECT_EQ(from_a.packets.Load(), 1u);
  EXPECT_EQ(from_b.packets.Load(), 1u);
  EXPECT_EQ(from_a.round_trip.Load(), 0u);
}

TEST(RtcpRoundTrip, IsNotKnownFromBlocksThatCannotBeRight) {
  struct Case {
    std::string description;
    ReportBlock block;
  };
  for (const Case& test :
       std::vector<Case>{{"no report was received (LSR 0)", {.last_sender_report = 0, .delay = 10}},
                         {"about another report", {.last_sender_report = 0x1234, .delay = 10}},
                         {"held longer than it was away", {.last_sender_report = 0xaabbccdd, .delay = 65536}}}) {
    RtcpState from_a, from_b;
    const std::vector<uint8_t> report = SenderReport({.ssrc = 1, .ntp = uint64_t{0xaabbccdd} << 16});
    RtcpRoundTrip::OnPacket(report.data(), report.size(), 50 * kSecond, kSecond, from_a, nullptr);
    const std::vector<uint8_t> answer = ReceiverReport(2, {test.block});
    RtcpRoundTrip::OnPacket(answer.data(), answer.size(), 50 * kSecond + kSecond / 10, kSecond, from_b, &from_a);
    EXPECT_EQ(from_b.round_trip.Load(), 0u) << test.description;
  }
}

TEST(RtcpRoundTrip, SurvivesTheWrapOfCompactTime) {
  RtcpState from_a, from_b;
  const uint64_t wrap = 65536 * kSecond;
  const std::vector<uint8_t> report = SenderReport({.ssrc = 1, .ntp = uint64_t{0xaabbccdd} << 16});
  RtcpRoundTrip::OnPacket(report.data(), report.size(), wrap - kSecond / 100, kSecond, from_a, nullptr);
  const std::vector<uint8_t> answer = ReceiverReport(2, {{.last_sender_report = 0xaabbccdd, .delay = 0}});
  RtcpRoundTrip::OnPacket(answer.data(), answer.size(), wrap + kSecond / 100, kSecond, from_b, &from_a);
  EXPECT_NEAR(1000.0 * from_b.round_trip.Load() / 65536, 20, 0.1);
}

}  // namespace
}  // namespace sluice::rtp
