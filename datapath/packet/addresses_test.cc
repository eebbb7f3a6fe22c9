#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "datapath/packet/byte_order.h"
#include "datapath/packet/destination.h"
#include "datapath/packet/endpoint.h"
#include "datapath/packet/ip_address.h"
#include "datapath/packet/ip_prefix.h"
#include "datapath/packet/mac_address.h"

namespace sluice::packet {
namespace {

TEST(BigEndian, HoldsTheBytesOfTheWire) {
  const BigEndian32 value(0x01020304);
  uint8_t bytes[4];
  std::memcpy(bytes, &value, sizeof(bytes));
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[3], 4);
  EXPECT_EQ(value.ToHost(), 0x01020304u);
  EXPECT_EQ(BigEndian32::FromRaw(value.raw()), value);
}

TEST(BigEndian, DoesNotConvertByItself) {
  static_assert(!std::is_convertible_v<BigEndian16, uint16_t>);
  static_assert(!std::is_convertible_v<uint16_t, BigEndian16>);
}

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  for (const std::string text : {"198.18.1.2", "255.255.255.255", "2001:db8::1", "::1", "fe80::1"}) {
    const std::optional<IpAddress> address = IpAddress::Parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->ToString(), text);
    EXPECT_EQ(address->is_v4(), text.find(':') == std::string::npos) << text;
  }
}

TEST(IpAddress, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "198.18.1", "198.18.1.2.3", "198.18.1.256", "1.2.3.4 ", "fe80::1%eth0", "[::1]", "example.org",
        "2001:db8::1::2", "1234567890123456789012345678901234567890123456789"}) {
    EXPECT_FALSE(IpAddress::Parse(text)) << text;
  }
}

TEST(IpAddress, TakesTheMappedFormAsIpv4) {
  EXPECT_EQ(IpAddress::Parse("::ffff:198.18.1.2"), IpAddress::Parse("198.18.1.2"));
}

TEST(IpAddress, SortsInTheOrderOfTheWire) {
  std::vector<IpAddress> addresses;
  for (const std::string text : {"2001:db8::2", "198.18.2.1", "10.0.0.1", "2001:db8::1"})
    addresses.push_back(*IpAddress::Parse(text));
  std::sort(addresses.begin(), addresses.end());
  EXPECT_EQ(addresses[0].ToString(), "10.0.0.1");
  EXPECT_EQ(addresses[3].ToString(), "2001:db8::2");
}

TEST(IpPrefix, ContainsItsAddressesAndNoOthers) {
  struct Case {
    std::string prefix, inside, outside;
  };
  for (const Case& test : std::vector<Case>{{"198.18.2.0/24", "198.18.2.255", "198.18.3.0"},
                                            {"0.0.0.0/0", "255.1.2.3", "2001:db8::1"},
                                            {"198.18.2.9", "198.18.2.9", "198.18.2.8"},
                                            {"128.0.0.0/1", "200.0.0.1", "127.0.0.1"},
                                            {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"},
                                            {"2001:db8::/64", "2001:db8::1:2:3:4", "2001:db8:0:1::1"},
                                            {"2001:db8::8/125", "2001:db8::f", "2001:db8::10"}}) {
    const std::optional<IpPrefix> prefix = IpPrefix::Parse(test.prefix);
    ASSERT_TRUE(prefix) << test.prefix;
    EXPECT_TRUE(prefix->Contains(*IpAddress::Parse(test.inside))) << test.prefix;
    EXPECT_FALSE(prefix->Contains(*IpAddress::Parse(test.outside))) << test.prefix;
  }
}

TEST(IpPrefix, RefusesLengthsAndHostBitsThatCannotBe) {
  for (const std::string text :
       {"198.18.2.0/33", "198.18.2.1/24", "2001:db8::/129", "198.18.2.0/", "198.18.2.0/x", "/24", "198.18.2.0/-1"}) {
    EXPECT_FALSE(IpPrefix::Parse(text)) << text;
  }
}

TEST(IpPrefix, OfNothingContainsNothing) { EXPECT_FALSE(IpPrefix().Contains(IpAddress())); }

TEST(IpPrefix, WritesWhatItRead) {
  EXPECT_EQ(IpPrefix::Parse("198.18.2.0/24")->ToString(), "198.18.2.0/24");
  EXPECT_EQ(IpPrefix::Parse("2001:db8::/64")->ToString(), "2001:db8::/64");
}

TEST(Endpoint, ReadsAndWritesBothFamilies) {
  for (const std::string text : {"198.18.1.2:5060", "[2001:db8::1]:65535"}) {
    ASSERT_TRUE(Endpoint::Parse(text)) << text;
    EXPECT_EQ(Endpoint::Parse(text)->ToString(), text);
  }
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const std::string text : {"198.18.1.2", "198.18.1.2:0", "198.18.1.2:65536", "2001:db8::1:5060",
                                 "[198.18.1.2]:5060", ":5060", "198.18.1.2:+1"}) {
    EXPECT_FALSE(Endpoint::Parse(text)) << text;
  }
}

TEST(MacAddress, ReadsAndWrites) {
  const std::optional<MacAddress> mac = MacAddress::Parse("02:00:5e:00:00:fe");
  ASSERT_TRUE(mac);
  EXPECT_EQ(mac->ToString(), "02:00:5e:00:00:fe");
  for (const std::string text :
       {"", "02:00:5e:00:00", "02-00-5e-00-00-fe", "02:00:5e:00:00:fg", "02:00:5e:00:00:fe:"}) {
    EXPECT_FALSE(MacAddress::Parse(text)) << text;
  }
}

TEST(Destination, RefusesWhatIsNoPeersAddress) {
  struct Case {
    std::string address;
    std::string_view fault;
  };
  for (const Case& test : std::vector<Case>{{"198.18.1.2", ""},
                                            {"10.1.2.3", ""},
                                            {"192.168.2.63", ""},
                                            {"2001:db8::1", ""},
                                            {"fd00::1", ""},
                                            {"0.0.0.0", "unspecified"},
                                            {"0.1.2.3", "reserved"},
                                            {"127.0.0.1", "loopback"},
                                            {"169.254.1.1", "link-local"},
                                            {"224.0.0.1", "multicast"},
                                            {"239.255.255.255", "multicast"},
                                            {"255.255.255.255", "broadcast"},
                                            {"240.0.0.1", "reserved"},
                                            {"::", "unspecified"},
                                            {"::1", "loopback"},
                                            {"::2", "reserved"},
                                            {"fe80::1", "link-local"},
                                            {"febf::1", "link-local"},
                                            {"ff02::1", "multicast"}}) {
    EXPECT_EQ(DestinationFault(*IpAddress::Parse(test.address)), test.fault) << test.address;
  }
}

TEST(Destination, AllowsLoopbackWhereTold) {
  EXPECT_EQ(DestinationFault(*IpAddress::Parse("127.0.0.1"), true), "");
  EXPECT_EQ(DestinationFault(*IpAddress::Parse("::1"), true), "");
  EXPECT_EQ(DestinationFault(*IpAddress::Parse("224.0.0.1"), true), "multicast");
}

}  // namespace
}  // namespace sluice::packet
