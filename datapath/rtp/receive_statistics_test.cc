// RFC 3550 A.1, A.3 and A.8, and the choices that receive_statistics.h names.

#include "datapath/rtp/receive_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace sluice::rtp {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;  // Ticks.
constexpr uint64_t kPacketTime = kSecond / 50;
constexpr uint8_t kPcmu = 0;
constexpr uint8_t kVideo = 96;
constexpr uint8_t kEvent = 101;

class ReceiveStatisticsTest : public testing::Test {
 protected:
  ReceiveStatisticsTest() {
    EXPECT_TRUE(map_.Add(kPcmu, 8000, PayloadRole::kMedia, kSecond));
    EXPECT_TRUE(map_.Add(kVideo, 90000, PayloadRole::kMedia, kSecond));
    EXPECT_TRUE(map_.Add(kEvent, 8000, PayloadRole::kTelephoneEvent, kSecond));
    ReceiveStatistics::Reset(hot_, detail_);
  }

  // One packet of 172 bytes.
  void Arrive(uint16_t sequence, uint32_t timestamp, uint64_t ticks, uint8_t type = kPcmu, uint32_t ssrc = 1) {
    RtpHeader header;
    header.payload_type = type;
    header.sequence = sequence;
    header.timestamp = timestamp;
    header.ssrc = ssrc;
    ReceiveStatistics::OnPacket(identity_, hot_, detail_, map_, header, 172, ticks);
    last_ticks_ = ticks;
  }
  // One at the time that its number says.
  void Arrive(uint16_t sequence) { Arrive(sequence, 160u * sequence, kSecond + sequence * kPacketTime); }
  void ArriveAll(uint16_t from, uint16_t to) {
    for (uint16_t sequence = from; sequence <= to; ++sequence) Arrive(sequence);
  }

  ReceiveSnapshot Read() { return ReceiveStatistics::Read(identity_, hot_, detail_, last_ticks_); }

  PayloadMap map_;
  StreamIdentity identity_;
  ReceiveHot hot_;
  ReceiveDetail detail_;
  uint64_t last_ticks_ = 0;
};

