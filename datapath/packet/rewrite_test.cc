#include "datapath/packet/rewrite.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "datapath/packet/packet_builder.h"
#include "datapath/packet/parse.h"

namespace sluice::packet {
namespace {

constexpr size_t kHeadroom = 128;

struct Rewritten {
  ParsedPacket parsed;
  std::vector<uint8_t> frame;
};

// Rewrites `frame` as a worker does, in a buffer with headroom.
Rewritten RewriteFrame(const std::vector<uint8_t>& frame, const Endpoint& source, const Endpoint& destination,
                       uint8_t dscp, bool narrow) {
  std::vector<uint8_t> buffer(kHeadroom);
  buffer.insert(buffer.end(), frame.begin(), frame.end());
  uint8_t* begin = &buffer[kHeadroom];
  const ParsedPacket parsed = Parse(begin, frame.size());
  EXPECT_EQ(parsed.verdict, DropReason::kNone);
  const Endpoint local = {DestinationAddress(parsed, begin), ReadUdp(parsed, begin).destination_port.ToHost()};
  uint8_t* udp = begin + parsed.udp_offset;
  uint8_t* ip = narrow ? Apply(MakeRewrite4(local, source, destination, dscp), udp, parsed.udp_size)
                       : Apply(MakeRewrite(local, source, destination, dscp), parsed.is_v4, udp, parsed.udp_size);
  uint8_t* out = WriteEthernet(MacAddress{{0x02, 0, 0, 0, 0, 0x0b}}.Word(), MacAddress{{0x02, 0, 0, 0, 0, 0x0a}}.Word(),
                               0, destination.address.is_v4(), ip);
  Rewritten result;
  result.frame.assign(out, udp + parsed.udp_size);
  result.parsed = Parse(result.frame.data(), result.frame.size());
  return result;
}

bool IsChecksumRight(const Rewritten& result) {
  return IsUdpChecksumRight(SourceAddress(result.parsed, result.frame.data()),
                            DestinationAddress(result.parsed, result.frame.data()),
                            result.frame.data() + result.parsed.udp_offset, result.parsed.udp_size);
}

uint16_t UdpFieldOf(const Rewritten& result) { return ReadUdp(result.parsed, result.frame.data()).checksum.ToHost(); }

const Endpoint kNewSource4 = *Endpoint::Parse("198.18.2.1:18582");
const Endpoint kNewDestination4 = *Endpoint::Parse("198.18.2.9:50211");
const Endpoint kNewSource6 = *Endpoint::Parse("[2001:db8:2::1]:18582");
const Endpoint kNewDestination6 = *Endpoint::Parse("[2001:db8:2::9]:50211");

PacketBuilder From4() { return PacketBuilder("198.18.1.2:21000", "198.18.1.1:24594"); }
PacketBuilder From6() { return PacketBuilder("[2001:db8:1::2]:21000", "[2001:db8:1::1]:24594"); }

TEST(Rewrite, WritesAFreshIpv4HeaderThatShowsNothingOfTheInnerNetwork) {
  const Rewritten result = RewriteFrame(From4().TrafficClass(0x1c).Build(), kNewSource4, kNewDestination4, 46, true);
  ASSERT_EQ(result.parsed.verdict, DropReason::kNone) << "the header checksum is right too";
  Ipv4Header ip;
  std::memcpy(&ip, result.frame.data() + 14, sizeof(ip));
  EXPECT_EQ(ip.ttl, 64);
  EXPECT_EQ(ip.tos, 46 << 2);
  EXPECT_EQ(ip.identification.ToHost(), 0);
  EXPECT_EQ(ip.fragment.ToHost(), 0x4000);
  EXPECT_EQ(SourceAddress(result.parsed, result.frame.data()), kNewSource4.address);
  EXPECT_EQ(DestinationAddress(result.parsed, result.frame.data()), kNewDestination4.address);
  EXPECT_EQ(ReadUdp(result.parsed, result.frame.data()).source_port.ToHost(), kNewSource4.port);
  EXPECT_EQ(ReadUdp(result.parsed, result.frame.data()).destination_port.ToHost(), kNewDestination4.port);
  EXPECT_TRUE(IsChecksumRight(result));
}

TEST(Rewrite, KeepsThePayload) {
  const std::vector<uint8_t> frame = From4().PayloadOfSize(333).Build();
  const Rewritten result = RewriteFrame(frame, kNewSource6, kNewDestination6, 0, false);
  EXPECT_TRUE(std::equal(frame.end() - 333, frame.end(), result.frame.end() - 333));
}

TEST(Rewrite, KeepsTheChecksumRightBetweenAllFamilies) {
  for (const bool from_v4 : {true, false}) {
    for (const bool to_v4 : {true, false}) {
      const Rewritten result = RewriteFrame((from_v4 ? From4() : From6()).Build(), to_v4 ? kNewSource4 : kNewSource6,
                                            to_v4 ? kNewDestination4 : kNewDestination6, 46, false);
      EXPECT_EQ(result.parsed.verdict, DropReason::kNone) << from_v4 << to_v4;
      EXPECT_EQ(result.parsed.is_v4, to_v4);
      EXPECT_EQ(result.parsed.traffic_class, 46 << 2);
      EXPECT_TRUE(IsChecksumRight(result)) << from_v4 << to_v4;
    }
  }
}

TEST(Rewrite, LeavesAMissingIpv4ChecksumMissing) {
  const Rewritten result = RewriteFrame(From4().WithoutUdpChecksum().Build(), kNewSource4, kNewDestination4, 0, true);
  EXPECT_EQ(UdpFieldOf(result), 0);
}

TEST(Rewrite, ComputesAMissingChecksumTowardsIpv6) {
  const Rewritten result = RewriteFrame(From4().WithoutUdpChecksum().Build(), kNewSource6, kNewDestination6, 0, false);
  EXPECT_NE(UdpFieldOf(result), 0);
  EXPECT_TRUE(IsChecksumRight(result));
}

TEST(Rewrite, KeepsDamageVisible) {
  for (const uint16_t damage : {1, 0x100, 0x7fff, 0xfffe}) {
    EXPECT_FALSE(IsChecksumRight(
        RewriteFrame(From4().DamageUdpChecksum(damage).Build(), kNewSource4, kNewDestination4, 0, true)));
    EXPECT_FALSE(IsChecksumRight(
        RewriteFrame(From6().DamageUdpChecksum(damage).Build(), kNewSource4, kNewDestination4, 0, false)));
  }
}

// The property behind all of this: the incremental checksum is the full one, bit for bit, for any header and any carry.
TEST(Rewrite, AgreesWithTheFullChecksumForRandomPackets) {
  std::mt19937_64 random(1);
  const auto endpoint = [&random](bool v4) {
    // Words of all zeros and all ones are the hard ones; let them be frequent.
    const auto word = [&random]() -> uint32_t {
      switch (random() % 4) {
        case 0:
          return 0;
        case 1:
          return 0xffffffff;
        default:
          return static_cast<uint32_t>(random());
      }
    };
    uint32_t words[4] = {word() | 1, word(), word(), word()};
    const uint16_t port = static_cast<uint16_t>(word()) | 1;
    return Endpoint{v4 ? IpAddress::V4(BigEndian32(words[0])) : IpAddress::V6(words), port};
  };
  for (int i = 0; i < 20000; ++i) {
    const bool from_v4 = random() % 2 == 0;
    const bool to_v4 = random() % 2 == 0;
    PacketBuilder builder(endpoint(from_v4), endpoint(from_v4));
    std::vector<uint8_t> payload(random() % 40);
    const int fill = static_cast<int>(random() % 3);
    for (uint8_t& byte : payload) byte = fill == 0 ? 0 : fill == 1 ? 0xff : static_cast<uint8_t>(random());
    builder.Payload(payload);
    if (from_v4 && random() % 8 == 0) builder.WithoutUdpChecksum();
    const std::vector<uint8_t> frame = builder.Build();
    const Rewritten result =
        RewriteFrame(frame, endpoint(to_v4), endpoint(to_v4), static_cast<uint8_t>(random() % 64), from_v4 && to_v4);
    ASSERT_EQ(result.parsed.verdict, DropReason::kNone) << i;
    ASSERT_TRUE(IsChecksumRight(result)) << i;
  }
}

TEST(Checksum, SendsAZeroSumAsAllOnes) {
  // RFC 768: a datagram whose sum comes out as 0 carries 0xffff.
  EXPECT_EQ(UdpField(0xffff), 0xffff);
  EXPECT_EQ(UdpField(0x1fffe), 0xffff);
  EXPECT_EQ(UdpField(0xfffe), 1);
}

TEST(Checksum, FollowsTheExampleOfRfc1624) {
  // RFC 1624 4: HC 0xdd2f, a word 0x5555 becomes 0x3285: 0x0000, not 0xffff as eqn. 2 would give; a UDP field shows it
  // as 0xffff.
  EXPECT_EQ(static_cast<uint16_t>(~Fold(static_cast<uint16_t>(~0xdd2f) + Negate(0x5555) + 0x3285)), 0x0000);
  EXPECT_EQ(UpdateUdpField(0xdd2f, Complement(uint16_t{0x5555}), 0x3285), 0xffff);
}

TEST(Checksum, FoldsLikeEndAroundCarryByCarry) {
  const auto slowly = [](uint64_t sum) {
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(sum);
  };
  uint64_t random = 1;
  for (int i = 0; i < 100'000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    for (const uint64_t sum : {random, random >> (i % 64), random | 0xffff'ffff'0000'0000, random | 0xffff'ffff}) {
      ASSERT_EQ(Fold(sum), slowly(sum)) << std::hex << sum;
      ASSERT_EQ(IsRightSum(sum), sum != 0 && sum % 0xffff == 0) << std::hex << sum;
      ASSERT_EQ(AddFolded(static_cast<uint16_t>(sum), static_cast<uint16_t>(sum >> 16)), slowly(sum & 0xffff'ffff));
    }
  }
  for (const uint64_t sum : {uint64_t{0}, uint64_t{0xffff}, uint64_t{0x10000}, uint64_t{0x1ffff}, ~uint64_t{0}}) {
    EXPECT_EQ(Fold(sum), slowly(sum)) << std::hex << sum;
  }
}

TEST(Checksum, SumsOddSizesAsIfAZeroByteFollowed) {
  const uint8_t even[] = {1, 2, 3, 4, 5, 0};
  EXPECT_EQ(Fold(SumOf(even, 5)), Fold(SumOf(even, 6)));
}

}  // namespace
}  // namespace sluice::packet
