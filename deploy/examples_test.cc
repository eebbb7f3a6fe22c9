// The example configs are what the programs take.
#include <gtest/gtest.h>

#include "process/controller_config.h"
#include "process/relay_config.h"

namespace sluice::process {
namespace {

class ExampleRelayConfig : public testing::TestWithParam<const char*> {};

TEST_P(ExampleRelayConfig, PassesTheCheck) {
  const auto config = ReadRelayConfig(GetParam());
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen(0), "unix:/run/sluice/relay.sock") << "where sluicectl and the controller's example look";
}

INSTANTIATE_TEST_SUITE_P(All, ExampleRelayConfig,
                         testing::Values("deploy/examples/relay-pci.yaml", "deploy/examples/relay-af-xdp.yaml"));

TEST(ExampleControllerConfig, PassesTheCheckAndNamesTheRelayOfTheExamples) {
  const auto config = ReadControllerConfig("deploy/examples/controller.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen(0), "unix:/run/sluice/controller.sock") << "where sluicectl looks";
  const auto relay = ReadRelayConfig("deploy/examples/relay-pci.yaml");
  ASSERT_TRUE(relay.ok()) << relay.status();
  EXPECT_EQ(config->relays(0).address(), relay->listen(0));
}

TEST(ExampleControllerConfig, OfAClusterPassesTheCheck) {
  const auto config = ReadControllerConfig("deploy/examples/cluster-controller.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->cluster().sip_address(), config->sip().listeners(1).address());
}

}  // namespace
}  // namespace sluice::process