TEST_F(ReceiveStatisticsTest, FindsNothingWrongWithAStreamInOrder) {
  ArriveAll(100, 1099);
  const ReceiveSnapshot snapshot = Read();
  EXPECT_EQ(snapshot.packets, 1000u);
  EXPECT_EQ(snapshot.bytes, 172'000u);
  EXPECT_EQ(snapshot.expected, 1000u);
  EXPECT_EQ(snapshot.lost + snapshot.duplicates + snapshot.reordered + snapshot.resets + snapshot.ssrc_changes, 0u);
  EXPECT_EQ(snapshot.jitter_ms, 0);
  EXPECT_EQ(snapshot.burst_ratio, 1);
  EXPECT_EQ(snapshot.ssrc, 1u);
  EXPECT_EQ(snapshot.first_arrival, kSecond + 100 * kPacketTime);
  EXPECT_NEAR(static_cast<double>(snapshot.last_arrival), static_cast<double>(last_ticks_), 1 << kCoarseShift);
}

TEST_F(ReceiveStatisticsTest, IsEmptyBeforeTheFirstPacket) {
  const ReceiveSnapshot snapshot = Read();
  EXPECT_EQ(snapshot.packets, 0u);
  EXPECT_EQ(snapshot.expected, 0u);
  EXPECT_EQ(snapshot.last_arrival, 0u);
}

TEST_F(ReceiveStatisticsTest, CountsOverTheWrapOfTheSequence) {
  for (uint32_t i = 65000; i < 67000; ++i) {
    if (i != 65535 && i != 65536) Arrive(static_cast<uint16_t>(i));
  }
  EXPECT_EQ(Read().expected, 2000u);
  EXPECT_EQ(Read().lost, 2u);
}

TEST_F(ReceiveStatisticsTest, TellsABurstFromRandomLoss) {
  for (uint16_t i = 0; i < 1000; ++i) {
    if (i % 100 != 50) Arrive(i);
  }
  EXPECT_EQ(Read().lost, 10u);
  EXPECT_EQ(Read().loss_events, 10u);
  EXPECT_EQ(Read().burst_ratio, 1);

  ReceiveStatistics::Reset(hot_, detail_);
  for (uint16_t i = 0; i < 1000; ++i) {
    if (i % 200 < 50 || i % 200 >= 54) Arrive(i);
  }
  EXPECT_EQ(Read().lost, 20u);
  EXPECT_EQ(Read().loss_events, 5u);
  EXPECT_DOUBLE_EQ(Read().burst_ratio, 4 * (1 - 0.02));
}

TEST_F(ReceiveStatisticsTest, CountsTwoLossesThatAreInTheWindowTogetherAsTwoEvents) {
  for (uint16_t i = 0; i < 200; ++i) {
    if (i == 10 || i == 30) continue;
    Arrive(i);
    if (i > 30) {
      ASSERT_EQ(Read().loss_events, 2u) << "after " << i;
    }
  }
  EXPECT_EQ(Read().lost, 2u);
}

TEST_F(ReceiveStatisticsTest, CountsAGapThatIsLongerThanItsWindowAsOneEvent) {
  ArriveAll(0, 99);
  ArriveAll(1100, 1300);
  EXPECT_EQ(Read().lost, 1000u);
  EXPECT_EQ(Read().loss_events, 1u);
  EXPECT_EQ(Read().burst_ratio, 8);
  EXPECT_EQ(Read().resets, 0u);
}

TEST_F(ReceiveStatisticsTest, TellsReorderedPacketsFromLostAndRepeatedOnes) {
  ArriveAll(0, 199);
  Arrive(203);
  Arrive(201);
  Arrive(200);
  Arrive(202);
  Arrive(202);
  ArriveAll(204, 400);
  const ReceiveSnapshot snapshot = Read();
  EXPECT_EQ(snapshot.reordered, 3u);
  EXPECT_EQ(snapshot.reorder_extent, 3);
  EXPECT_EQ(snapshot.duplicates, 1u);
  EXPECT_EQ(snapshot.lost, 0u);
  EXPECT_EQ(snapshot.loss_events, 0u);
  EXPECT_EQ(snapshot.expected, 401u);
}

TEST_F(ReceiveStatisticsTest, NeverLosesLessThanNothingForDuplicates) {
  for (uint16_t i = 0; i < 100; ++i) {
    Arrive(i);
    Arrive(i);
  }
  EXPECT_EQ(Read().packets, 200u);
  EXPECT_EQ(Read().duplicates, 100u);
  EXPECT_EQ(Read().lost, 0u);
}

TEST_F(ReceiveStatisticsTest, CountsMoreRepeatsOfOnePacketThanTheHotCounterHolds) {
  constexpr uint32_t kRepeats = 200'000;
  Arrive(7);
  for (uint32_t i = 0; i < kRepeats; ++i) Arrive(7);
  EXPECT_EQ(Read().packets, kRepeats + 1);
  EXPECT_EQ(Read().duplicates, kRepeats);
  EXPECT_EQ(Read().lost, 0u);
  EXPECT_EQ(Read().payload_types[0].second, kRepeats + 1);
}

TEST_F(ReceiveStatisticsTest, BeginsEarlierWhenThePacketBeforeTheFirstComesLate) {
  Arrive(12);
  Arrive(10);
  Arrive(13);
  EXPECT_EQ(Read().expected, 4u);
  EXPECT_EQ(Read().lost, 1u);
  Arrive(11);
  EXPECT_EQ(Read().lost, 0u);
  EXPECT_EQ(Read().duplicates, 0u);
}

TEST_F(ReceiveStatisticsTest, RestartsAfterTwoPacketsInSequenceOutOfTheWindow) {
  ArriveAll(0, 99);
  ArriveAll(30000, 30099);
  const ReceiveSnapshot snapshot = Read();
  EXPECT_EQ(snapshot.resets, 1u);
  EXPECT_EQ(snapshot.expected, 200u);
  EXPECT_EQ(snapshot.lost, 0u);
}

TEST_F(ReceiveStatisticsTest, DoesNotRestartForASingleStray) {
  ArriveAll(0, 99);
  Arrive(30000);
  ArriveAll(100, 199);
  EXPECT_EQ(Read().resets, 0u);
  EXPECT_EQ(Read().expected, 200u);
  EXPECT_EQ(Read().lost, 0u);
  EXPECT_EQ(Read().packets, 201u);
}

TEST_F(ReceiveStatisticsTest, BeginsANewRunWithANewSsrcAndKeepsTheLossOfTheOld) {
  ArriveAll(0, 49);
  ArriveAll(60, 99);
  for (uint16_t i = 0; i < 100; ++i) Arrive(i, 160u * i, last_ticks_ + kPacketTime, kPcmu, 2);
  const ReceiveSnapshot snapshot = Read();
  EXPECT_EQ(snapshot.ssrc_changes, 1u);
  EXPECT_EQ(snapshot.ssrc, 2u);
  EXPECT_EQ(snapshot.expected, 200u);
  EXPECT_EQ(snapshot.lost, 10u);
}

TEST_F(ReceiveStatisticsTest, AgreesWithSetsAboutRandomStreams) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    ReceiveStatistics::Reset(hot_, detail_);
    identity_.Reset();
    const uint32_t start = random();
    std::vector<uint32_t> order;
    for (uint32_t i = 0; i < 500; ++i) {
      if (i > 0 && random() % 10 == 0) continue;  // Lost.
      order.push_back(i);
      if (random() % 20 == 0) order.push_back(i);  // Repeated.
    }
    // Late by up to 20 places, the first packet excepted.
    for (size_t i = 1; i + 21 < order.size(); i += 21) {
      const auto late = order.begin() + static_cast<std::ptrdiff_t>(i);
      std::rotate(late, late + 1, late + 1 + random() % 20);
    }
    std::set<uint32_t> unique;
    uint64_t duplicates = 0;
    uint64_t ticks = kSecond;
    for (const uint32_t i : order) {
      duplicates += !unique.insert(i).second;
      Arrive(static_cast<uint16_t>(start + i), 160 * i, ticks += kPacketTime);
    }
    const ReceiveSnapshot snapshot = Read();
    ASSERT_EQ(snapshot.packets, order.size());
    ASSERT_EQ(snapshot.expected, *unique.rbegin() - *unique.begin() + 1);
    ASSERT_EQ(snapshot.lost, snapshot.expected - unique.size());
    ASSERT_EQ(snapshot.duplicates, duplicates);
    ASSERT_EQ(snapshot.resets, 0u);
  }
}

