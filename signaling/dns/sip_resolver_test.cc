#include "signaling/dns/sip_resolver.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "signaling/dns/dns_client_fake.h"

namespace sluice::dns {
namespace {

class SipResolverTest : public testing::Test {
 protected:
  void SetAddresses(const std::string& name, const std::vector<std::string>& addresses) {
    Records v4;
    Records v6;
    for (const std::string& text : addresses) {
      const sip::Endpoint address = *sip::Endpoint::Make(text, 0);
      (address.is_v6 ? v6 : v4).addresses.push_back(address);
    }
    dns_.Set(name, RecordType::kA, v4);
    dns_.Set(name, RecordType::kAaaa, v6);
  }

  // "UDP 198.18.1.1:5060, …", or the error.
  std::string Resolve(const SipTarget& target) {
    std::string text = "no answer";
    resolver_->Resolve(target, [&](const absl::StatusOr<std::vector<Destination>>& destinations) {
      last_ = destinations.ok() ? *destinations : std::vector<Destination>();
      text = destinations.ok() ? absl::StrJoin(last_, ", ",
                                               [](std::string* out, const Destination& destination) {
                                                 absl::StrAppend(out, sip::ProtocolName(destination.protocol), " ",
                                                                 destination.address.ToString());
                                               })
                               : std::string(destinations.status().message());
    });
    return text;
  }

  DnsClientFake dns_;
  std::vector<Destination> last_;
  std::unique_ptr<SipResolver> resolver_ = std::make_unique<SipResolver>(dns_, [](uint32_t) { return 0; });
};

TEST_F(SipResolverTest, AsksNobodyAboutAnAddress) {
  EXPECT_EQ(Resolve({.host = "198.18.1.1"}), "UDP 198.18.1.1:5060");
  EXPECT_EQ(Resolve({.host = "[2001:db8::1]", .port = 5070, .protocol = sip::Protocol::kTcp}),
            "TCP [2001:db8::1]:5070");
  EXPECT_EQ(Resolve({.host = "198.18.1.1", .secure = true}), "TLS 198.18.1.1:5061");
  EXPECT_TRUE(dns_.questions().empty());
}

TEST_F(SipResolverTest, AsksForNoServicesWhenThePortIsGiven) {
  SetAddresses("pbx.example", {"198.18.1.1", "2001:db8::1"});
  EXPECT_EQ(Resolve({.host = "pbx.example", .port = 5070}), "UDP 198.18.1.1:5070, UDP [2001:db8::1]:5070");
  EXPECT_EQ(dns_.questions().size(), 2u);
}

TEST_F(SipResolverTest, TriesServicesByPriority) {
  dns_.Set("_sip._udp.example", RecordType::kSrv, {.services = {{20, 0, 5061, "b"}, {10, 0, 5060, "a"}}});
  SetAddresses("a", {"198.18.1.1"});
  SetAddresses("b", {"198.18.1.2"});
  EXPECT_EQ(Resolve({.host = "example", .protocol = sip::Protocol::kUdp}), "UDP 198.18.1.1:5060, UDP 198.18.1.2:5061");
}

TEST_F(SipResolverTest, TakesTheTransportsThatTheDomainOffers) {
  dns_.Set("_sip._tcp.example", RecordType::kSrv, {.services = {{0, 0, 5062, "a"}}});
  dns_.Set("_sips._tcp.example", RecordType::kSrv, {.services = {{0, 0, 5063, "a"}}});
  SetAddresses("a", {"198.18.1.1"});
  EXPECT_EQ(Resolve({.host = "example"}), "TCP 198.18.1.1:5062, TLS 198.18.1.1:5063");
  EXPECT_EQ(Resolve({.host = "example", .secure = true}), "TLS 198.18.1.1:5063");
}

TEST_F(SipResolverTest, TakesTheNameItselfWhereThereAreNoServices) {
  SetAddresses("example", {"198.18.1.1"});
  EXPECT_EQ(Resolve({.host = "example"}), "UDP 198.18.1.1:5060");
  EXPECT_EQ(Resolve({.host = "example", .secure = true}), "TLS 198.18.1.1:5061");
}

TEST_F(SipResolverTest, BelievesADomainThatOffersNoSip) {
  SetAddresses("example", {"198.18.1.1"});
  dns_.Set("_sip._udp.example", RecordType::kSrv, {.services = {{0, 0, 0, ""}}});
  EXPECT_EQ(Resolve({.host = "example", .protocol = sip::Protocol::kUdp}), "example offers no SIP");
}

TEST_F(SipResolverTest, TellsANameWithoutAddressFromServersThatAreSilent) {
  EXPECT_EQ(Resolve({.host = "none.example"}), "none.example has no address");
  dns_.SetFailing(true);
  EXPECT_EQ(Resolve({.host = "none.example"}), "none.example: no server answers");
}

TEST_F(SipResolverTest, TriesOnlySoManyServices) {
  Records many;
  for (uint16_t port = 1; port <= 60; ++port) many.services.push_back({0, 0, port, "a"});
  dns_.Set("_sip._udp.example", RecordType::kSrv, many);
  SetAddresses("a", {"198.18.1.1"});
  Resolve({.host = "example", .protocol = sip::Protocol::kUdp});
  EXPECT_EQ(last_.size(), 16u);
}

TEST_F(SipResolverTest, AnswersNobodyOnceItIsGone) {
  dns_.SetSlow(true);
  EXPECT_EQ(Resolve({.host = "example"}), "no answer");
  resolver_.reset();
  dns_.Answer();
  EXPECT_TRUE(last_.empty());
}

}  // namespace
}  // namespace sluice::dns
