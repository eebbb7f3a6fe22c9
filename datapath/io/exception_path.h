// What the kernel does for a NIC that DPDK owns: ARP, neighbour discovery, ICMP, SSH, SIP.
//
// How it works. The kernel gets a TAP with the NIC's MAC address; it has the addresses and routes. Workers put what is
// not media into a ring of their own (no system call on their way); a thread of the exception path writes it to the
// TAP, and sends what the kernel sends by a transmit queue of its own. Buffers that were written go back to the worker
// by a second ring and are freed there, and the thread has its own pool, so a thread that the scheduler may stop at any
// moment never holds up a worker in a shared pool.
//
// Each worker has an equal share of the limit in packets a second, with bursts of a tenth of a second, so a flood of
// strangers' packets costs the kernel no more than that.
//
// Threads: Punt from the worker whose index it names. Poll from the thread that Start makes, or from one caller if
// there is none. Statistics from any.

#ifndef SLUICE_DATAPATH_IO_EXCEPTION_PATH_H_
#define SLUICE_DATAPATH_IO_EXCEPTION_PATH_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "datapath/io/port.h"
#include "datapath/io/tap.h"
#include "datapath/packet/mac_address.h"
#include "datapath/rtp/policer.h"
#include "datapath/rtp/single_writer.h"

struct rte_mempool;
struct rte_ring;

namespace sluice::io {

struct ExceptionPathOptions {
  std::string tap_name;
  packet::MacAddress mac_address;
  unsigned workers = 1;
  // Of all workers together.
  uint32_t limit_pps = 10000;
  // Of the `ticks` that Punt gets.
  uint64_t ticks_per_second = 1;
};

struct ExceptionPathStatistics {
  uint64_t punted = 0;    // Given to the kernel.
  uint64_t limited = 0;   // Not taken: above the limit, or the ring was full.
  uint64_t refused = 0;   // The kernel did not take it.
  uint64_t injected = 0;  // Sent for the kernel.
};

class ExceptionPath {
 public:
  // For `port`, whose transmit queue `tx_queue` is no worker's.
  static absl::StatusOr<std::unique_ptr<ExceptionPath>> Open(const ExceptionPathOptions& options, const Port& port,
                                                             uint16_t tx_queue);
  // Workers punt no more, and the port is stopped.
  ~ExceptionPath();
  ExceptionPath(const ExceptionPath&) = delete;
  ExceptionPath& operator=(const ExceptionPath&) = delete;

  // Polls in a thread of its own until Stop.
  void Start();
  void Stop();

  // Takes packets to the kernel, the first ones of `count`; how many. The others stay with the caller: they are above
  // the limit.
  unsigned Punt(unsigned worker, rte_mbuf* const* packets, unsigned count, uint64_t ticks);

  // Moves what is there, both ways. Whether there was anything.
  bool Poll();

  // Of the TAP, whose routes and neighbours count.
  unsigned kernel_index() const { return tap_.index(); }
  ExceptionPathStatistics Statistics() const;

 private:
  // A worker's side.
  struct alignas(64) Lane {
    rte_ring* to_kernel = nullptr;
    rte_ring* written = nullptr;
    rtp::Policer policer;
    rtp::SingleWriter<uint64_t> limited;
  };

  ExceptionPath(const ExceptionPathOptions& options, const Port& port, uint16_t tx_queue, Tap tap);
  absl::Status Allocate(const std::string& name);
  unsigned WriteLane(Lane& lane);
  unsigned SendFromKernel();
  void Run();

  const Port port_;
  const uint16_t tx_queue_;
  const uint32_t cost_;   // Of a packet, as of a byte in Policer.
  const uint64_t burst_;  // Ticks.
  Tap tap_;
  rte_mempool* pool_ = nullptr;
  std::vector<Lane> lanes_;
  rtp::SingleWriter<uint64_t> punted_;
  rtp::SingleWriter<uint64_t> refused_;
  rtp::SingleWriter<uint64_t> injected_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_EXCEPTION_PATH_H_