// RFC 3550 A.8 as it is printed there, in integers.
class PrintedJitter {
 public:
  void Take(uint32_t transit) {
    const int32_t difference = first_ ? 0 : static_cast<int32_t>(transit - transit_);
    first_ = false;
    transit_ = transit;
    const uint32_t d = static_cast<uint32_t>(std::abs(difference));
    jitter_ += d - ((jitter_ + 8) >> 4);
  }
  double milliseconds(uint32_t clock) const { return 1000.0 * (jitter_ >> 4) / clock; }

 private:
  bool first_ = true;
  uint32_t transit_ = 0;
  uint32_t jitter_ = 0;
};

TEST_F(ReceiveStatisticsTest, MeasuresJitterAsPrintedInTheRfcForEachClock) {
  for (const uint8_t type : {kPcmu, kVideo}) {
    ReceiveStatistics::Reset(hot_, detail_);
    identity_.Reset();
    std::mt19937 random(type);
    PrintedJitter printed;
    double highest = 0;
    const uint32_t clock = map_.ClockRate(type);
    for (uint16_t i = 0; i < 2000; ++i) {
      const uint64_t ticks = kSecond + i * kPacketTime + random() % (kSecond / 100);
      const uint32_t timestamp = 0xfff00000 + i * (clock / 50);  // Wraps on the way.
      Arrive(i, timestamp, ticks, type);
      printed.Take(map_.ToClock(type, ticks) - timestamp);
      highest = std::max(highest, printed.milliseconds(clock));
      ASSERT_DOUBLE_EQ(Read().jitter_ms, printed.milliseconds(clock)) << i;
    }
    EXPECT_GT(highest, 3);
    EXPECT_DOUBLE_EQ(Read().max_jitter_ms, highest);
  }
}

