#include "signaling/service/controller_options.h"

#include "gtest/gtest.h"
#include "process/controller_config.h"

namespace sluice::service {
namespace {

config::v1::ControllerConfig Config(const std::string& sip, const std::string& rest = "") {
  const auto config = process::ReadControllerConfigText(
      "name: controller-1\nlisten: [\"unix:/run/sluice/controller.sock\"]\n"
      "relays: [{name: relay-1, address: \"unix:/run/sluice/relay.sock\"}]\n"
      "store: {sqlite_file: \":memory:\"}\nsip:\n" +
          sip + rest,
      "test.yaml");
  EXPECT_TRUE(config.ok()) << config.status();
  return *config;
}

std::shared_ptr<const call::CallOptions> CallOptionsOf(const config::v1::ControllerConfig& config) {
  return ToPresentOptions(config, std::make_shared<const routing::Plan>()).calls;
}

agent::ShardsOptions ShardsOptionsOf(const config::v1::ControllerConfig& config) {
  return ToShardsOptions(config, std::make_shared<const routing::Plan>());
}

TEST(ControllerOptions, CallsUsByTheRealmIfThatIsAHost) {
  const auto config =
      Config("  realm: sip.example.net\n  listeners: [{transport: udp, address: \"198.18.1.1:7080\"}]\n");
  EXPECT_EQ(CallOptionsOf(config)->domain, "sip.example.net");
}

TEST(ControllerOptions, CallsUsByAListenerIfTheRealmIsNoHost) {
  EXPECT_EQ(CallOptionsOf(Config("  realm: ASG Switch\n  listeners:\n"
                                 "  - {transport: udp, address: \"0.0.0.0:5060\"}\n"
                                 "  - {transport: tcp, address: \"198.18.1.1:7080\"}\n"))
                ->domain,
            "198.18.1.1");
  EXPECT_EQ(CallOptionsOf(Config("  realm: ASG Switch\n  listeners:\n"
                                 "  - {transport: udp, address: \"0.0.0.0:5060\", "
                                 "advertised_address: \"sip.example.net:5060\"}\n"))
                ->domain,
            "sip.example.net");
}

TEST(ControllerOptions, CarriesTheListenersAndLimitsToTheShards) {
  const agent::ShardsOptions options = ShardsOptionsOf(
      Config("  realm: ASG Switch\n  domains: [example.net]\n  shards: 2\n  max_message_bytes: 4096\n  listeners:\n"
             "  - {transport: tcp, address: \"[2001:db8::1]:5060\"}\n",
             "calls: {kept_calls: 10, caller_network: phones}\n"));
  EXPECT_EQ(options.shards, 2u);
  ASSERT_EQ(options.transport.listeners.size(), 1u);
  EXPECT_EQ(options.transport.listeners[0].protocol, sip::Protocol::kTcp);
  EXPECT_EQ(options.transport.listeners[0].address.ToString(), "[2001:db8::1]:5060");
  EXPECT_EQ(options.transport.udp.max_message_bytes, 4096u);
  EXPECT_EQ(options.agent.transactions.message_limits.message_bytes, 4096u);
  EXPECT_EQ(options.agent.kept_calls, 5u);
  EXPECT_FALSE(options.agent.keeps_calls) << "a store in memory outlives nothing";
  EXPECT_EQ(options.agent.networks.caller, "phones");
  EXPECT_EQ(options.agent.domains, (std::vector<std::string>{"ASG Switch", "example.net"}));
}

TEST(ControllerOptions, LimitsStrangersUnlessToldOtherwise) {
  const std::string sip = "  realm: r\n  listeners: [{transport: udp, address: \"198.18.1.1:7080\"}]\n";
  EXPECT_EQ(ShardsOptionsOf(Config(sip)).strangers.requests_per_second, 500u);
  EXPECT_EQ(ShardsOptionsOf(Config(sip, "abuse: {requests_per_second: 20}\n")).strangers.requests_per_second, 20u);
  EXPECT_EQ(ShardsOptionsOf(Config(sip, "abuse: {requests_per_second: 0}\n")).strangers.requests_per_second, 0u);
}

TEST(ControllerOptions, CarriesTheFilesOfTlsToListenersAndClient) {
  const agent::ShardsOptions options = ShardsOptionsOf(
      Config("  realm: r\n  tls_client: {ca_file: ca.pem, certificate_file: us.pem, private_key_file: us.key}\n"
             "  listeners:\n  - {transport: wss, address: \"198.18.1.1:443\", certificate_file: web.pem, "
             "private_key_file: web.key, client_ca_file: phones.pem, client_certificates_optional: true}\n"));
  ASSERT_EQ(options.transport.listeners.size(), 1u);
  const transport::Listener& listener = options.transport.listeners[0];
  EXPECT_EQ(listener.protocol, sip::Protocol::kWss);
  EXPECT_EQ(listener.tls.certificate_file, "web.pem");
  EXPECT_EQ(listener.tls.private_key_file, "web.key");
  EXPECT_EQ(listener.tls.ca_file, "phones.pem");
  EXPECT_TRUE(listener.client_certificates_are_optional);
  EXPECT_EQ(options.tls_client.ca_file, "ca.pem");
  EXPECT_EQ(options.tls_client.certificate_file, "us.pem");
  EXPECT_EQ(options.tls_client.private_key_file, "us.key");
}

TEST(ControllerOptions, OffersTheDigestsOfTheConfigInItsOrder) {
  const std::string listener = "  listeners: [{transport: udp, address: \"198.18.1.1:7080\"}]\n";
  EXPECT_EQ(ShardsOptionsOf(Config("  realm: r\n" + listener)).agent.authentication.algorithms,
            (std::vector<sip::DigestAlgorithm>{sip::DigestAlgorithm::kSha256, sip::DigestAlgorithm::kMd5}));
  EXPECT_EQ(
      ShardsOptionsOf(Config("  realm: r\n  digest_algorithms: [MD5]\n" + listener)).agent.authentication.algorithms,
      (std::vector<sip::DigestAlgorithm>{sip::DigestAlgorithm::kMd5}));
}

TEST(ControllerOptions, PassesRedirectionsAndMakesTransfersUnlessToldOtherwise) {
  const std::string sip = "  realm: r\n  listeners: [{transport: udp, address: \"198.18.1.1:7080\"}]\n";
  EXPECT_FALSE(CallOptionsOf(Config(sip))->follows_redirections);
  EXPECT_FALSE(CallOptionsOf(Config(sip))->passes_refer);
  const auto config = Config(sip + "calls: {follow_redirections: true, pass_transfers: true}\n");
  EXPECT_TRUE(CallOptionsOf(config)->follows_redirections);
  EXPECT_TRUE(CallOptionsOf(config)->passes_refer);
}

TEST(ControllerOptions, BlocksHeadersInAnySpelling) {
  const auto config = Config(
      "  realm: r\n  blocked_headers: [X-Secret]\n  listeners: [{transport: udp, address: \"198.18.1.1:7080\"}]\n");
  EXPECT_TRUE(CallOptionsOf(config)->blocked_headers.contains("x-secret"));
}

TEST(ControllerOptions, AsksForAdmissionWhereTheConfigHasAService) {
  const std::string sip = "  realm: r\n  listeners: [{transport: udp, address: \"198.18.1.1:7080\"}]\n";
  const auto plan = std::make_shared<const routing::Plan>();
  EXPECT_FALSE(ToAdmissionOptions(Config(sip)).has_value());
  const auto config = Config(sip + "admission: {address: \"unix:/r.sock\", timeout: 1s, on_failure: allow}\n");
  ASSERT_TRUE(ToAdmissionOptions(config).has_value());
  EXPECT_EQ(ToAdmissionOptions(config)->address, "unix:/r.sock");
  EXPECT_EQ(ToAdmissionOptions(config)->controller, "controller-1");
  EXPECT_EQ(ToPresentOptions(config, plan).admission.timeout, absl::Seconds(1));
  EXPECT_TRUE(ToPresentOptions(config, plan).admission.allows_on_failure);
  EXPECT_FALSE(
      ToPresentOptions(Config(sip + "admission: {address: \"unix:/r.sock\"}\n"), plan).admission.allows_on_failure);
}

TEST(ControllerOptions, WritesToRelaysUnderTheControllersName) {
  const fleet::FleetOptions options =
      ToFleetOptions(Config("  realm: r\n  listeners: [{transport: udp, address: \"198.18.1.1:7080\"}]\n"), 7);
  EXPECT_EQ(options.writer, "controller-1");
  EXPECT_EQ(options.epoch, 7u);
  ASSERT_EQ(options.relays.size(), 1u);
  EXPECT_EQ(options.relays[0].name, "relay-1");
}

}  // namespace
}  // namespace sluice::service
