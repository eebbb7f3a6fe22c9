// How much memory the kernel has in reserve as hugepages.
//
// Threads: pure but for the kernel's files.

#ifndef SLUICE_DATAPATH_IO_HUGEPAGES_H_
#define SLUICE_DATAPATH_IO_HUGEPAGES_H_

#include <string>

#include "absl/status/status.h"

namespace sluice::io {

// OK if `needed_mib` are free in hugepages of 2 MiB and 1 GiB together; else RESOURCE_EXHAUSTED with how many there are
// and how to reserve more. `folder` is where the kernel tells.
absl::Status CheckHugepages(unsigned needed_mib, const std::string& folder = "/sys/kernel/mm/hugepages");

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_HUGEPAGES_H_