TEST_F(ReceiveStatisticsTest, LeavesTelephoneEventsOutOfJitter) {
  ArriveAll(0, 99);
  // An event repeats its timestamp for 200 ms.
  for (uint16_t i = 100; i < 110; ++i) Arrive(i, 16000, kSecond + i * kPacketTime, kEvent);
  ArriveAll(110, 199);
  EXPECT_EQ(Read().max_jitter_ms, 0);
}

TEST_F(ReceiveStatisticsTest, DoesNotTakeAnotherPayloadTypesClockForJitter) {
  ArriveAll(0, 99);
  for (uint16_t i = 100; i < 200; ++i) Arrive(i, 1800u * i, kSecond + i * kPacketTime, kVideo);
  ArriveAll(200, 299);
  EXPECT_EQ(Read().max_jitter_ms, 0);
  EXPECT_EQ(Read().lost, 0u);
}

TEST_F(ReceiveStatisticsTest, KeepsJitterWithinItsWordForWildTimestamps) {
  std::mt19937 random(1);
  for (uint16_t i = 0; i < 1000; ++i) Arrive(i, random(), kSecond + i * kPacketTime);
  EXPECT_GT(Read().jitter_ms, 1000);
  EXPECT_LE(Read().jitter_ms, 1000.0 * (1 << 20) / 8000);
}

TEST_F(ReceiveStatisticsTest, CountsPacketsByPayloadType) {
  for (uint16_t i = 0; i < 10; ++i) Arrive(i);
  for (uint16_t i = 10; i < 13; ++i) Arrive(i, 1600, kSecond + i * kPacketTime, kEvent);
  for (uint16_t i = 13; i < 20; ++i) Arrive(i);
  const ReceiveSnapshot snapshot = Read();
  EXPECT_EQ(snapshot.last_payload_type, kPcmu);
  uint64_t pcmu = 0, event = 0, other = 0;
  for (const auto& [type, packets] : snapshot.payload_types) {
    (packets == 0 ? other : type == kPcmu ? pcmu : type == kEvent ? event : other) += packets;
  }
  EXPECT_EQ(pcmu, 17u);
  EXPECT_EQ(event, 3u);
  EXPECT_EQ(other, 0u);
}

TEST_F(ReceiveStatisticsTest, CountsDatagramsAndNothingElse) {
  ReceiveStatistics::CountDatagram(hot_, detail_, 100, kSecond);
  ReceiveStatistics::CountDatagram(hot_, detail_, 50, 2 * kSecond);
  last_ticks_ = 2 * kSecond;
  const ReceiveSnapshot snapshot = Read();
  EXPECT_EQ(snapshot.packets, 2u);
  EXPECT_EQ(snapshot.bytes, 150u);
  EXPECT_EQ(snapshot.first_arrival, kSecond);
  EXPECT_EQ(snapshot.expected + snapshot.lost, 0u);
}

TEST_F(ReceiveStatisticsTest, TellsTheLastArrivalOfAStreamThatIsSilentForAnHour) {
  ArriveAll(0, 9);
  const uint64_t arrival = last_ticks_;
  last_ticks_ += 3600 * kSecond;
  EXPECT_NEAR(static_cast<double>(Read().last_arrival), static_cast<double>(arrival), 1 << kCoarseShift);
}

}  // namespace
}  // namespace sluice::rtp
