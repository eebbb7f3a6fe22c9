#include "datapath/packet/parse.h"

#include <gtest/gtest.h>

#include <set>

#include "datapath/packet/packet_builder.h"
#include "datapath/packet/packet_fixtures.h"

namespace sluice::packet {
namespace {

TEST(Parse, GivesEachFixtureItsVerdict) {
  for (const PacketFixture& fixture : PacketFixtures()) {
    // A copy of exactly the size, so that a sanitizer sees a read behind the end.
    const std::vector<uint8_t> frame(fixture.frame);
    EXPECT_EQ(Name(Parse(frame.data(), frame.size()).verdict), Name(fixture.verdict)) << fixture.description;
  }
}

TEST(Parse, HasAFixtureForEachReasonItCanGive) {
  std::set<DropReason> seen;
  for (const PacketFixture& fixture : PacketFixtures()) seen.insert(fixture.verdict);
  for (int reason = 0; reason < static_cast<int>(DropReason::kNotLocal); ++reason) {
    EXPECT_TRUE(seen.contains(static_cast<DropReason>(reason))) << Name(static_cast<DropReason>(reason));
  }
}

TEST(Parse, FindsAddressesPortsAndPayload) {
  const std::vector<uint8_t> frame =
      PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").PayloadOfSize(20).TrafficClass(0xb8).Padding(3).Build();
  const ParsedPacket parsed = Parse(frame.data(), frame.size());
  ASSERT_EQ(parsed.verdict, DropReason::kNone);
  EXPECT_TRUE(parsed.is_v4);
  EXPECT_EQ(parsed.ip_offset, 14);
  EXPECT_EQ(parsed.udp_offset, 34);
  EXPECT_EQ(parsed.payload_offset(), 42u);
  EXPECT_EQ(parsed.payload_size(), 20u);
  EXPECT_EQ(parsed.frame_size(), frame.size() - 3);
  EXPECT_EQ(parsed.traffic_class, 0xb8);
  EXPECT_EQ(parsed.vlan, 0);
  EXPECT_EQ(SourceAddress(parsed, frame.data()).ToString(), "198.18.1.2");
  EXPECT_EQ(DestinationAddress(parsed, frame.data()).ToString(), "198.18.1.1");
  EXPECT_EQ(ReadUdp(parsed, frame.data()).source_port.ToHost(), 21000);
  EXPECT_EQ(ReadUdp(parsed, frame.data()).destination_port.ToHost(), 24594);
}

TEST(Parse, FindsThemInTaggedIpv6) {
  const std::vector<uint8_t> frame =
      PacketBuilder("[2001:db8::2]:5", "[2001:db8::1]:6").Vlan(0xe064).TrafficClass(0x22).Build();
  const ParsedPacket parsed = Parse(frame.data(), frame.size());
  ASSERT_EQ(parsed.verdict, DropReason::kNone);
  EXPECT_FALSE(parsed.is_v4);
  EXPECT_EQ(parsed.vlan, 0x064) << "without priority bits";
  EXPECT_EQ(parsed.udp_offset, 18 + 40);
  EXPECT_EQ(parsed.traffic_class, 0x22);
  EXPECT_EQ(SourceAddress(parsed, frame.data()).ToString(), "2001:db8::2");
  EXPECT_EQ(DestinationAddress(parsed, frame.data()).ToString(), "2001:db8::1");
}

TEST(Parse, NeedsOnlyTheHeadersInOnePiece) {
  const std::vector<uint8_t> frame = PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594").Build();
  const std::vector<uint8_t> headers(frame.begin(), frame.begin() + 42);
  EXPECT_EQ(Parse(headers.data(), headers.size(), frame.size()).verdict, DropReason::kNone);
}

TEST(DropReason, HasAnotherNameForEachReason) {
  const std::set<std::string_view> names(kDropReasonNames.begin(), kDropReasonNames.end());
  EXPECT_EQ(names.size(), kDropReasonCount);
  EXPECT_EQ(Name(DropReason::kNoNeighbour), "no_neighbour");
  EXPECT_EQ(Name(DropReason::kPuntLimited), "punt_limited");
}

}  // namespace
}  // namespace sluice::packet
