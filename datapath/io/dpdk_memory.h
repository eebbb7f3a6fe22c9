// Memory of DPDK's heap for the tables of datapath/flow: hugepages of one NUMA node.
//
// Threads: as flow::Memory.

#ifndef SLUICE_DATAPATH_IO_DPDK_MEMORY_H_
#define SLUICE_DATAPATH_IO_DPDK_MEMORY_H_

#include <cstddef>
#include <string_view>

#include "datapath/flow/memory.h"

namespace sluice::io {

class DpdkMemory final : public flow::Memory {
 public:
  explicit DpdkMemory(int numa_node) : numa_node_(numa_node) {}

  void* Allocate(std::string_view name, size_t bytes, size_t alignment) override;
  void Free(void* memory, size_t bytes) override;

 private:
  int numa_node_;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_DPDK_MEMORY_H_
