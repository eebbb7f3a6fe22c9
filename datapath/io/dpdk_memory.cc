#include "datapath/io/dpdk_memory.h"

#include <rte_common.h>
#include <rte_malloc.h>

#include <algorithm>
#include <string>

namespace sluice::io {

void* DpdkMemory::Allocate(std::string_view name, size_t bytes, size_t alignment) {
  return rte_zmalloc_socket(std::string(name).c_str(), bytes,
                            static_cast<unsigned>(std::max<size_t>(alignment, RTE_CACHE_LINE_SIZE)), numa_node_);
}

void DpdkMemory::Free(void* memory, size_t) { rte_free(memory); }

}  // namespace sluice::io
