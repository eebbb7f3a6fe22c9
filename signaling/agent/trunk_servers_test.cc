#include "signaling/agent/trunk_servers.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"
#include "signaling/dns/dns_client_fake.h"
#include "signaling/dns/sip_resolver.h"

namespace sluice::agent {
namespace {

using dns::RecordType;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

class TrunkServersTest : public testing::Test {
 protected:
  TrunkServersTest() { trunk_.name = "carrier"; }

  void SetAddress(const std::string& name, absl::string_view address) {
    dns_.Set(name, RecordType::kA, {.addresses = {*sip::Endpoint::Make(address, 0)}});
  }
  void UsePlan() {
    plan_trunk_ = std::make_shared<const routing::Trunk>(trunk_);
    servers_.SetPlan(routing::Plan({plan_trunk_}, {}), kStart);
  }
  // "UDP 198.18.3.1:5060 as carrier.example", …
  std::string Found() {
    return absl::StrJoin(servers_.Find(*plan_trunk_), ", ", [](std::string* out, const TrunkServer& server) {
      absl::StrAppend(out, sip::ProtocolName(server.destination.protocol), " ", server.destination.address.ToString(),
                      " as ", server.host, server.port == 0 ? "" : absl::StrCat(":", server.port));
    });
  }

  // "sip.carrier.example", or with the trunk's own certificate "sip.carrier.example as carrier".
  std::string NameOf(uint32_t number) const {
    const transport::TlsPeer peer = network_.TlsPeerOf(number);
    return peer.trunk.empty() ? peer.name : absl::StrCat(peer.name, " as ", peer.trunk);
  }

  std::vector<std::string> TlsNames() {
    std::vector<std::string> names;
    for (const TrunkServer& server : servers_.Find(*plan_trunk_)) names.push_back(NameOf(server.tls_peer));
    return names;
  }

