#include "datapath/rtp/rtp_header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "datapath/rtp/rtp_builder.h"

namespace sluice::rtp {
namespace {

struct HeaderCase {
  std::string description;
  std::vector<uint8_t> datagram;
  bool is_rtp;
  uint16_t payload_offset = 0;
  uint16_t payload_size = 0;
};

std::vector<uint8_t> Changed(std::vector<uint8_t> datagram, size_t at, uint8_t value) {
  datagram[at] = value;
  return datagram;
}

std::vector<uint8_t> Cut(std::vector<uint8_t> datagram, size_t size) {
  datagram.resize(size);
  return datagram;
}

const std::vector<HeaderCase>& HeaderCases() {
  static const std::vector<HeaderCase>* const cases = [] {
    const std::vector<uint8_t> plain = RtpDatagram(0, 7, 160, 1, 20);
    // One word of extension: profile 0xbede, length 1.
    std::vector<uint8_t> extended = RtpDatagram(0, 7, 160, 1, 0);
    extended[0] |= 0x10;
    extended.insert(extended.end(), {0xbe, 0xde, 0, 1, 0x10, 0, 0, 0, 0xaa, 0xbb});
    return new std::vector<HeaderCase>{
        {"twelve bytes and a payload are RTP", plain, true, 12, 20},
        {"a header alone is RTP", Cut(plain, 12), true, 12, 0},
        {"eleven bytes are not", Cut(plain, 11), false},
        {"four bytes are not", Cut(plain, 4), false},
        {"nothing is not", {}, false},
        {"version 1 is not RTP", Changed(plain, 0, 0x40), false},
        {"STUN (RFC 8489) is not RTP", Changed(plain, 0, 0x00), false},
        {"DTLS is not RTP", Changed(plain, 0, 22), false},
        {"five contributing sources move the payload", Changed(plain, 0, 0x85), true, 32, 0},
        {"six would end behind the packet", Changed(plain, 0, 0x86), false},
        {"an extension moves the payload", extended, true, 20, 2},
        {"an extension longer than the packet lies", Changed(extended, 15, 9), false},
        {"an extension whose length is cut off lies", Cut(extended, 15), false},
        {"padding is no payload", Changed(Changed(plain, 0, 0xa0), 31, 4), true, 12, 16},
        {"padding of the whole payload leaves none", Changed(Changed(plain, 0, 0xa0), 31, 20), true, 12, 0},
        {"padding longer than the payload lies", Changed(Changed(plain, 0, 0xa0), 31, 21), false},
        {"padding of 0 bytes cannot be", Changed(Changed(plain, 0, 0xa0), 31, 0), false},
    };
  }();
  return *cases;
}

TEST(RtpHeader, GivesEachCaseItsVerdict) {
  for (const HeaderCase& test : HeaderCases()) {
    const std::vector<uint8_t> datagram(test.datagram);
    RtpHeader header;
    ASSERT_EQ(ReadRtpHeader(datagram.data(), datagram.size(), header), test.is_rtp) << test.description;
    if (!test.is_rtp) continue;
    EXPECT_EQ(header.payload_offset, test.payload_offset) << test.description;
    EXPECT_EQ(header.payload_size, test.payload_size) << test.description;
  }
}

TEST(RtpHeader, ReadsTheFields) {
  std::vector<uint8_t> datagram = RtpDatagram(96, 0x1234, 0x89abcdef, 0xdeadbeef);
  datagram[1] |= 0x80;
  RtpHeader header;
  ASSERT_TRUE(ReadRtpHeader(datagram.data(), datagram.size(), header));
  EXPECT_EQ(header.payload_type, 96);
  EXPECT_EQ(header.sequence, 0x1234);
  EXPECT_EQ(header.timestamp, 0x89abcdefu);
  EXPECT_EQ(header.ssrc, 0xdeadbeefu);
}

TEST(RtpHeader, TellsRtcpOnTheSamePortByItsPacketType) {
  EXPECT_TRUE(IsRtcp(ReceiverReport(1).data()));
  EXPECT_TRUE(IsRtcp(SenderReport({}).data()));
  for (const uint8_t type : {0, 8, 13, 96, 101, 127}) {
    std::vector<uint8_t> datagram = RtpDatagram(type, 1, 1, 1);
    EXPECT_FALSE(IsRtcp(datagram.data())) << static_cast<int>(type);
    if (type >= 96) continue;
    datagram[1] |= 0x80;
    EXPECT_FALSE(IsRtcp(datagram.data())) << "with marker " << static_cast<int>(type);
  }
}

}  // namespace
}  // namespace sluice::rtp
