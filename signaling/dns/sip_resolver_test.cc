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

TEST_F(SipResolverTest, FollowsThePointersOfTheDomainInTheirOrderAlsoToOtherDomains) {
  dns_.Set("example", RecordType::kNaptr,
           {.pointers = {{20, 5, "s", "SIP+D2U", "", "_sip._udp.example"},
                         {10, 7, "S", "sip+d2t", "", "_sip._tcp.operator.example"},
                         {10, 5, "s", "SIPS+D2T", "", "_sips._tcp.other.example"}}});
  dns_.Set("_sip._udp.example", RecordType::kSrv, {.services = {{0, 0, 5060, "a"}}});
  dns_.Set("_sip._tcp.operator.example", RecordType::kSrv, {.services = {{2, 0, 5062, "a"}, {1, 0, 5062, "b"}}});
  dns_.Set("_sips._tcp.other.example", RecordType::kSrv, {.services = {{0, 0, 5063, "b"}}});
  // What a domain that points elsewhere may still have.
  dns_.Set("_sip._tcp.example", RecordType::kSrv, {.services = {{0, 0, 9, "a"}}});
  SetAddresses("a", {"198.18.1.1"});
  SetAddresses("b", {"198.18.1.2"});
  EXPECT_EQ(Resolve({.host = "example"}),
            "TLS 198.18.1.2:5063, TCP 198.18.1.2:5062, TCP 198.18.1.1:5062, UDP 198.18.1.1:5060");
  EXPECT_EQ(Resolve({.host = "example", .secure = true}), "TLS 198.18.1.2:5063");
}

TEST_F(SipResolverTest, AsksForNoPointersWhereTheTransportOrThePortIsGiven) {
  dns_.Set("example", RecordType::kNaptr, {.pointers = {{1, 1, "s", "SIP+D2T", "", "_sip._tcp.operator.example"}}});
  dns_.Set("_sip._tcp.operator.example", RecordType::kSrv, {.services = {{0, 0, 9, "a"}}});
  dns_.Set("_sip._tcp.example", RecordType::kSrv, {.services = {{0, 0, 5062, "a"}}});
  SetAddresses("a", {"198.18.1.1"});
  SetAddresses("example", {"198.18.1.2"});
  EXPECT_EQ(Resolve({.host = "example", .protocol = sip::Protocol::kTcp}), "TCP 198.18.1.1:5062");
  EXPECT_EQ(Resolve({.host = "example", .port = 5070}), "UDP 198.18.1.2:5070");
}

TEST_F(SipResolverTest, PassesOverPointersThatItCannotFollow) {
  const std::string name = "_sip._tcp.operator.example";
  dns_.Set(name, RecordType::kSrv, {.services = {{0, 0, 9, "a"}}});
  dns_.Set("_sip._udp.example", RecordType::kSrv, {.services = {{0, 0, 5060, "a"}}});
  SetAddresses("a", {"198.18.1.1"});
  for (const ServicePointer& pointer : std::vector<ServicePointer>{{1, 1, "u", "SIP+D2T", "", name},
                                                                   {1, 1, "", "SIP+D2T", "", name},
                                                                   {1, 1, "sa", "SIP+D2T", "", name},
                                                                   {1, 1, "s", "SIP+D2T", "!^.*$!x!", name},
                                                                   {1, 1, "s", "SIP+D2T", "", ""},
                                                                   {1, 1, "s", "SIP+D2S", "", name},
                                                                   {1, 1, "s", "E2U+sip", "", name},
                                                                   {1, 1, "s", "", "", name}}) {
    dns_.Set("example", RecordType::kNaptr, {.pointers = {pointer}});
    EXPECT_EQ(Resolve({.host = "example"}), "UDP 198.18.1.1:5060") << pointer.service << " " << pointer.flags;
    dns_.Set("example", RecordType::kNaptr, {.pointers = {pointer, {9, 9, "s", "SIP+D2T", "", name}}});
    EXPECT_EQ(Resolve({.host = "example"}), "TCP 198.18.1.1:9") << pointer.service << " " << pointer.flags;
  }
}

TEST_F(SipResolverTest, TakesNoOtherTransportThanTheDomainPointsTo) {
  dns_.Set("example", RecordType::kNaptr, {.pointers = {{1, 1, "s", "SIPS+D2T", "", "_sips._tcp.example"}}});
  SetAddresses("example", {"198.18.1.1"});
  EXPECT_EQ(Resolve({.host = "example"}), "TLS 198.18.1.1:5061") << "there are no services";
  SipResolver without_tls(dns_, [](uint32_t) { return 0; }, {.protocols = {sip::Protocol::kUdp}});
  without_tls.Resolve({.host = "example"}, [&](const auto& destinations) { last_ = *destinations; });
  EXPECT_EQ(last_.at(0).protocol, sip::Protocol::kUdp) << "nothing that is spoken is pointed to";
}

TEST_F(SipResolverTest, GoesOnWithoutPointersThatNobodyCouldTell) {
  dns_.Fail("example", RecordType::kNaptr);
  EXPECT_EQ(Resolve({.host = "example"}), "example: no server answers") << "there may be some";
  dns_.Set("_sip._udp.example", RecordType::kSrv, {.services = {{0, 0, 5060, "a"}}});
  SetAddresses("a", {"198.18.1.1"});
  EXPECT_EQ(Resolve({.host = "example"}), "UDP 198.18.1.1:5060");
}

TEST_F(SipResolverTest, FollowsOnlySoManyPointers) {
  Records many;
  for (uint16_t i = 1; i <= 60; ++i) many.pointers.push_back({i, 0, "s", "SIP+D2U", "", absl::StrCat("n", i)});
  dns_.Set("example", RecordType::kNaptr, many);
  Resolve({.host = "example"});
  // One for them, eight for what they point to, two for the name itself.
  EXPECT_EQ(dns_.questions().size(), 11u);
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
