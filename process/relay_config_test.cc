#include "process/relay_config.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace sluice::process {
namespace {

constexpr char kGood[] = R"(name: relay-1
listen: ["unix:/run/sluice/relay.sock"]
datapath:
  worker_cpus: [0]
  max_idle_sleep: 50us
interfaces:
  - name: veth0
    af_xdp: {}
networks:
  - name: outside
    interface: veth0
    addresses: ["198.18.1.1", "2001:db8::1"]
    first_port: 20000
    last_port: 20999
)";

TEST(RelayConfig, TakesAConfigThatIsRightAndFillsInTheDefaults) {
  const auto config = ReadRelayConfigText(kGood, "relay.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->interfaces(0).af_xdp().kernel_interface(), "veth0");
  EXPECT_EQ(config->interfaces(0).queues(), 1u);
  EXPECT_EQ(config->datapath().max_idle_sleep().nanos(), 50000);
  EXPECT_EQ(config->datapath().burst_size(), kMaxBurst);
  EXPECT_EQ(config->datapath().memory_mib(), 256u);
  EXPECT_EQ(config->networks(0).dscp(), 46u);
  EXPECT_EQ(config->sessions().port_quarantine().seconds(), 2);
  EXPECT_EQ(config->sessions().silence_timeout().seconds(), 60);
}

TEST(RelayConfig, TakesZeroWhereZeroMeansOff) {
  const auto config = ReadRelayConfigText(
      absl::StrReplaceAll(kGood, {{"50us", "0s"}}) + "sessions: {silence_timeout: 0s}\n", "relay.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->datapath().max_idle_sleep().nanos(), 0);
  EXPECT_EQ(config->sessions().silence_timeout().seconds(), 0);
}

struct WrongCase {
  const char* description;
  const char* from;
  const char* to;
  // Beginning of the error after "relay.yaml:".
  const char* error;
};

class WrongRelayConfig : public testing::TestWithParam<WrongCase> {};

TEST_P(WrongRelayConfig, IsRefusedWithFileLineKeyAndWhatIsAllowed) {
  const WrongCase& wrong = GetParam();
  const std::string text = absl::StrReplaceAll(kGood, {{wrong.from, wrong.to}});
  ASSERT_NE(text, kGood);
  const auto config = ReadRelayConfigText(text, "relay.yaml");
  ASSERT_FALSE(config.ok()) << wrong.description;
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string expected = absl::StrCat("relay.yaml:", wrong.error);
  EXPECT_EQ(std::string(config.status().message()).substr(0, expected.size()), expected) << wrong.description;
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongRelayConfig,
    testing::Values(
        WrongCase{
            "a key that does not exist", "max_idle_sleep", "max_idle_slep",
            "5: datapath.max_idle_slep: there is no such key; did you mean max_idle_sleep?; allowed: worker_cpus"},
        WrongCase{"a key that stands twice", "name: relay-1\n", "name: a\nname: b\n", "2: name: stands twice"},
        WrongCase{"no name", "name: relay-1\n", "", "1: name: is required; allowed:"},
        WrongCase{"a duration without unit", "50us", "50",
                  "5: datapath.max_idle_sleep: '50' is not allowed; allowed: a time such as 50us"},
        WrongCase{"a negative duration", "50us", "-1s",
                  "5: datapath.max_idle_sleep: '-1s' is not allowed; allowed: a time"},
        WrongCase{"a sleep that would delay packets", "50us", "2ms", "5: datapath.max_idle_sleep: is too long"},
        WrongCase{"a CPU that the machine does not have", "worker_cpus: [0]", "worker_cpus: [4095]",
                  "4: datapath.worker_cpus[0]: there is no CPU 4095; allowed: 0 to"},
        WrongCase{"a CPU twice", "worker_cpus: [0]", "worker_cpus: [0, 0]",
                  "4: datapath.worker_cpus[1]: CPU 0 stands twice"},
        WrongCase{"a word where a number belongs", "first_port: 20000", "first_port: many",
                  "13: networks[0].first_port: 'many' is not allowed; allowed: a whole number"},
        WrongCase{"a value where a list belongs", "[\"unix:/run/sluice/relay.sock\"]", "unix:/run/sluice/relay.sock",
                  "2: listen: wants a list"},
        WrongCase{"a list where keys belong", "  worker_cpus: [0]\n  max_idle_sleep: 50us\n", "  [0]\n",
                  "3: datapath: wants keys and values; allowed: worker_cpus"},
        WrongCase{"a network on an interface that is not there", "interface: veth0", "interface: eth9",
                  "11: networks[0].interface: there is no interface 'eth9'; allowed: veth0"},
        WrongCase{"two kinds of device", "af_xdp: {}", "af_xdp: {}\n    af_packet: {}",
                  "9: interfaces[0].af_packet: cannot stand beside af_xdp; choose one"},
        WrongCase{"a VLAN on a NIC whose TAP has none", "af_xdp: {}", "pci: {address: \"0000:3b:00.0\"}\n    vlan: 100",
                  "9: interfaces[0].vlan: needs static_next_hop on a pci device"},
        WrongCase{"no device", "    af_xdp: {}\n", "", "7: interfaces[0]: has no device; allowed: one of af_xdp"},
        WrongCase{"an address that is none", "198.18.1.1", "198.18.1.256",
                  "12: networks[0].addresses[0]: '198.18.1.256' is not an IPv4 or IPv6 address"},
        WrongCase{"an address twice", "2001:db8::1", "198.18.1.1",
                  "12: networks[0].addresses[1]: '198.18.1.1' stands twice"},
        WrongCase{"ports the wrong way round", "last_port: 20999", "last_port: 19999",
                  "13: networks[0].first_port: ports 20000 to 19999 are not a range"},
        WrongCase{"a port above 65535", "last_port: 20999", "last_port: 65536",
                  "13: networks[0].first_port: ports 20000 to 65536 are not a range"},
        WrongCase{"a socket without a path", "unix:/run/sluice/relay.sock", "unix:relay.sock",
                  "2: listen[0]: 'unix:relay.sock' wants an absolute path"},
        WrongCase{"a tab instead of spaces", "  worker_cpus", "\tworker_cpus", "4: not YAML: "},
        WrongCase{"a vdev that names no driver", "af_xdp: {}", "vdev: {argument: eth0}",
                  "8: interfaces[0].vdev.argument: 'eth0' is not a DPDK device string"},
        WrongCase{"a vdev without neighbours", "af_xdp: {}", "vdev: {argument: net_null0}",
                  "7: interfaces[0]: a vdev has no neighbours of its own"}));

TEST(RelayConfig, SaysThatTheFileIsMissing) {
  const auto config = ReadRelayConfig("/nowhere/relay.yaml");
  EXPECT_EQ(config.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(config.status().message(), "/nowhere/relay.yaml: cannot read the config: No such file or directory");
}

}  // namespace
}  // namespace sluice::process
