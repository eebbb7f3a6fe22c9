#include "signaling/service/routing_config.h"

#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "process/controller_config.h"

namespace sluice::service {
namespace {

constexpr absl::string_view kUdpListener =
    "sip: {realm: r, listeners: [{transport: udp, address: \"198.18.1.1:5060\"}]}\n";

absl::StatusOr<std::shared_ptr<const routing::Plan>> Read(const std::string& text,
                                                          absl::string_view sip = kUdpListener) {
  std::shared_ptr<const routing::Plan> plan;
  const auto config = process::ReadControllerConfigText(
      absl::StrCat("name: c\nlisten: [\"unix:/c.sock\"]\nrelays: [{name: r, address: \"unix:/r.sock\"}]\n"
                   "store: {sqlite_file: \":memory:\"}\n",
                   sip, text),
      "test.yaml", [&](const process::ConfigFile& file, const config::v1::ControllerConfig& config) {
        auto read = ReadPlan(file, config);
        if (read.ok()) plan = *read;
        return read.status();
      });
  if (!config.ok()) return config.status();
  return plan;
}

constexpr absl::string_view kPeer = "peers: [{transport: udp, address: \"198.18.1.9:5060\"}]";

std::string Trunk(absl::string_view keys) { return absl::StrCat("trunks: [{name: carrier, ", kPeer, keys, "}]\n"); }

TEST(RoutingConfig, IsEmptyWithoutTrunksAndRoutes) {
  const auto plan = Read("");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE((*plan)->trunks().empty());
  EXPECT_EQ((*plan)->FindRoute({}, "112"), nullptr);
}

TEST(RoutingConfig, ReadsATrunkWithAllThatItHas) {
  const std::string file = testing::TempDir() + "/password";
  std::ofstream(file) << "secret\r\nsecond line\n";
  const auto plan =
      Read(Trunk(absl::StrCat(", domain: carrier.example.net, username: u, password_file: \"", file,
                              "\", realm: carrier, register: true, register_expires: 120s, from_domain: example.net, "
                              "inbound_addresses: [\"198.18.1.9\", \"198.18.1.10:5070\"], limits: {calls: 30, "
                              "calls_per_second: 5}, failover_after: 2s, overload_control: true, trust_identities: "
                              "true, follow_redirections: false")));
  std::remove(file.c_str());
  ASSERT_TRUE(plan.ok()) << plan.status();
  const routing::Trunk expected = {
      .name = "carrier",
      .peers = {{sip::Protocol::kUdp, "198.18.1.9", 5060}},
      .domain = "carrier.example.net",
      .username = "u",
      .password = "secret",
      .realm = "carrier",
      .registers = true,
      .register_expires = absl::Seconds(120),
      .from_user = "u",
      .from_domain = "example.net",
      .sources = {*sip::Endpoint::Make("198.18.1.9", 0), *sip::Endpoint::Parse("198.18.1.10:5070")},
      .limits = {30, 5},
      .failover_after = absl::Seconds(2),
      .overload_control = true,
      .trusts_identities = true,
      .follow_redirections = false};
  ASSERT_EQ((*plan)->trunks().size(), 1u);
  EXPECT_EQ(*(*plan)->trunks()[0], expected);
}

TEST(RoutingConfig, TakesNamesWithAndWithoutPort) {
  const auto plan = Read(
      "trunks: [{name: a, peers: [{transport: udp, address: \"sip.carrier.example:5070\"}, {address: carrier.example}, "
      "{transport: udp, address: \"[2001:db8::9]\"}], inbound_from_peers: true}]");
  ASSERT_TRUE(plan.ok()) << plan.status();
  const routing::Trunk& trunk = *(*plan)->trunks()[0];
  EXPECT_EQ(trunk.peers, (std::vector<routing::TrunkPeer>{{sip::Protocol::kUdp, "sip.carrier.example", 5070},
                                                          {std::nullopt, "carrier.example", 0},
                                                          {sip::Protocol::kUdp, "[2001:db8::9]", 0}}));
  EXPECT_TRUE(trunk.sources_are_servers);
}

TEST(RoutingConfig, ReadsARouteWithAllThatItHas) {
  const auto plan = Read(Trunk("") +
                         "routes:\n"
                         "- {name: out, number: \"0*\", to: [{trunk: carrier, priority: 2, weight: 3}], "
                         "called: {strip: 1, prepend: \"+49\"}, calling: {prepend: \"+4930\"}, media: released}\n"
                         "- {name: in, from: \"trunk:carrier\", number: \"+49*\", to: [{account: \"*\"}]}\n");
  ASSERT_TRUE(plan.ok()) << plan.status();
  const routing::Route* out = (*plan)->FindRoute({routing::Origin::Kind::kAccount, "alice"}, "030");
  ASSERT_NE(out, nullptr);
  ASSERT_EQ(out->trunks.size(), 1u);
  EXPECT_EQ(out->trunks[0].trunk->name, "carrier");
  EXPECT_EQ(out->trunks[0].priority, 2u);
  EXPECT_EQ(out->trunks[0].weight, 3u);
  EXPECT_EQ(out->called.Apply("030"), "+4930");
  EXPECT_EQ(out->calling.Apply("12"), "+493012");
  EXPECT_TRUE(out->media_released);
  const routing::Route* in = (*plan)->FindRoute({routing::Origin::Kind::kTrunk, "carrier"}, "+49301");
  ASSERT_NE(in, nullptr);
  EXPECT_EQ(in->account, routing::Route::kNumbersAccount);
  EXPECT_FALSE(in->media_released);
}

TEST(RoutingConfig, ReadsARouteThatBlocksNumbers) {
  const auto plan = Read(
      "routes:\n"
      "- {name: satellites, from: any, number: \"00881*\", refuse: 403}\n"
      "- {name: abroad, number: \"00*\", to: [{account: a}]}\n");
  ASSERT_TRUE(plan.ok()) << plan.status();
  for (const auto kind : {routing::Origin::Kind::kAccount, routing::Origin::Kind::kTrunk}) {
    const routing::Route* route = (*plan)->FindRoute({kind, "a"}, "0088112345");
    ASSERT_NE(route, nullptr);
    EXPECT_EQ(route->refusal, 403);
  }
  const routing::Route* route = (*plan)->FindRoute({routing::Origin::Kind::kAccount, "a"}, "0049");
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->refusal, 0);
}

TEST(RoutingConfig, ReadsARouteWhoseCallsAreNotAskedFor) {
  const auto plan = Read(
      "trunks: [{name: carrier, peers: [{transport: udp, address: \"198.18.9.1:5060\"}]}]\n"
      "routes:\n"
      "- {name: emergency, number: \"112\", to: [{trunk: carrier}], skip_admission: true}\n"
      "- {name: out, number: \"0*\", to: [{trunk: carrier}]}\n");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE((*plan)->FindRoute({routing::Origin::Kind::kAccount, "a"}, "112")->skips_admission);
  EXPECT_FALSE((*plan)->FindRoute({routing::Origin::Kind::kAccount, "a"}, "030")->skips_admission);
}

// A port for phones and carriers.
constexpr absl::string_view kTlsListener =
    "sip: {realm: r, listeners: [{transport: tls, address: \"198.18.1.1:5061\", certificate_file: a.pem, "
    "private_key_file: a.key, client_ca_file: carriers.pem, client_certificates_optional: true}]}\n";
constexpr absl::string_view kTlsPeer = "peers: [{transport: tls, address: \"sip.carrier.example:5061\"}]";

TEST(RoutingConfig, KnowsWhichTrunksHaveTlsAndCertificatesOfTheirOwn) {
  const auto plan = Read(absl::StrCat("trunks:\n- {name: a, ", kTlsPeer, ", tls: {}}\n- {name: b, ", kTlsPeer,
                                      ", inbound_certificates: [Carrier.example, other.example]}\n"),
                         kTlsListener);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ((*plan)->trunks().size(), 2u);
  EXPECT_TRUE((*plan)->trunks()[0]->has_own_tls);
  EXPECT_TRUE((*plan)->trunks()[0]->certificate_names.empty());
  EXPECT_FALSE((*plan)->trunks()[1]->has_own_tls);
  EXPECT_EQ((*plan)->trunks()[1]->certificate_names, (std::vector<std::string>{"carrier.example", "other.example"}));
}

TEST(RoutingConfig, NamesWhatIsWrongWithNamesOfCertificates) {
  const auto error = [](absl::string_view first, absl::string_view second) {
    return std::string(Read(absl::StrCat("trunks:\n- {name: a, ", kTlsPeer, ", inbound_certificates: [", first,
                                         "]}\n- {name: b, ", kTlsPeer, ", inbound_certificates: [", second, "]}\n"),
                            kTlsListener)
                           .status()
                           .message());
  };
  EXPECT_EQ(
      error("a.example", "\"*.b.example\""),
      "test.yaml:8: trunks[1].inbound_certificates[0]: is '*.b.example'; allowed: a domain as in the certificate, "
      "such as carrier.example, without wildcard");
  for (const absl::string_view wrong : {"\"198.18.1.9\"", "\"[2001:db8::9]\"", "\"b.example:5061\"", "\"\""}) {
    EXPECT_NE(error("a.example", wrong).find("allowed: a domain as in the certificate"), std::string::npos) << wrong;
  }
  EXPECT_EQ(error("a.example", "A.example"),
            "test.yaml:8: trunks[1].inbound_certificates[0]: 'A.example' stands twice: whose call would it be");
}

struct ErrorCase {
  std::string text;
  // Of the error line.
  std::string says;
};

TEST(RoutingConfig, NamesFileLineAndKeyOfWhatIsWrong) {
  const std::string route = "routes:\n- {name: out, number: \"0*\", ";
  const ErrorCase cases[] = {
      {"trunks: [{name: \"a b\"}]", "test.yaml:6: trunks[0].name: "},
      {"dns: {servers: [\"198.18.0.53\", \"ns.example\"]}", "dns.servers[1]: is 'ns.example'; allowed: ADDRESS"},
      {"trunks: [{name: a}]", "trunks[0].peers: is required"},
      {"trunks: [{name: a, peers: [{transport: udp, address: \"car rier:5060\"}]}]", "trunks[0].peers[0].address: "},
      {"trunks: [{name: a, peers: [{transport: udp, address: \"198.18.1.900\"}]}]", "trunks[0].peers[0].address: "},
      {"trunks: [{name: a, peers: [{transport: udp, address: \"[2001::db8::1]\"}]}]", "trunks[0].peers[0].address: "},
      {"trunks: [{name: a, peers: [{address: \"198.18.1.9\"}]}]", "trunks[0].peers[0].transport: is required where"},
      {"trunks: [{name: a, peers: [{address: \"sip.example:5060\"}]}]", "trunks[0].peers[0].transport: is required"},
      {"trunks: [{name: a, peers: [{transport: ws, address: \"sip.example:80\"}]}]",
       "trunks[0].peers[0].transport: allowed: udp, tcp or tls"},
      {"trunks: [{name: a, peers: [{transport: tcp, address: \"198.18.1.9:5060\"}]}]",
       "trunks[0].peers[0].transport: allowed: udp, tcp or tls, if a listener"},
      {Trunk(", tls: {}"), "trunks[0].tls: is of no use: none of its peers is reached by tls"},
      {Trunk(", inbound_certificates: [carrier.example]"),
       "trunks[0].inbound_certificates: no tls listener of sip.listeners asks for certificates"},
      {Trunk(", username: u"), "trunks[0]: username, password_file and realm are set together"},
      {Trunk(", username: u, realm: r, password_file: \"/nowhere\""), "trunks[0].password_file: cannot be read"},
      {Trunk(", register: true"), "trunks[0].register: wants from_user or username"},
      {Trunk(", failover_after: 100ms"), "trunks[0].failover_after: allowed: 1s to 32s"},
      {Trunk(", register_expires: 10s"), "trunks[0].register_expires: is too short"},
      {Trunk(", domain: \"a b\""), "trunks[0].domain: is 'a b'"},
      {Trunk(", inbound_addresses: [\"198.18.1.0/24\"]"), "trunks[0].inbound_addresses[0]: is '198.18.1.0/24'"},
      {Trunk(", inbound_addresses: [\"198.18.1.9\", \"198.18.1.9\"]"), "inbound_addresses[1]: '198.18.1.9' stands"},
      {absl::StrCat("trunks:\n- {name: a, ", kPeer, "}\n- {name: a, ", kPeer, "}\n"),
       "test.yaml:8: trunks[1].name: 'a' stands twice"},
      {"routes: [{number: \"1\"}]", "routes[0].name: "},
      {"routes:\n- name: out\n  number: \"1**\"\n", "test.yaml:8: routes[0].number: '1**' has a * that is not at"},
      {route + "from: phones, to: [{account: a}]}", "routes[0].from: is 'phones'; allowed: accounts, trunks, any"},
      {route + "from: \"trunk:x\", to: [{account: a}]}", "routes[0].from: there is no trunk 'x'"},
      {route + "from: \"account:\", to: [{account: a}]}", "routes[0].from: is 'account:'"},
      {route + "}", "routes[0].to: is required"},
      {route + "refuse: 200}", "routes[0].refuse: is 200; allowed: a SIP status from 400 to 699"},
      {route + "refuse: 700}", "routes[0].refuse: is 700; allowed"},
      {route + "refuse: 403, to: [{account: a}]}", "routes[0].to: a route that refuses goes to nobody"},
      {route + "refuse: 403, called: {strip: 1}}", "routes[0].called: means nothing to a route that refuses"},
      {route + "refuse: 403, media: released}", "routes[0].media: means nothing"},
      {route + "refuse: 403, skip_admission: true}", "routes[0].skip_admission: means nothing"},
      {route + "to: [{account: a}], skip_admission: true}", "routes[0].skip_admission: is for routes to trunks"},
      {route + "to: [{priority: 1}]}", "routes[0].to[0]: wants either account or trunk"},
      {route + "to: [{account: a, weight: 1}]}", "routes[0].to[0]: priority and weight are for trunks"},
      {route + "to: [{account: a}, {account: b}]}", "routes[0].to[0].account: is alone"},
      {route + "to: [{trunk: x}]}", "routes[0].to[0].trunk: there is no trunk 'x'"},
      {Trunk("") + route + "to: [{trunk: carrier}, {trunk: carrier}]}", "routes[0].to[1].trunk: 'carrier' stands"},
      {Trunk("") + route + "to: [{trunk: carrier, weight: 70000}]}", "routes[0].to[0].weight: is too much"},
      {route + "to: [{account: a}], called: {strip: 33}}", "routes[0].called.strip: is too much"},
      {route + "to: [{account: a}], calling: {prepend: \"a\"}}", "routes[0].calling.prepend: is 'a'; allowed"},
      {route + "to: [{account: a}]}\n- {name: out, number: \"1\", to: [{account: a}]}",
       "test.yaml:8: routes[1].name: 'out' stands twice"},
  };
  for (const ErrorCase& c : cases) {
    const auto plan = Read(c.text);
    ASSERT_FALSE(plan.ok()) << c.text;
    EXPECT_NE(plan.status().message().find(c.says), absl::string_view::npos) << plan.status().message();
  }
}

}  // namespace
}  // namespace sluice::service