  FakeNetwork network_;
  dns::DnsClientFake dns_;
  dns::SipResolver resolver_{dns_, [this](uint32_t bound) { return std::min(drawn_, bound); }};
  uint32_t drawn_ = 0;
  TrunkServers servers_{resolver_, network_};
  routing::Trunk trunk_;
  std::shared_ptr<const routing::Trunk> plan_trunk_;
};

TEST_F(TrunkServersTest, TakesAddressesAsTheyAre) {
  trunk_.peers = {{sip::Protocol::kUdp, "198.18.3.1", 5070}, {sip::Protocol::kTcp, "[2001:db8::3]", 0}};
  UsePlan();
  EXPECT_EQ(Found(), "UDP 198.18.3.1:5070 as 198.18.3.1:5070, TCP [2001:db8::3]:5060 as 2001:db8::3");
  EXPECT_TRUE(dns_.questions().empty());
}

TEST_F(TrunkServersTest, TriesTheServersOfADomainByPriorityAndWeight) {
  dns_.Set("_sip._udp.carrier.example", RecordType::kSrv,
           {.services = {{1, 10, 5060, "a"}, {1, 90, 5060, "b"}, {2, 0, 5062, "c"}}});
  SetAddress("a", "198.18.3.1");
  SetAddress("b", "198.18.3.2");
  SetAddress("c", "198.18.3.3");
  trunk_.peers = {{std::nullopt, "carrier.example", 0}};
  UsePlan();
  EXPECT_EQ(Found(),
            "UDP 198.18.3.1:5060 as carrier.example, UDP 198.18.3.2:5060 as carrier.example, "
            "UDP 198.18.3.3:5062 as carrier.example");
  // Drawn anew for each call.
  drawn_ = 50;
  EXPECT_EQ(Found(),
            "UDP 198.18.3.2:5060 as carrier.example, UDP 198.18.3.1:5060 as carrier.example, "
            "UDP 198.18.3.3:5062 as carrier.example");
}

TEST_F(TrunkServersTest, HasNothingUntilTheDnsAnswersAndDoesNotAskTwiceMeanwhile) {
  dns_.SetSlow(true);
  SetAddress("sip.carrier.example", "198.18.3.1");
  trunk_.peers = {{sip::Protocol::kUdp, "sip.carrier.example", 5060}};
  UsePlan();
  EXPECT_EQ(Found(), "");
  const size_t questions = dns_.questions().size();
  EXPECT_EQ(Found(), "");
  EXPECT_EQ(dns_.questions().size(), questions);
  dns_.Answer();
  EXPECT_EQ(Found(), "UDP 198.18.3.1:5060 as sip.carrier.example:5060");
}

TEST_F(TrunkServersTest, KeepsWhatWasSaidLastWhenNobodyAnswersAndNothingWhenThereIsNothing) {
  SetAddress("sip.carrier.example", "198.18.3.1");
  trunk_.peers = {{sip::Protocol::kUdp, "sip.carrier.example", 5060}};
  UsePlan();
  dns_.SetFailing(true);
  EXPECT_EQ(Found(), "UDP 198.18.3.1:5060 as sip.carrier.example:5060");
  dns_.SetFailing(false);
  dns_.Set("sip.carrier.example", RecordType::kA, {});
  EXPECT_EQ(Found(), "");
}

TEST_F(TrunkServersTest, LooksAgainEvery30Seconds) {
  SetAddress("sip.carrier.example", "198.18.3.1");
  trunk_.peers = {{sip::Protocol::kUdp, "sip.carrier.example", 5060}};
  trunk_.sources_are_servers = true;
  UsePlan();
  SetAddress("sip.carrier.example", "198.18.3.2");
  EXPECT_EQ(servers_.NextDeadline(), kStart + absl::Seconds(30));
  servers_.Advance(servers_.NextDeadline());
  EXPECT_EQ(servers_.FindSource(*sip::Endpoint::Parse("198.18.3.2:40000")), plan_trunk_);
  EXPECT_EQ(servers_.FindSource(*sip::Endpoint::Parse("198.18.3.1:5060")), nullptr);
}

TEST_F(TrunkServersTest, TakesCallsFromItsServersOnlyIfThatIsSaid) {
  trunk_.peers = {{sip::Protocol::kUdp, "198.18.3.1", 5060}};
  UsePlan();
  EXPECT_EQ(servers_.FindSource(*sip::Endpoint::Parse("198.18.3.1:5060")), nullptr);
  trunk_.sources_are_servers = true;
  UsePlan();
  EXPECT_EQ(servers_.FindSource(*sip::Endpoint::Parse("198.18.3.1:5060")), plan_trunk_);
}

TEST_F(TrunkServersTest, SaysWhomATlsServerMustSpeakFor) {
  SetAddress("sip.carrier.example", "198.18.3.1");
  trunk_.peers = {{sip::Protocol::kTls, "sip.carrier.example", 5061}, {sip::Protocol::kTls, "198.18.3.2", 5061}};
  UsePlan();
  EXPECT_EQ(TlsNames(), (std::vector<std::string>{"sip.carrier.example", "198.18.3.2"}));
  trunk_.domain = "carrier.example";
  UsePlan();
  EXPECT_EQ(TlsNames(), (std::vector<std::string>{"sip.carrier.example", "carrier.example"}));
  // In-dialog requests may open a connection to whom a call came from.
  const uint32_t name = servers_.TlsPeerAt(*plan_trunk_, *sip::Endpoint::Parse("198.18.3.2:40000"), "");
  EXPECT_EQ(NameOf(name), "carrier.example");
  const dns::Destination server = {sip::Protocol::kTls, *sip::Endpoint::Parse("198.18.3.2:5061")};
  EXPECT_TRUE(servers_.FindServer({server, name}).has_value());
  EXPECT_FALSE(servers_.FindServer({server, name + 1}).has_value()) << "another name at that address";
}

TEST_F(TrunkServersTest, WantsTheNameOfTheConfigAlsoFromAServerThatAnotherDomainHas) {
  dns_.Set("carrier.example", RecordType::kNaptr,
           {.pointers = {{1, 1, "s", "SIPS+D2T", "", "_sips._tcp.operator.example"}}});
  dns_.Set("_sips._tcp.operator.example", RecordType::kSrv, {.services = {{1, 1, 5071, "sip.operator.example"}}});
  SetAddress("sip.operator.example", "198.18.3.1");
  trunk_.peers = {{std::nullopt, "carrier.example", 0}};
  UsePlan();
  EXPECT_EQ(Found(), "TLS 198.18.3.1:5071 as carrier.example");
  EXPECT_EQ(TlsNames(), std::vector<std::string>{"carrier.example"});
}

TEST_F(TrunkServersTest, SaysWhomACallOfATrunkMustSpeakForWhereNoneOfItsServersIs) {
  SetAddress("sip.carrier.example", "198.18.3.1");
  trunk_.peers = {{sip::Protocol::kTls, "sip.carrier.example", 5061}, {sip::Protocol::kUdp, "198.18.3.2", 5060}};
  const auto name_at = [&](absl::string_view address, const std::string& certificate_name) {
    return NameOf(servers_.TlsPeerAt(*plan_trunk_, *sip::Endpoint::Parse(address), certificate_name));
  };
  UsePlan();
  EXPECT_EQ(name_at("198.18.3.1:40000", "out.carrier.example"), "sip.carrier.example");
  EXPECT_EQ(name_at("198.18.3.9:40000", "out.carrier.example"), "out.carrier.example");
  EXPECT_EQ(name_at("198.18.3.2:40000", "out.carrier.example"), "out.carrier.example") << "that one is no TLS server";
  EXPECT_EQ(name_at("198.18.3.9:40000", ""), "") << "the address itself";
  trunk_.domain = "carrier.example";
  trunk_.has_own_tls = true;
  UsePlan();
  EXPECT_EQ(name_at("198.18.3.1:40000", "out.carrier.example"), "sip.carrier.example as carrier");
  EXPECT_EQ(name_at("198.18.3.9:40000", "out.carrier.example"), "carrier.example as carrier");
}

TEST_F(TrunkServersTest, KeepsServersApartOfTrunksWithCertificatesOfTheirOwn) {
  SetAddress("sip.carrier.example", "198.18.3.1");
  trunk_.peers = {{sip::Protocol::kTls, "sip.carrier.example", 5061}};
  routing::Trunk other = trunk_;
  other.name = "other";
  for (const bool own : {false, true, false}) {
    other.has_own_tls = own;
    const auto theirs = std::make_shared<const routing::Trunk>(other);
    plan_trunk_ = std::make_shared<const routing::Trunk>(trunk_);
    servers_.SetPlan(routing::Plan({plan_trunk_, theirs}, {}), kStart);
    const std::vector<TrunkServer> one = servers_.Find(*plan_trunk_);
    const std::vector<TrunkServer> two = servers_.Find(*theirs);
    ASSERT_EQ(one.size(), 1u);
    ASSERT_EQ(two.size(), 1u);
    EXPECT_EQ(one[0].tried() == two[0].tried(), !own);
    EXPECT_EQ(NameOf(two[0].tls_peer), own ? "sip.carrier.example as other" : "sip.carrier.example");
    EXPECT_TRUE(servers_.FindServer(two[0].tried()).has_value());
  }
}

TEST_F(TrunkServersTest, KeepsTheAddressesOfATrunkThroughAReload) {
  SetAddress("sip.carrier.example", "198.18.3.1");
  trunk_.peers = {{sip::Protocol::kUdp, "sip.carrier.example", 5060}};
  UsePlan();
  dns_.SetSlow(true);
  trunk_.limits.calls = 5;
  UsePlan();
  EXPECT_EQ(Found(), "UDP 198.18.3.1:5060 as sip.carrier.example:5060");
  const TriedServer server = {{sip::Protocol::kUdp, *sip::Endpoint::Parse("198.18.3.1:5060")}};
  EXPECT_TRUE(servers_.FindServer(server).has_value());
  servers_.SetPlan(routing::Plan(), kStart);
  EXPECT_FALSE(servers_.FindServer(server).has_value());
  EXPECT_EQ(Found(), "");
  // The answer to a question of before finds nobody.
  dns_.Answer();
}

}  // namespace
}  // namespace sluice::agent
