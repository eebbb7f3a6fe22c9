// What the kernel says of one of its network interfaces, in the network namespace of the calling thread.
//
// Threads: any.

#ifndef SLUICE_DATAPATH_IO_KERNEL_INTERFACE_H_
#define SLUICE_DATAPATH_IO_KERNEL_INTERFACE_H_

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

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_KERNEL_INTERFACE_H_
