// The way of a burst of packets through a worker: from what a device received to what another one sends.
//
// How it works. Three stages, so that the cache misses of a burst's packets overlap. They take turns by blocks of a few
// packets, B three blocks behind A, C three behind B:
//   A  parse, find the local address; prefetch the slot of (local address, port)
//   B  load the slot; prefetch the flow's entry and state
//   C  decide (decision.h), count in the flow's statistics, tell events, rewrite in place, choose the egress
// Nearly all packets of a call take a short way through A and C that decides the same with half of the instructions;
// it knows what it may take and leaves the rest alone (ordinary_packet_test.cc).
// Nothing here allocates, logs, throws, locks, calls virtually or makes a system call. Packets of one flow keep their
// order.
//
// Each packet ends in exactly one place of the result: to be sent by a port, to be given to the kernel, or dropped. A
// drop is counted under its reason in the worker's counters, and at the flow if it was the flow's. Those that are
// forwarded are not counted here: the device may yet refuse them.
//
// What is not media and not ours (`not_ip`, `not_udp`, `not_local`) is dropped under that name, or, where the context
// says so, put aside for the exception path.
//
// Packets have to lie in one mbuf segment; others are dropped with `no_buffer`, as are those without room for the
// longest headers in front (58 bytes before UDP).
//
// Threads: one call at a time for one context; any number of contexts over the same tables.

#ifndef SLUICE_DATAPATH_WORKER_PIPELINE_H_
#define SLUICE_DATAPATH_WORKER_PIPELINE_H_

#include <array>
#include <bit>
#include <cstdint>

#include "datapath/capture/capture_ring.h"
#include "datapath/flow/event_ring.h"
#include "datapath/flow/flow_table.h"
#include "datapath/flow/next_hop_table.h"
#include "datapath/worker/worker_counters.h"

struct rte_mbuf;

namespace sluice::worker {

inline constexpr unsigned kMaxBurst = 64;
// DPDK's port ids are below this (RTE_MAX_ETHPORTS).
inline constexpr unsigned kMaxPorts = 32;

// What a worker brings along. All of it outlives the context.
struct PipelineContext {
  flow::FlowTable& flows;
  flow::NextHopTable& next_hops;
  WorkerCounters& counters;
  flow::EventRing& events;
  capture::CaptureRing& captures;
};

struct alignas(64) PacketBatch {
  void Push(rte_mbuf* packet) { packets[count++] = packet; }

  unsigned count = 0;
  std::array<rte_mbuf*, kMaxBurst> packets;
};

// Where the packets of a burst went. Cleared by its owner before the next one.
struct BurstResult {
  [[gnu::always_inline]] void Send(unsigned port, rte_mbuf* packet) {
    PacketBatch& batch = to_send[port];
    if (batch.count == 0) [[unlikely]]
      used_ports |= 1u << port;
    batch.Push(packet);
  }
  // Calls `take(port, batch)` for each port with packets and empties it.
  template <typename Take>
  void TakeToSend(Take&& take) {
    for (; used_ports != 0; used_ports &= used_ports - 1) {
      const unsigned port = static_cast<unsigned>(std::countr_zero(used_ports));
      take(port, to_send[port]);
      to_send[port].count = 0;
    }
  }

  uint32_t used_ports = 0;  // Bit p: to_send[p] has packets.
  std::array<PacketBatch, kMaxPorts> to_send;
  PacketBatch dropped;
  PacketBatch to_kernel;
};

// Takes `count` (at most kMaxBurst) packets that were received at `ticks` and belong to nobody else. `punt` says
// whether what is not ours goes to the kernel. `result` is empty; all packets are in it afterwards.
void ProcessBurst(const PipelineContext& context, rte_mbuf* const* packets, unsigned count, uint64_t ticks, bool punt,
                  BurstResult& result);

}  // namespace sluice::worker

#endif  // SLUICE_DATAPATH_WORKER_PIPELINE_H_
