// What a relay is told about one of its interfaces: plain values, made from the config.
//
// Threads: values.

#ifndef SLUICE_DATAPATH_IO_INTERFACE_OPTIONS_H_
#define SLUICE_DATAPATH_IO_INTERFACE_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datapath/packet/ip_address.h"
#include "datapath/packet/mac_address.h"

namespace sluice::io {

enum class InterfaceKind : uint8_t {
  kAfXdp,     // AF_XDP on a kernel interface, with our XDP program: the kernel keeps everything but media.
  kAfPacket,  // AF_PACKET on a kernel interface: the kernel sees a copy of media.
  kPci,       // DPDK owns the NIC; the kernel has a TAP with the same MAC.
  kVdev       // Any virtual device of DPDK.
};

// A media address and the ports of it that are the relay's.
struct MediaRange {
  packet::IpAddress address;
  uint16_t first_port = 0;
  uint16_t last_port = 0;  // Included.
};

struct InterfaceOptions {
  std::string name;
  InterfaceKind kind = InterfaceKind::kVdev;
  // The interface whose routes and neighbours count, and that AF_XDP and AF_PACKET open. Empty for a device that the
  // kernel does not know.
  std::string kernel_interface;
  // The PCI address or vdev string.
  std::string argument;
  // RX queues; 0: one a worker, and with AF_XDP one a channel of the interface.
  uint16_t queues = 0;
  // VLAN that media is sent with; 0: untagged.
  uint16_t vlan = 0;
  // Next hop for everything, where no kernel interface tells routes.
  std::optional<packet::MacAddress> static_next_hop;
  // The media addresses on it.
  std::vector<MediaRange> media;
  // Of a device that the kernel does not know: name of the TAP that the kernel gets instead (empty: none), and how many
  // packets a second may go to it.
  std::string tap_name;
  uint32_t punt_limit_pps = 10000;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_INTERFACE_OPTIONS_H_
