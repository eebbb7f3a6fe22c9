#include "datapath/worker/worker.h"

#include <rte_mbuf.h>
#include <sys/prctl.h>
#include <time.h>

#include "datapath/io/exception_path.h"
#include "datapath/worker/clock.h"
#include "datapath/worker/idle_ramp.h"

namespace sluice::worker {
namespace {

// The kernel may add this to a sleep to wake several threads at once; its default of 50 us would be the whole ramp.
constexpr unsigned long kTimerSlackNs = 1000;

void Sleep(uint64_t nanoseconds) {
  const timespec duration = {0, static_cast<long>(nanoseconds)};
  // Woken early by a signal is as good.
  nanosleep(&duration, nullptr);
}

void Free(PacketBatch& batch) {
  if (batch.count == 0) return;
  rte_pktmbuf_free_bulk(batch.packets.data(), batch.count);
  batch.count = 0;
}

}  // namespace

Worker::Worker(const WorkerOptions& options, flow::FlowTable& flows, flow::NextHopTable& next_hops)
    : index_(options.index),
      cpu_(options.cpu),
      max_idle_sleep_ns_(options.max_idle_sleep_ns),
      burst_(options.burst),
      ports_(kMaxPorts),
      flows_(flows),
      events_(options.event_ring_capacity),
      captures_(options.capture_ring_slots),
      context_{flows, next_hops, counters_, events_, captures_} {
  for (const io::Port& port : options.ports) {
    ports_[port.id] = port;
    for (unsigned queue = index_; queue < port.rx_queues; queue += options.workers) {
      receive_queues_.push_back({port, static_cast<uint16_t>(queue)});
    }
  }
}

void Worker::Run() {
  prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
  IdleRamp ramp(max_idle_sleep_ns_, TicksPerSecond());
  const uint64_t began = Ticks();
  // The first second is as if there had been many.
  ramp.OnPackets(began, IdleRamp::kManyPackets);
  flows_.qsbr().Online(index_);
  uint64_t start = began;
  while (!stop_.load(std::memory_order_relaxed)) {
    auto [found, end] = Poll();
    flows_.qsbr().Quiescent(index_);
    counters_.CountLoop(end - start, found != 0);
    if (found != 0) {
      ramp.OnPackets(end, found);
    } else if (const uint64_t sleep = ramp.OnEmpty(end); sleep != 0) {
      Sleep(sleep);
      end = Ticks();
    }
    counters_.cycles.Store(end - began);
    start = end;
  }
  flows_.qsbr().Offline(index_);
}

Worker::Polled Worker::Poll() {
  Polled polled;
  for (const ReceiveQueue& from : receive_queues_) {
    std::array<rte_mbuf*, kMaxBurst> packets;
    const unsigned count = from.port.RxBurst(from.queue, packets.data(), burst_);
    if (count == 0) continue;
    const uint64_t ticks = Ticks();
    polled.packets += count;
    counters_.received.Add(count);
    ProcessBurst(context_, packets.data(), count, ticks, from.port.exception_path != nullptr, result_);
    SendAll();
    if (result_.to_kernel.count != 0) Punt(*from.port.exception_path, ticks);
    Free(result_.dropped);
    polled.end = Ticks();
    counters_.residence.Record(polled.end - ticks);
  }
  if (polled.packets == 0) polled.end = Ticks();
  return polled;
}

void Worker::SendAll() {
  result_.TakeToSend([this](unsigned port, PacketBatch& batch) {
    // A port that the worker does not have has no queues.
    const unsigned sent = ports_[port].tx_queues == 0
                              ? 0
                              : ports_[port].TxBurst(static_cast<uint16_t>(index_), batch.packets.data(),
                                                     static_cast<uint16_t>(batch.count));
    counters_.forwarded.Add(sent);
    if (sent < batch.count) [[unlikely]] {
      counters_.CountDrop(packet::DropReason::kTxFull, batch.count - sent);
      rte_pktmbuf_free_bulk(&batch.packets[sent], batch.count - sent);
    }
  });
}

void Worker::Punt(io::ExceptionPath& path, uint64_t ticks) {
  PacketBatch& batch = result_.to_kernel;
  const unsigned taken = path.Punt(index_, batch.packets.data(), batch.count, ticks);
  counters_.punted.Add(taken);
  if (taken < batch.count) {
    counters_.CountDrop(packet::DropReason::kPuntLimited, batch.count - taken);
    rte_pktmbuf_free_bulk(&batch.packets[taken], batch.count - taken);
  }
  batch.count = 0;
}

WorkerSnapshot Worker::Snapshot() {
  WorkerSnapshot snapshot(TicksPerSecond());
  snapshot.index = index_;
  snapshot.cpu = cpu_;
  snapshot.received = counters_.received.Load();
  snapshot.forwarded = counters_.forwarded.Load();
  snapshot.punted = counters_.punted.Load();
  for (size_t i = 0; i < snapshot.drops.size(); ++i) snapshot.drops[i] = counters_.drops[i].Load();
  snapshot.residence = counters_.residence.Snapshot(TicksPerSecond());
  snapshot.polls = counters_.polls.Load();
  snapshot.empty_polls = counters_.empty_polls.Load();
  snapshot.cycles = counters_.cycles.Load();
  snapshot.busy_cycles = counters_.busy_cycles.Load();
  snapshot.longest_loop_ns = ToNanoseconds(counters_.longest_loop.Load());
  snapshot.longest_loop_since_last_ns =
      ToNanoseconds(counters_.longest_loop_since_last.exchange(0, std::memory_order_relaxed));
  snapshot.events_lost = events_.lost();
  snapshot.captures_lost = captures_.dropped();
  return snapshot;
}

}  // namespace sluice::worker
