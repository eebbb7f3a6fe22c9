// What the kernel says of one of its network interfaces, in the network namespace of the calling thread.
//
// Threads: any.

#ifndef SLUICE_DATAPATH_IO_KERNEL_INTERFACE_H_
#define SLUICE_DATAPATH_IO_KERNEL_INTERFACE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace sluice::io {

struct KernelInterface {
  std::string name;
  unsigned index = 0;
  bool up = false;
  // Queues that packets arrive on: the combined channels (`ethtool -l`); 1 where the driver has no notion of them.
  unsigned channels = 1;
};

// NOT_FOUND if there is none of that name, with those that there are.
absl::StatusOr<KernelInterface> FindKernelInterface(const std::string& name);

// The kernel's interface for `vlan` on `interface`: the one whose routes and neighbours count for media in that VLAN.
// NOT_FOUND, saying how to make it, if there is none. `file` is where the kernel lists them.
absl::StatusOr<KernelInterface> FindVlanInterface(const KernelInterface& interface, uint16_t vlan,
                                                  const std::string& file = "/proc/thread-self/net/vlan/config");

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_KERNEL_INTERFACE_H_
