#include "datapath/io/packet_pool.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sluice::io {
namespace {

// Of each worker; a burst is at most 64.
constexpr unsigned kCacheSize = 256;

}  // namespace

PacketPools::~PacketPools() {
  for (const auto& [node, pool] : pools_) rte_mempool_free(pool);
}

absl::StatusOr<rte_mempool*> PacketPools::Get(int numa_node) {
  if (const auto found = pools_.find(numa_node); found != pools_.end()) return found->second;
  const std::string name = absl::StrCat("packets-", numa_node);
  rte_mempool* pool =
      rte_pktmbuf_pool_create(name.c_str(), mbufs_, kCacheSize, 0, RTE_MBUF_DEFAULT_BUF_SIZE, numa_node);
  if (pool == nullptr) {
    constexpr uint64_t kBytesEach = sizeof(rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE + 2 * RTE_CACHE_LINE_SIZE;
    return absl::ResourceExhaustedError(absl::StrCat("datapath.memory_mib: ", mbufs_, " packet buffers need ",
                                                     (mbufs_ * kBytesEach >> 20) + 1, " MiB in one piece on NUMA node ",
                                                     numa_node, " (", rte_strerror(rte_errno),
                                                     "); raise it or lower datapath.mbufs"));
  }
  pools_.emplace(numa_node, pool);
  return pool;
}

}  // namespace sluice::io
