// Devices without any hardware or kernel interface, in one EAL for all tests of this process.

#include "datapath/io/interfaces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <sched.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <thread>

#include "datapath/io/eal.h"

namespace sluice::io {
namespace {

using ::testing::AllOf;

using ::testing::HasSubstr;

unsigned FirstCpu() {
  cpu_set_t cpus;
  sched_getaffinity(0, sizeof(cpus), &cpus);
  unsigned cpu = 0;
  while (!CPU_ISSET(cpu, &cpus)) ++cpu;
  return cpu;
}

class InterfacesTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    worker_cpu_ = FirstCpu();
    auto eal = Eal::Start({.worker_cpus = {worker_cpu_}, .memory_mib = 64});
    ASSERT_TRUE(eal.ok()) << eal.status();
    eal_ = std::move(*eal).release();
  }
  static void TearDownTestSuite() { delete eal_; }

  static InterfaceOptions Vdev(std::string argument) { return {.name = "test", .argument = std::move(argument)}; }
  static absl::StatusOr<std::unique_ptr<Interfaces>> Open(std::vector<InterfaceOptions> options) {
    return Interfaces::Open(*eal_, options, 4096);
  }

  static inline unsigned worker_cpu_ = 0;
  static inline Eal* eal_ = nullptr;
};

TEST_F(InterfacesTest, EachWorkerHasItsLcoreAndCpu) {
  ASSERT_EQ(eal_->workers().size(), 1u);
  EXPECT_EQ(eal_->workers()[0].lcore, 1u);
  EXPECT_EQ(eal_->workers()[0].cpu, worker_cpu_);
}

TEST_F(InterfacesTest, ThreadsMadeAfterwardsMayUseAllControlCpus) {
  size_t cpus = 0;
  std::thread([&cpus] {
    cpu_set_t set;
    sched_getaffinity(0, sizeof(set), &set);
    cpus = static_cast<size_t>(CPU_COUNT(&set));
  }).join();
  EXPECT_EQ(cpus, eal_->control_cpus().size());
}

TEST_F(InterfacesTest, EalStartsOnceAProcess) {
  EXPECT_EQ(Eal::Start({.worker_cpus = {FirstCpu()}}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(InterfacesTest, EalLeavesNoFolder) {
  for (const char* root : {"/var/run/dpdk", "/tmp/dpdk"}) {
    EXPECT_FALSE(std::filesystem::exists(std::string(root) + "/sluice-" + std::to_string(getpid())));
  }
}

TEST_F(InterfacesTest, ACpuThatIsNotThereIsNamed) {
  const auto status = Eal::Start({.worker_cpus = {1023}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("worker_cpus: CPU 1023"));
}

TEST_F(InterfacesTest, MemoryForTablesIsZeroedAndAligned) {
  void* memory = eal_->memory().Allocate("table", 4096, 4096);
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 4096, 0u);
  EXPECT_EQ(*static_cast<uint64_t*>(memory), 0u);
  eal_->memory().Free(memory, 4096);
}

TEST_F(InterfacesTest, ARingGivesBackWhatItWasSent) {
  auto interfaces = Open({Vdev("net_ring0")});
  ASSERT_TRUE(interfaces.ok()) << interfaces.status();
  const Port port = (*interfaces)->ports()[0];
  rte_mempool* pool = rte_mempool_lookup("packets-0");
  ASSERT_NE(pool, nullptr);
  std::array<rte_mbuf*, 4> sent;
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool, sent.data(), sent.size()), 0);
  for (rte_mbuf* packet : sent) rte_pktmbuf_append(packet, 60);
  ASSERT_EQ(port.TxBurst(0, sent.data(), sent.size()), sent.size());

  std::array<rte_mbuf*, 8> received;
  ASSERT_EQ(port.RxBurst(0, received.data(), received.size()), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(received[i], sent[i]);
  EXPECT_EQ((*interfaces)->Statistics(0).received_packets, sent.size());
  EXPECT_EQ((*interfaces)->Statistics(0).sent_packets, sent.size());
  EXPECT_TRUE((*interfaces)->Statistics(0).link_up);
  rte_pktmbuf_free_bulk(received.data(), sent.size());
}

TEST_F(InterfacesTest, SeveralInterfacesKeepTheirOrderAndOptions) {
  InterfaceOptions first = Vdev("net_null0,size=64");
  first.name = "inside";
  first.vlan = 100;
  InterfaceOptions second = Vdev("net_null1");
  second.name = "outside";
  second.static_next_hop = packet::MacAddress::Parse("02:00:00:00:00:01");
  auto interfaces = Open({first, second});
  ASSERT_TRUE(interfaces.ok()) << interfaces.status();
  const auto& all = (*interfaces)->all();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "inside");
  EXPECT_EQ(all[0].device, "net_null0,size=64");
  EXPECT_EQ(all[0].vlan, 100);
  EXPECT_EQ(all[0].kernel_index, 0u);
  EXPECT_EQ(all[1].name, "outside");
  EXPECT_EQ(all[1].static_next_hop, second.static_next_hop);
  EXPECT_NE(all[0].port.id, all[1].port.id);
}

TEST_F(InterfacesTest, AClosedDeviceCanBeOpenedAgain) {
  for (int round = 0; round < 3; ++round) {
    auto interfaces = Open({Vdev("net_null0"), Vdev("net_ring0")});
    ASSERT_TRUE(interfaces.ok()) << interfaces.status();
  }
}

TEST_F(InterfacesTest, NothingStaysOpenIfOneFails) {
  EXPECT_FALSE(Open({Vdev("net_null0"), Vdev("net_nothing0")}).ok());
  EXPECT_TRUE(Open({Vdev("net_null0")}).ok());
}

TEST_F(InterfacesTest, AnUnknownDeviceIsNamedWithItsInterface) {
  const auto status = Open({Vdev("net_nothing0,a=b")}).status();
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("interface test: "), HasSubstr("net_nothing0,a=b")));
}

TEST_F(InterfacesTest, AMissingKernelInterfaceIsNamedWithThoseThereAre) {
  const auto status =
      Open({{.name = "test", .kind = InterfaceKind::kAfPacket, .kernel_interface = "no-such-if"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("no-such-if"), HasSubstr("it has"), HasSubstr("lo")));
}

TEST_F(InterfacesTest, AMissingPciDeviceIsNamed) {
  const auto status = Open({{.name = "test", .kind = InterfaceKind::kPci, .argument = "ffff:ff:1f.7"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ffff:ff:1f.7"));
}

TEST_F(InterfacesTest, ATapThatCannotBeMadeIsNamed) {
  InterfaceOptions options = Vdev("net_ring0");
  options.tap_name = "a-name-of-sixteen";
  EXPECT_THAT(std::string(Open({options}).status().message()), HasSubstr("interface test: tap_name: "));
}

TEST_F(InterfacesTest, MoreQueuesThanTheDeviceHasAreRefused) {
  InterfaceOptions options = Vdev("net_ring0");
  options.queues = 200;
  EXPECT_THAT(std::string(Open({options}).status().message()), HasSubstr("queues: it has at most"));
}

TEST_F(InterfacesTest, APoolThatDoesNotFitSaysHowMuchItNeeds) {
  const auto status = Interfaces::Open(*eal_, {Vdev("net_null0")}, 1'000'000).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("datapath.memory_mib"));
}

}  // namespace
}  // namespace sluice::io
