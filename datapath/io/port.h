// A DPDK port as workers see it: bursts in, bursts out.
//
// Queues. Worker w of n sends on TX queue w and on no other, so no queue is shared. It receives from the RX queues w,
// w + n, w + 2n, ... below `rx_queues`: one queue a worker as a rule, more where a device has more queues than there
// are workers (an AF_XDP interface must be read on each of its channels), none for a worker beyond a device's queues.
//
// This is the only header of the tree that brings in rte_ethdev.h, for the two inline bursts.
//
// Threads: each queue belongs to one worker.

#ifndef SLUICE_DATAPATH_IO_PORT_H_
#define SLUICE_DATAPATH_IO_PORT_H_

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <cstdint>

namespace sluice::io {

class ExceptionPath;

struct Port {
  uint16_t id = 0;  // DPDK's port id, as in flow::Egress::port.
  uint16_t rx_queues = 0;
  uint16_t tx_queues = 0;  // At least one a worker.
  // Where packets for the kernel go (exception_path.h). None where the kernel gets them by itself, or not at all.
  ExceptionPath* exception_path = nullptr;

  // Takes up to `count` packets from `queue`; the caller owns them. Returns how many there were.
  uint16_t RxBurst(uint16_t queue, rte_mbuf** packets, uint16_t count) const {
    return rte_eth_rx_burst(id, queue, packets, count);
  }

  // Hands packets to `queue`. Returns how many it took, the first ones; the others stay with the caller.
  uint16_t TxBurst(uint16_t queue, rte_mbuf** packets, uint16_t count) const {
    return rte_eth_tx_burst(id, queue, packets, count);
  }
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_PORT_H_
