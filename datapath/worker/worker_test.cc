// The poll loop over a port made of two rings: what the test puts into one, the worker receives, and what it sends is
// in the other.

#include "datapath/worker/worker.h"

#include <gtest/gtest.h>
#include <rte_eth_ring.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "datapath/packet/parse.h"
#include "datapath/worker/clock.h"
#include "datapath/worker/pipeline_harness.h"
#include "datapath/worker/worker_set.h"

namespace sluice::worker {
namespace {

using packet::DropReason;

constexpr unsigned kReceiveSlots = 1024;

class RingPort {
 public:
  explicit RingPort(unsigned send_slots) {
    StartTestEal();
    static int ports = 0;
    const std::string name = "port" + std::to_string(ports++);
    receive_ = rte_ring_create((name + "rx").c_str(), kReceiveSlots, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    send_ = rte_ring_create((name + "tx").c_str(), send_slots, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    const int id = rte_eth_from_rings(name.c_str(), &receive_, 1, &send_, 1, SOCKET_ID_ANY);
    EXPECT_GE(id, 0);
    port_ = {static_cast<uint16_t>(id), 1, 1};
    const rte_eth_conf conf = {};
    EXPECT_EQ(rte_eth_dev_configure(port_.id, 1, 1, &conf), 0);
    rte_mempool* pool =
        rte_pktmbuf_pool_create((name + "pool").c_str(), 63, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    EXPECT_EQ(rte_eth_rx_queue_setup(port_.id, 0, kReceiveSlots, SOCKET_ID_ANY, nullptr, pool), 0);
    EXPECT_EQ(rte_eth_tx_queue_setup(port_.id, 0, kReceiveSlots, SOCKET_ID_ANY, nullptr), 0);
    EXPECT_EQ(rte_eth_dev_start(port_.id), 0);
  }
  ~RingPort() {
    rte_eth_dev_stop(port_.id);
    rte_eth_dev_close(port_.id);
    rte_ring_free(receive_);
    rte_ring_free(send_);
  }

  const io::Port& port() const { return port_; }

  void Arrive(rte_mbuf* packet) { ASSERT_EQ(rte_ring_enqueue(receive_, packet), 0); }
  // The next frame that was sent, or null.
  rte_mbuf* TakeSent() {
    void* packet;
    return rte_ring_dequeue(send_, &packet) == 0 ? static_cast<rte_mbuf*>(packet) : nullptr;
  }

 private:
  rte_ring* receive_;
  rte_ring* send_;
  io::Port port_;
};

// Waits for another thread; false if `done` has not come true within ten seconds.
bool WaitUntil(const std::function<bool()>& done) {
  const uint64_t limit = Ticks() + 10 * TicksPerSecond();
  while (!done()) {
    if (Ticks() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

class WorkerTest : public testing::Test {
 protected:
  // The egress of all flows becomes the ring port.
  void Open(unsigned send_slots) {
    port_.emplace(send_slots);
    const unsigned egress = relay_.next_hops().AddEgress({.port = port_->port().id});
    relay_.next_hops().Set(relay_.next_hop(), {{}, static_cast<uint8_t>(egress), flow::NextHopState::kReachable});
  }
  void Start(uint64_t max_idle_sleep_ns = 10'000, uint16_t burst = 32) {
    WorkerOptions options;
    options.ports = {port_->port()};
    options.max_idle_sleep_ns = max_idle_sleep_ns;
    options.burst = burst;
    worker_.emplace(options, relay_.flows(), relay_.next_hops());
    thread_ = std::thread([this] { worker_->Run(); });
  }
  void StopAndJoin() {
    worker_->Stop();
    thread_.join();
  }
  void Arrive(const RtpFields& fields) { port_->Arrive(MakeMbuf(relay_.pool(), RtpFrame(fields))); }

  PipelineHarness relay_;
  std::optional<RingPort> port_;
  std::optional<Worker> worker_;
  std::thread thread_;
};

TEST_F(WorkerTest, TakesAsManyPacketsAtOnceAsItIsTold) {
  Open(1024);
  relay_.Publish(relay_.Flow());
  for (uint16_t i = 0; i < 60; ++i) Arrive({.sequence = i});
  Start(10'000, 20);
  EXPECT_TRUE(WaitUntil([this] { return worker_->Snapshot().forwarded == 60; }));
  StopAndJoin();
  EXPECT_EQ(worker_->Snapshot().residence.samples(), 3u);
}

TEST_F(WorkerTest, ForwardsCountsAndGivesEveryBufferBack) {
  Open(1024);
  relay_.Publish(relay_.Flow());
  const unsigned buffers = rte_mempool_avail_count(relay_.pool());
  Start();
  unsigned sent = 0;
  for (uint16_t i = 0; i < 100; ++i) {
    Arrive({.sequence = i});
    Arrive({.payload_type = 96, .sequence = i});
    EXPECT_TRUE(WaitUntil([&] {
      rte_mbuf* packet = port_->TakeSent();
      if (packet == nullptr) return false;
      rte_pktmbuf_free(packet);
      return ++sent == i + 1u;
    }));
  }
  EXPECT_TRUE(WaitUntil([this] { return worker_->Snapshot().received == 200; }));
  StopAndJoin();
  const WorkerSnapshot snapshot = worker_->Snapshot();
  EXPECT_EQ(snapshot.received, 200u);
  EXPECT_EQ(snapshot.forwarded, 100u);
  EXPECT_EQ(snapshot.DropsFor(DropReason::kPayloadType), 100u);
  EXPECT_GT(snapshot.residence.samples(), 0u);
  EXPECT_LE(snapshot.residence.samples(), 200u);
  EXPECT_GT(snapshot.residence.Percentile(0.5), 0u);
  EXPECT_GE(snapshot.polls, snapshot.empty_polls + snapshot.residence.samples());
  EXPECT_GT(snapshot.busy_cycles, 0u);
  EXPECT_GT(snapshot.cycles, snapshot.busy_cycles);
  EXPECT_EQ(rte_mempool_avail_count(relay_.pool()), buffers);
}

TEST_F(WorkerTest, CountsWhatTheDeviceHasNoRoomForAndGivesItsBufferBack) {
  Open(8);  // Room for seven.
  relay_.Publish(relay_.Flow());
  const unsigned buffers = rte_mempool_avail_count(relay_.pool());
  for (uint16_t i = 0; i < 40; ++i) Arrive({.sequence = i});
  Start();
  EXPECT_TRUE(WaitUntil([this] { return worker_->Snapshot().received == 40; }));
  StopAndJoin();
  const WorkerSnapshot snapshot = worker_->Snapshot();
  EXPECT_EQ(snapshot.forwarded, 7u);
  EXPECT_EQ(snapshot.DropsFor(DropReason::kTxFull), 33u);
  while (rte_mbuf* packet = port_->TakeSent()) rte_pktmbuf_free(packet);
  EXPECT_EQ(rte_mempool_avail_count(relay_.pool()), buffers);
}

TEST_F(WorkerTest, ReportsTheLongestLoopSinceTheLastSnapshotOnce) {
  Open(1024);
  Start();
  EXPECT_TRUE(WaitUntil([this] { return worker_->Snapshot().polls > 10; }));
  StopAndJoin();
  worker_->Snapshot();
  const WorkerSnapshot snapshot = worker_->Snapshot();
  EXPECT_EQ(snapshot.longest_loop_since_last_ns, 0u);
  EXPECT_GT(snapshot.longest_loop_ns, 0u);
}

TEST_F(WorkerTest, DoesNotBeginWhenItWasStoppedBefore) {
  Open(1024);
  WorkerOptions options;
  options.ports = {port_->port()};
  Worker worker(options, relay_.flows(), relay_.next_hops());
  worker.Stop();
  worker.Run();
  EXPECT_EQ(worker.Snapshot().polls, 0u);
}

TEST_F(WorkerTest, LetsOldEntriesGoWhileItRunsIdle) {
  Open(1024);
  const flow::FlowSpec spec = relay_.Flow();
  relay_.Publish(spec);
  Start();
  EXPECT_TRUE(WaitUntil([this] { return worker_->Snapshot().polls > 0; }));
  relay_.Publish(spec);
  EXPECT_TRUE(WaitUntil([this] { return relay_.flows().Collect() > 0; }));
  StopAndJoin();
}

TEST_F(WorkerTest, SendsEveryPacketToOneOfTwoDestinationsWhileTheFlowIsReplaced) {
  Open(1024);
  flow::FlowSpec spec = relay_.Flow();
  relay_.Publish(spec);
  Start(0);
  const packet::Endpoint sources[] = {*packet::Endpoint::Parse("198.18.2.1:18582"),
                                      *packet::Endpoint::Parse("198.18.1.1:30000")};
  const packet::Endpoint destinations[] = {*packet::Endpoint::Parse("198.18.2.9:50211"),
                                           *packet::Endpoint::Parse("198.18.7.7:7777")};
  std::map<std::string, int> seen;
  unsigned arrived = 0;
  unsigned sent = 0;
  for (uint16_t round = 0; round < 500; ++round) {
    spec.target.source = sources[round % 2];
    spec.target.destination = destinations[round % 2];
    Arrive({.sequence = round});
    ++arrived;
    relay_.Publish(spec);
    relay_.flows().Collect();
    while (rte_mbuf* packet = port_->TakeSent()) {
      ++sent;
      const Frame frame = BytesOf(packet);
      rte_pktmbuf_free(packet);
      const packet::ParsedPacket parsed = packet::Parse(frame.data(), frame.size());
      const packet::UdpHeader udp = packet::ReadUdp(parsed, frame.data());
      const packet::Endpoint from = {packet::SourceAddress(parsed, frame.data()), udp.source_port.ToHost()};
      const packet::Endpoint to = {packet::DestinationAddress(parsed, frame.data()), udp.destination_port.ToHost()};
      ++seen[from.ToString() + " > " + to.ToString()];
    }
    ASSERT_TRUE(WaitUntil([&] { return worker_->Snapshot().received == arrived; }));
  }
  EXPECT_TRUE(WaitUntil([&] {
    rte_mbuf* packet = port_->TakeSent();
    rte_pktmbuf_free(packet);
    sent += packet != nullptr;
    return sent == arrived;
  }));
  StopAndJoin();
  for (const auto& [route, packets] : seen) {
    EXPECT_TRUE(route == "198.18.2.1:18582 > 198.18.2.9:50211" || route == "198.18.1.1:30000 > 198.18.7.7:7777")
        << route;
  }
}

TEST_F(WorkerTest, RunsAsASetOnTheCoresOfEalUntilItIsStopped) {
  Open(1024);
  relay_.Publish(relay_.Flow());
  WorkerSetOptions options;
  options.cores = {{.lcore = 1}};
  options.ports = {port_->port()};
  auto set = WorkerSet::Start(options, relay_.flows(), relay_.next_hops());
  ASSERT_TRUE(set.ok()) << set.status();
  Arrive({});
  EXPECT_TRUE(WaitUntil([&] { return (*set)->Snapshot()[0].forwarded == 1; }));
  (*set)->Stop();
  rte_pktmbuf_free(port_->TakeSent());
  flow::FlowEvent event;
  ASSERT_TRUE((*set)->events(0).Pop(event));
  EXPECT_EQ(event.kind, flow::FlowEventKind::kSourceLocked);
  EXPECT_TRUE(WorkerSet::Start(options, relay_.flows(), relay_.next_hops()).ok());
}

TEST_F(WorkerTest, RefusesASetThatCannotWork) {
  Open(1024);
  WorkerSetOptions options;
  options.ports = {port_->port()};
  const auto message = [&] {
    return std::string(WorkerSet::Start(options, relay_.flows(), relay_.next_hops()).status().message());
  };
  EXPECT_EQ(message(), "0 workers, allowed are 1 to 128");
  options.cores = {{.lcore = 1}, {.lcore = 2}};
  EXPECT_EQ(message(),
            "port " + std::to_string(port_->port().id) + " has 1 transmit queues, which is too few for 2 workers");
  options.cores = {{.lcore = 1}};
  options.max_idle_sleep = absl::Milliseconds(2);
  EXPECT_EQ(message(), "max_idle_sleep is 2ms, allowed is 0 to 1ms");
  options.max_idle_sleep = absl::ZeroDuration();
  options.burst = kMaxBurst + 1;
  EXPECT_EQ(message(), "burst is 65, allowed are 1 to 64");
}

}  // namespace
}  // namespace sluice::worker
