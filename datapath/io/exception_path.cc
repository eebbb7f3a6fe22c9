#include "datapath/io/exception_path.h"

#include <poll.h>
#include <pthread.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sluice::io {
namespace {

// Packets a worker that may wait for the kernel.
constexpr unsigned kRingSize = 512;
constexpr unsigned kBurst = 32;
// Of a transmit queue and some bursts.
constexpr unsigned kPoolSize = 4095;
// How long a punted packet may wait: a fraction of what ARP and ICMP take anyway.
constexpr int kPollMilliseconds = 1;

absl::Status NoMemory(const char* what) {
  return absl::ResourceExhaustedError(absl::StrCat("datapath.memory_mib: no memory for the exception path's ", what,
                                                   " (", rte_strerror(rte_errno), ")"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ExceptionPath>> ExceptionPath::Open(const ExceptionPathOptions& options,
                                                                   const Port& port, uint16_t tx_queue) {
  auto tap = Tap::Open(options.tap_name, options.mac_address);
  if (!tap.ok()) return tap.status();
  std::unique_ptr<ExceptionPath> path(new ExceptionPath(options, port, tx_queue, *std::move(tap)));
  if (auto status = path->Allocate(absl::StrCat("exception-", port.id)); !status.ok()) return status;
  return path;
}

ExceptionPath::ExceptionPath(const ExceptionPathOptions& options, const Port& port, uint16_t tx_queue, Tap tap)
    : port_(port),
      tx_queue_(tx_queue),
      // A packet counts as a byte of eight bits.
      cost_(rtp::Policer::Cost(uint64_t{8} * options.limit_pps / options.workers, options.ticks_per_second)),
      burst_(options.ticks_per_second / 10),
      tap_(std::move(tap)),
      lanes_(options.workers) {}

absl::Status ExceptionPath::Allocate(const std::string& name) {
  pool_ = rte_pktmbuf_pool_create(name.c_str(), kPoolSize, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  if (pool_ == nullptr) return NoMemory("buffers");
  for (size_t worker = 0; worker < lanes_.size(); ++worker) {
    for (auto& [ring, direction] : {std::pair(&lanes_[worker].to_kernel, "to"), {&lanes_[worker].written, "back"}}) {
      *ring = rte_ring_create(absl::StrCat(name, "-", worker, "-", direction).c_str(), kRingSize, SOCKET_ID_ANY,
                              RING_F_SP_ENQ | RING_F_SC_DEQ);
      if (*ring == nullptr) return NoMemory("rings");
    }
  }
  return absl::OkStatus();
}

ExceptionPath::~ExceptionPath() {
  Stop();
  for (Lane& lane : lanes_) {
    for (rte_ring* ring : {lane.to_kernel, lane.written}) {
      void* packet = nullptr;
      while (ring != nullptr && rte_ring_sc_dequeue(ring, &packet) == 0)
        rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
      rte_ring_free(ring);
    }
  }
  rte_mempool_free(pool_);
}

void ExceptionPath::Start() {
  stop_.store(false, std::memory_order_relaxed);
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "exception-path");
}

void ExceptionPath::Stop() {
  stop_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

void ExceptionPath::Run() {
  while (!stop_.load(std::memory_order_relaxed)) {
    if (Poll()) continue;
    pollfd readable = {tap_.fd(), POLLIN, 0};
    poll(&readable, 1, kPollMilliseconds);
  }
}

unsigned ExceptionPath::Punt(unsigned worker, rte_mbuf* const* packets, unsigned count, uint64_t ticks) {
  Lane& lane = lanes_[worker];
  std::array<void*, kBurst> written;
  const unsigned back = rte_ring_sc_dequeue_burst(lane.written, written.data(), written.size(), nullptr);
  if (back != 0) rte_pktmbuf_free_bulk(reinterpret_cast<rte_mbuf**>(written.data()), back);

  unsigned allowed = 0;
  while (allowed < count && lane.policer.Take(cost_, 1, ticks, burst_)) ++allowed;
  const unsigned taken =
      rte_ring_sp_enqueue_burst(lane.to_kernel, reinterpret_cast<void* const*>(packets), allowed, nullptr);
  lane.limited.Add(count - taken);
  return taken;
}

bool ExceptionPath::Poll() {
  unsigned moved = SendFromKernel();
  for (Lane& lane : lanes_) moved += WriteLane(lane);
  return moved != 0;
}

unsigned ExceptionPath::WriteLane(Lane& lane) {
  // No more than can be given back.
  const unsigned room = std::min(kBurst, rte_ring_free_count(lane.written));
  std::array<void*, kBurst> packets;
  const unsigned count = rte_ring_sc_dequeue_burst(lane.to_kernel, packets.data(), room, nullptr);
  for (unsigned i = 0; i < count; ++i) {
    auto* packet = static_cast<rte_mbuf*>(packets[i]);
    // The workers take only packets in one piece.
    if (tap_.Write(rte_pktmbuf_mtod(packet, const uint8_t*), rte_pktmbuf_data_len(packet))) {
      punted_.Add(1);
    } else {
      refused_.Add(1);
    }
  }
  if (count != 0) rte_ring_sp_enqueue_burst(lane.written, packets.data(), count, nullptr);
  return count;
}

unsigned ExceptionPath::SendFromKernel() {
  std::array<rte_mbuf*, kBurst> packets;
  unsigned count = 0;
  while (count < kBurst) {
    rte_mbuf* packet = rte_pktmbuf_alloc(pool_);
    if (packet == nullptr) break;
    const size_t size = tap_.Read(rte_pktmbuf_mtod(packet, uint8_t*), rte_pktmbuf_tailroom(packet));
    if (size == 0) {
      rte_pktmbuf_free(packet);
      break;
    }
    rte_pktmbuf_append(packet, static_cast<uint16_t>(size));
    packets[count++] = packet;
  }
  if (count == 0) return 0;
  const unsigned sent = port_.TxBurst(tx_queue_, packets.data(), static_cast<uint16_t>(count));
  injected_.Add(sent);
  if (sent < count) rte_pktmbuf_free_bulk(&packets[sent], count - sent);
  return count;
}

ExceptionPathStatistics ExceptionPath::Statistics() const {
  ExceptionPathStatistics result = {punted_.Load(), 0, refused_.Load(), injected_.Load()};
  for (const Lane& lane : lanes_) result.limited += lane.limited.Load();
  return result;
}

}  // namespace sluice::io
