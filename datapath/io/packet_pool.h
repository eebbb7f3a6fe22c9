// The pools of packet buffers, one a NUMA node, made when a port first needs one there.
//
// All ports of a node share its pool, so that a packet moves from one port to another without a copy, in AF_XDP too
// (whose kernel rings name buffers of one pool).
//
// Threads: Get from the main thread. Buffers themselves may be taken and freed by workers.

#ifndef SLUICE_DATAPATH_IO_PACKET_POOL_H_
#define SLUICE_DATAPATH_IO_PACKET_POOL_H_

#include <cstdint>
#include <map>

#include "absl/status/statusor.h"

struct rte_mempool;

namespace sluice::io {

class PacketPools {
 public:
  // Of `mbufs` buffers each.
  explicit PacketPools(uint32_t mbufs) : mbufs_(mbufs) {}
  // No port uses a buffer any more.
  ~PacketPools();
  PacketPools(const PacketPools&) = delete;
  PacketPools& operator=(const PacketPools&) = delete;

  // The pool of `numa_node`. RESOURCE_EXHAUSTED, saying how much memory it needs, if there is too little.
  absl::StatusOr<rte_mempool*> Get(int numa_node);

 private:
  uint32_t mbufs_;
  std::map<int, rte_mempool*> pools_;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_PACKET_POOL_H_
