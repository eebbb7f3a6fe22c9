#include "signaling/transport/sockaddr.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"

namespace sluice::transport {
namespace {

std::optional<sip::Endpoint> ThereAndBack(const sip::Endpoint& endpoint) {
  sockaddr_storage storage;
  ToSockaddr(endpoint, storage);
  return FromSockaddr(reinterpret_cast<const sockaddr*>(&storage));
}

TEST(Sockaddr, CarriesBothFamilies) {
  for (const char* text : {"198.18.1.1:5060", "[2001:db8::1]:5060", "0.0.0.0:0", "[::]:65535"}) {
    EXPECT_EQ(ThereAndBack(*sip::Endpoint::Parse(text))->ToString(), text);
  }
}

TEST(Sockaddr, TakesAMappedAddressForIpv4) {
  EXPECT_EQ(ThereAndBack(*sip::Endpoint::Parse("[::ffff:198.18.1.1]:5060"))->ToString(), "198.18.1.1:5060");
}

TEST(Sockaddr, RefusesOtherFamilies) {
  const sockaddr address = {.sa_family = AF_UNIX, .sa_data = {}};
  EXPECT_FALSE(FromSockaddr(&address).has_value());
}

TEST(Sockaddr, KnowsTheAddressThatStandsForAll) {
  EXPECT_TRUE(IsUnspecified(*sip::Endpoint::Parse("0.0.0.0:5060")));
  EXPECT_TRUE(IsUnspecified(*sip::Endpoint::Parse("[::]:5060")));
  EXPECT_FALSE(IsUnspecified(*sip::Endpoint::Parse("[::1]:5060")));
}

TEST(Sockaddr, KnowsTheAddressesOfThisHost) {
  const std::vector<sip::Endpoint> own = AddressesOfThisHost();
  const auto has = [&](absl::string_view address) {
    return std::any_of(own.begin(), own.end(),
                       [other = *sip::Endpoint::Make(address, 0)](const sip::Endpoint& endpoint) {
                         return endpoint.SameAddress(other);
                       });
  };
  EXPECT_TRUE(has("127.0.0.1"));
  EXPECT_FALSE(has("198.18.255.254"));
}

TEST(Sockaddr, NamesAPeerByProtocolAndAddress) {
  const sip::Hop hop{sip::Protocol::kTcp, {}, *sip::Endpoint::Parse("198.18.1.2:45426")};
  EXPECT_EQ(PeerName(hop), "tcp:198.18.1.2:45426");
}

}  // namespace
}  // namespace sluice::transport
