#include "signaling/transport/socket_address.h"

#include "gtest/gtest.h"

namespace sluice::transport {
namespace {

TEST(SocketAddress, ReadsAndWritesBothFamilies) {
  for (const char* text : {"198.18.1.1:5060", "[2001:db8::1]:5060", "0.0.0.0:0", "[::]:65535"}) {
    const auto address = SocketAddress::Parse(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->ToString(), text);
    sockaddr_storage storage;
    address->ToSockaddr(storage);
    EXPECT_EQ(SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage)), address);
  }
}

TEST(SocketAddress, RefusesNamesMissingPortsAndIpv6WithoutBrackets) {
  for (const char* text : {"", ":", "localhost:5060", "198.18.1.1", "198.18.1.1:", "198.18.1.1:65536", "198.18.1:5060",
                           "2001:db8::1:5060", "[2001:db8::1]", "[2001:db8::1:5060", "198.18.1.1:-1", "[]:5060"}) {
    EXPECT_FALSE(SocketAddress::Parse(text).has_value()) << text;
  }
}

TEST(SocketAddress, TakesAMappedAddressForIpv4) {
  sockaddr_storage storage;
  SocketAddress::Parse("[::ffff:198.18.1.1]:5060")->ToSockaddr(storage);
  EXPECT_EQ(SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage))->ToString(), "198.18.1.1:5060");
}

TEST(SocketAddress, ComparesAddressesWithoutPorts) {
  const auto a = *SocketAddress::Parse("198.18.1.1:1");
  EXPECT_TRUE(a.SameAddress(a.WithPort(2)));
  EXPECT_FALSE(a == a.WithPort(2));
  EXPECT_FALSE(a.SameAddress(*SocketAddress::Parse("198.18.1.2:1")));
}

}  // namespace
}  // namespace sluice::transport
