#include "datapath/io/device_name.h"

#include <gtest/gtest.h>

namespace sluice::io {
namespace {

TEST(DeviceName, AfXdpNamesInterfaceQueuesAndProgram) {
  const InterfaceOptions options = {.kind = InterfaceKind::kAfXdp, .kernel_interface = "eth0"};
  const DeviceName device = NameDevice(options, 2, 4, "/proc/self/fd/9");
  EXPECT_EQ(device.bus, "vdev");
  EXPECT_EQ(device.ToString(), "net_af_xdp2,iface=eth0,start_queue=0,queue_count=4,xdp_prog=/proc/self/fd/9");
}

TEST(DeviceName, AfPacketNamesInterfaceAndQueues) {
  const InterfaceOptions options = {.kind = InterfaceKind::kAfPacket, .kernel_interface = "eth0"};
  EXPECT_EQ(NameDevice(options, 0, 2, "").ToString(), "net_af_packet0,iface=eth0,qpairs=2");
}

TEST(DeviceName, APciDeviceIsItsAddress) {
  const InterfaceOptions options = {.kind = InterfaceKind::kPci, .argument = "0000:3b:00.0"};
  const DeviceName device = NameDevice(options, 0, 2, "");
  EXPECT_EQ(device.bus, "pci");
  EXPECT_EQ(device.ToString(), "0000:3b:00.0");
}

TEST(DeviceName, AVdevStringIsSplitAtItsFirstComma) {
  const InterfaceOptions options = {.argument = "net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap"};
  const DeviceName device = NameDevice(options, 0, 1, "");
  EXPECT_EQ(device.bus, "vdev");
  EXPECT_EQ(device.name, "net_pcap0");
  EXPECT_EQ(device.arguments, "rx_pcap=in.pcap,tx_pcap=out.pcap");
  EXPECT_EQ(NameDevice({.argument = "net_ring0"}, 0, 1, "").ToString(), "net_ring0");
}

}  // namespace
}  // namespace sluice::io
