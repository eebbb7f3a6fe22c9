#include "signaling/hep/packet.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/escaping.h"

namespace sluice::hep {
namespace {

Packet Invite() {
  return {.source = *sip::Endpoint::Parse("198.18.1.2:5060"),
          .destination = *sip::Endpoint::Parse("198.18.1.1:7080"),
          .time = absl::FromUnixMicros(1'700'000'000'123'456),
          .payload = "INVITE",
          .correlation_id = "c1"};
}

std::string Hex(const std::string& bytes) { return absl::BytesToHexString(bytes); }

// Chunks by type, as hex. Fails the test if lengths do not add up.
std::map<int, std::string> Chunks(const std::string& bytes) {
  const auto number = [&](size_t at) {
    return static_cast<uint8_t>(bytes[at]) << 8 | static_cast<uint8_t>(bytes[at + 1]);
  };
  std::map<int, std::string> chunks;
  EXPECT_EQ(bytes.substr(0, 4), "HEP3");
  EXPECT_EQ(static_cast<size_t>(number(4)), bytes.size());
  size_t at = 6;
  while (at + 6 <= bytes.size()) {
    EXPECT_EQ(number(at), 0) << "vendor";
    const auto size = static_cast<size_t>(number(at + 4));
    chunks[number(at + 2)] = Hex(bytes.substr(at + 6, size - 6));
    at += size;
  }
  EXPECT_EQ(at, bytes.size());
  return chunks;
}

TEST(HepPacket, IsByteForByteWhatTheProtocolSays) {
  EXPECT_EQ(Hex(Encode(Invite(), {.capture_id = 7})),
            "484550330071"              // HEP3, 113 bytes
            "00000001000702"            // IPv4
            "00000002000711"            // UDP
            "00000003000ac6120102"      // from 198.18.1.2
            "00000004000ac6120101"      // to 198.18.1.1
            "00000007000813c4"          // from 5060
            "0000000800081ba8"          // to 7080
            "00000009000a6553f100"      // seconds
            "0000000a000a0001e240"      // 123 456 microseconds
            "0000000b000701"            // SIP
            "0000000c000a00000007"      // capture id
            "0000001100086331"          // correlation id
            "0000000f000c494e56495445"  // payload
  );
}

TEST(HepPacket, TellsIpv6AddressesWhole) {
  Packet packet = Invite();
  packet.source = *sip::Endpoint::Parse("[2001:db8::2]:5060");
  packet.destination = *sip::Endpoint::Parse("[2001:db8::1]:7080");
  const std::map<int, std::string> chunks = Chunks(Encode(packet, {}));
  EXPECT_EQ(chunks.at(0x01), "0a");
  EXPECT_EQ(chunks.at(0x05), "20010db8000000000000000000000002");
  EXPECT_EQ(chunks.at(0x06), "20010db8000000000000000000000001");
  EXPECT_FALSE(chunks.contains(0x03) || chunks.contains(0x04));
}

TEST(HepPacket, TellsTcpForEverythingThatRunsOverIt) {
  for (const sip::Protocol protocol :
       {sip::Protocol::kTcp, sip::Protocol::kTls, sip::Protocol::kWs, sip::Protocol::kWss}) {
    Packet packet = Invite();
    packet.protocol = protocol;
    EXPECT_EQ(Chunks(Encode(packet, {})).at(0x02), "06");
  }
}

TEST(HepPacket, LeavesOutWhatIsEmpty) {
  Packet packet = Invite();
  packet.correlation_id = "";
  const std::map<int, std::string> chunks = Chunks(Encode(packet, {}));
  EXPECT_FALSE(chunks.contains(0x0e) || chunks.contains(0x11) || chunks.contains(0x13));
}

TEST(HepPacket, CarriesPasswordNodeAndKindOfPayload) {
  Packet packet = Invite();
  packet.type = Payload::kRtcpJson;
  const std::map<int, std::string> chunks = Chunks(Encode(packet, {.password = "secret", .node = "sluice-1"}));
  EXPECT_EQ(chunks.at(0x0b), "05");
  EXPECT_EQ(chunks.at(0x0e), Hex("secret"));
  EXPECT_EQ(chunks.at(0x13), Hex("sluice-1"));
}

TEST(HepPacket, IsNoneWhenItWouldBeTooLongForADatagram) {
  Packet packet = Invite();
  const std::string longest(65535, 'x');
  packet.payload = longest;
  EXPECT_EQ(Encode(packet, {}), "");
  packet.payload = absl::string_view(longest).substr(0, 65000);
  EXPECT_EQ(Encode(packet, {}).substr(0, 4), "HEP3");
}

}  // namespace
}  // namespace sluice::hep
