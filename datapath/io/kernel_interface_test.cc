#include "datapath/io/kernel_interface.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace sluice::io {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A list as the kernel writes it. "lo" stands for a VLAN interface that every host has.
std::string VlanList() {
  const std::string file = ::testing::TempDir() + "/vlan_config";
  std::ofstream(file) << "VLAN Dev name\t | VLAN ID\n"
                         "Name-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\n"
                         "eth1.100       | 100  | eth1\n"
                         "lo             | 100  | eth0\n";
  return file;
}

TEST(KernelInterface, LoopbackIsFoundWithItsIndex) {
  const auto found = FindKernelInterface("lo");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->index, 1u);
  EXPECT_GE(found->channels, 1u);
}

TEST(KernelInterface, OneThatIsNotThereIsNamedWithThoseThatAre) {
  const auto status = FindKernelInterface("no-such-if").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("no-such-if"), HasSubstr("lo")));
}

TEST(KernelInterface, AVlanInterfaceIsFoundByParentAndNumber) {
  const auto found = FindVlanInterface({.name = "eth0"}, 100, VlanList());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->name, "lo");
}

TEST(KernelInterface, AMissingVlanInterfaceSaysHowToMakeIt) {
  for (const auto& [parent, vlan] : {std::pair("eth0", 101), std::pair("eth2", 100)}) {
    const auto status = FindVlanInterface({.name = parent}, static_cast<uint16_t>(vlan), VlanList()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(std::string(status.message()), HasSubstr("type vlan id " + std::to_string(vlan)));
  }
}

}  // namespace
}  // namespace sluice::io
