#include "process/controller_config.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace sluice::process {
namespace {

constexpr char kGood[] = R"(name: controller-1
listen: ["unix:/run/sluice/controller.sock", "[::1]:7080"]
sip:
  realm: sip.example.org
  listeners:
    - {transport: udp, address: "198.18.1.1:5060"}
    - {transport: tcp, address: "198.18.1.1:5060"}
relays:
  - {name: relay-1, address: "unix:/run/sluice/relay.sock"}
store:
  sqlite_file: /var/lib/sluice/controller.db
)";

TEST(ControllerConfig, TakesAConfigThatIsRightAndFillsInTheDefaults) {
  const auto config = ReadControllerConfigText(kGood, "controller.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->sip().listeners(1).transport(), config::v1::SIP_TRANSPORT_TCP);
  EXPECT_EQ(config->sip().shards(), 1u);
  EXPECT_EQ(config->sip().user_agent(), "Sluice");
  EXPECT_EQ(config->calls().session_expires().seconds(), 1800);
  EXPECT_EQ(config->calls().probe_interval().seconds(), 300);
  EXPECT_EQ(config->registrar().default_expires().seconds(), 3600);
}

TEST(ControllerConfig, RefusesWhatIsNotDecidedUnlessToldOtherwise) {
  const auto read = [](const std::string& admission) {
    const auto config = ReadControllerConfigText(absl::StrReplaceAll(kGood, {{"store:", admission + "store:"}}), "");
    EXPECT_TRUE(config.ok()) << config.status();
    return *config;
  };
  EXPECT_FALSE(read("").has_admission());
  const std::string address = "admission: {address: \"unix:/run/rating.sock\"";
  EXPECT_EQ(read(address + "}\n").admission().on_failure(), config::v1::ADMISSION_FAILURE_REFUSE);
  EXPECT_EQ(read(address + "}\n").admission().timeout().nanos(), 500'000'000);
  EXPECT_EQ(read(address + ", on_failure: allow}\n").admission().on_failure(), config::v1::ADMISSION_FAILURE_ALLOW);
}

TEST(ControllerConfig, KeepsCallsWhereItHasAFileUnlessToldOtherwise) {
  const auto keeps = [](const char* store) {
    const auto config = ReadControllerConfigText(
        absl::StrReplaceAll(kGood, {{"sqlite_file: /var/lib/sluice/controller.db", store}}), "controller.yaml");
    EXPECT_TRUE(config.ok()) << config.status();
    return config->store().keep_calls();
  };
  EXPECT_TRUE(keeps("sqlite_file: controller.db"));
  EXPECT_FALSE(keeps("sqlite_file: controller.db\n  keep_calls: false"));
  EXPECT_FALSE(keeps("sqlite_file: \":memory:\""));
}

struct WrongCase {
  const char* description;
  const char* from;
  const char* to;
  const char* error;
};

class WrongControllerConfig : public testing::TestWithParam<WrongCase> {};

TEST_P(WrongControllerConfig, IsRefusedWithFileLineKeyAndWhatIsAllowed) {
  const WrongCase& wrong = GetParam();
  const std::string text = absl::StrReplaceAll(kGood, {{wrong.from, wrong.to}});
  ASSERT_NE(text, kGood);
  const auto config = ReadControllerConfigText(text, "controller.yaml");
  ASSERT_FALSE(config.ok()) << wrong.description;
  const std::string expected = absl::StrCat("controller.yaml:", wrong.error);
  EXPECT_EQ(std::string(config.status().message()).substr(0, expected.size()), expected) << wrong.description;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongControllerConfig,
    testing::Values(
        WrongCase{"a transport that does not exist", "transport: udp", "transport: sctp",
                  "6: sip.listeners[0].transport: 'sctp' is not allowed; allowed: udp, tcp, tls, ws, wss"},
        WrongCase{"an address without port", "address: \"198.18.1.1:5060\"}\n    - {transport: tcp",
                  "address: \"198.18.1.1\"}\n    - {transport: tcp",
                  "6: sip.listeners[0].address: '198.18.1.1' is not an address with a port"},
        WrongCase{"a listener twice", "transport: tcp", "transport: udp", "7: sip.listeners[1].address: stands twice"},
        WrongCase{"a port for TCP and for WebSockets", "transport: udp", "transport: ws",
                  "7: sip.listeners[1].address: stands twice; tcp, tls, ws and wss each want a port"},
        WrongCase{"TLS without certificate", "transport: tcp", "transport: tls",
                  "7: sip.listeners[1]: tls and wss want certificate_file"},
        WrongCase{"a digest that nobody knows", "  realm: sip.example.org\n",
                  "  realm: sip.example.org\n  digest_algorithms: [MD5, SHA-1]\n",
                  "5: sip.digest_algorithms[1]: is 'SHA-1'; allowed: MD5, SHA-256, SHA-512-256"},
        WrongCase{"a digest twice", "  realm: sip.example.org\n",
                  "  realm: sip.example.org\n  digest_algorithms: [MD5, MD5]\n",
                  "5: sip.digest_algorithms[1]: 'MD5' stands twice"},
        WrongCase{"certificates of clients without TLS", "transport: tcp", "client_ca_file: ca.pem, transport: tcp",
                  "7: sip.listeners[1]: certificate_file, private_key_file and client_ca_file are for"},
        WrongCase{"certificates that may be shown and nobody believes", "transport: tcp",
                  "client_certificates_optional: true, transport: tcp",
                  "7: sip.listeners[1].client_certificates_optional: wants client_ca_file"},
        WrongCase{"a key of ours without its certificate", "  realm: sip.example.org\n",
                  "  realm: sip.example.org\n  tls_client: {private_key_file: us.key}\n",
                  "5: sip.tls_client: certificate_file and private_key_file are set together"},
        WrongCase{"requests that never go by UDP", "  realm: sip.example.org\n",
                  "  realm: sip.example.org\n  max_udp_request_bytes: 100\n",
                  "5: sip.max_udp_request_bytes: allowed: 256 to 65535"},
        WrongCase{"keepalives that would be a flood", "store:", "registrar: {keepalive_interval: 1s}\nstore:",
                  "10: registrar.keepalive_interval: allowed: 5s and more"},
        WrongCase{"no realm", "  realm: sip.example.org\n", "", "3: sip.realm: is required"},
        WrongCase{"no relay", "relays:\n  - {name: relay-1, address: \"unix:/run/sluice/relay.sock\"}\n", "",
                  "1: relays: is required"},
        WrongCase{"no store", "  sqlite_file: /var/lib/sluice/controller.db\n", "  {}\n",
                  "10: store.sqlite_file: is required"},
        WrongCase{"call records that hardly stay", "controller.db\n", "controller.db\n  keep_records: 30m\n",
                  "12: store.keep_records: allowed: 1h and more"},
        WrongCase{"calls kept in memory", "/var/lib/sluice/controller.db\n", "\":memory:\"\n  keep_calls: true\n",
                  "12: store.keep_calls: wants calls that are there after a restart; sqlite_file must be a file"},
        WrongCase{"admission by nobody", "store:", "admission: {timeout: 1s}\nstore:",
                  "10: admission.address: '' is not an address; allowed: unix:/path/to.sock"},
        WrongCase{"admission by what has no port", "store:", "admission: {address: 198.18.0.7}\nstore:",
                  "10: admission.address: '198.18.0.7' is not an address; allowed: unix:/path/to.sock"},
        WrongCase{"admission that nobody can wait for",
                  "store:", "admission: {address: \"unix:/run/rating.sock\", timeout: 30s}\nstore:",
                  "10: admission.timeout: allowed: 50ms to 5s"},
        WrongCase{"admission that answers at once",
                  "store:", "admission: {address: \"unix:/run/rating.sock\", timeout: 10ms}\nstore:",
                  "10: admission.timeout: allowed: 50ms to 5s"},
        WrongCase{"admission that fails otherwise",
                  "store:", "admission: {address: \"unix:/run/rating.sock\", on_failure: ask}\nstore:",
                  "10: admission.on_failure: "},
        WrongCase{"a session timer below RFC 4028", "store:", "calls: {session_expires: 60s}\nstore:",
                  "10: calls.session_expires: is too short (RFC 4028)"},
        WrongCase{"probes that would be a flood", "store:", "calls: {probe_interval: 1s}\nstore:",
                  "10: calls.probe_interval: is too short; allowed: 10s and more"}));

}  // namespace
}  // namespace sluice::process
