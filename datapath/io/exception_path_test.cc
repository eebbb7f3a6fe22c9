// The exception path between a ring, which stands for the NIC, and the kernel of a namespace. Needs root.

#include "datapath/io/exception_path.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "datapath/io/eal.h"
#include "datapath/io/interfaces.h"
#include "datapath/io/network_namespace.h"

namespace sluice::io {
namespace {

constexpr packet::MacAddress kNic = {{0x02, 0, 0, 0, 0, 0x11}};
constexpr uint64_t kTicksPerSecond = 1'000'000;

// Who has 198.18.1.1? Tell 198.18.1.2.
constexpr std::array<uint8_t, 42> kArpRequest = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,  0, 0,
                                                 0,    0x22, 0x08, 0x06,                       // Ethernet
                                                 0,    1,    8,    0,    6,    4,    0,    1,  // ARP for IPv4, request
                                                 0x02, 0,    0,    0,    0,    0x22, 198,  18, 1, 2,   // Sender
                                                 0,    0,    0,    0,    0,    0,    198,  18, 1, 1};  // Target

class ExceptionPathTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto eal = Eal::Start({.worker_cpus = {0}, .memory_mib = 64});
    ASSERT_TRUE(eal.ok()) << eal.status();
    eal_ = std::move(*eal).release();
  }
  static void TearDownTestSuite() { delete eal_; }

  void SetUp() override {
    in_space_.emplace(space_);
    auto interfaces = Interfaces::Open(*eal_, {{.name = "nic", .argument = "net_ring0"}}, 2048);
    ASSERT_TRUE(interfaces.ok()) << interfaces.status();
    nic_ = *std::move(interfaces);
  }
  void TearDown() override {
    nic_.reset();
    path_.reset();
  }

  void Open(uint32_t limit_pps) {
    auto path = ExceptionPath::Open(
        {.tap_name = "sl-nic", .mac_address = kNic, .limit_pps = limit_pps, .ticks_per_second = kTicksPerSecond}, Nic(),
        0);
    ASSERT_TRUE(path.ok()) << path.status();
    path_ = *std::move(path);
    ASSERT_TRUE(space_.Run("sysctl -qw net.ipv6.conf.sl-nic.disable_ipv6=1; ip addr add 198.18.1.1/24 dev sl-nic"));
  }
  const Port& Nic() const { return nic_->all()[0].port; }

  rte_mbuf* ArpRequest() {
    rte_mbuf* packet = rte_pktmbuf_alloc(rte_mempool_lookup("packets-0"));
    std::memcpy(rte_pktmbuf_append(packet, kArpRequest.size()), kArpRequest.data(), kArpRequest.size());
    return packet;
  }

  // The next ARP answer that goes out by the NIC, for up to five seconds.
  std::optional<std::array<uint8_t, 42>> ArpAnswer(bool poll_path) {
    for (int round = 0; round < 500; ++round) {
      if (poll_path) path_->Poll();
      rte_mbuf* packet = nullptr;
      while (Nic().RxBurst(0, &packet, 1) == 1) {
        std::array<uint8_t, 42> frame = {};
        std::memcpy(frame.data(), rte_pktmbuf_mtod(packet, const void*),
                    std::min<size_t>(frame.size(), rte_pktmbuf_data_len(packet)));
        rte_pktmbuf_free(packet);
        if (frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 2) return frame;
      }
      poll(nullptr, 0, 10);
    }
    return std::nullopt;
  }

  static inline Eal* eal_ = nullptr;
  NetworkNamespace space_;
  std::optional<InNamespace> in_space_;
  std::unique_ptr<Interfaces> nic_;
  std::unique_ptr<ExceptionPath> path_;
};

TEST_F(ExceptionPathTest, TheKernelAnswersArpWithTheNicsMacAddress) {
  Open(1000);
  rte_mbuf* request = ArpRequest();
  ASSERT_EQ(path_->Punt(0, &request, 1, 0), 1u);
  const auto answer = ArpAnswer(true);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::memcmp(&(*answer)[6], kNic.bytes.data(), 6), 0);
  EXPECT_EQ(path_->Statistics().punted, 1u);
  EXPECT_GE(path_->Statistics().injected, 1u);
}

TEST_F(ExceptionPathTest, ItsThreadDoesTheSame) {
  Open(1000);
  path_->Start();
  rte_mbuf* request = ArpRequest();
  ASSERT_EQ(path_->Punt(0, &request, 1, 0), 1u);
  EXPECT_TRUE(ArpAnswer(false).has_value());
  path_->Stop();
}

TEST_F(ExceptionPathTest, WhatIsAboveTheLimitStaysWithTheWorker) {
  Open(100);
  std::array<rte_mbuf*, 32> packets;
  for (rte_mbuf*& packet : packets) packet = ArpRequest();
  // A tenth of a second's worth at once.
  EXPECT_EQ(path_->Punt(0, packets.data(), packets.size(), 0), 10u);
  EXPECT_EQ(path_->Statistics().limited, 22u);
  // And what has come in since.
  EXPECT_EQ(path_->Punt(0, &packets[10], 22, kTicksPerSecond / 20), 5u);
  rte_pktmbuf_free_bulk(&packets[15], 17);
}

TEST_F(ExceptionPathTest, BuffersComeBackToTheirPool) {
  Open(100'000);
  rte_mempool* pool = rte_mempool_lookup("packets-0");
  const unsigned before = rte_mempool_avail_count(pool);
  for (int i = 0; i < 1000; ++i) {
    rte_mbuf* packet = ArpRequest();
    ASSERT_EQ(path_->Punt(0, &packet, 1, static_cast<uint64_t>(i) * 1000), 1u) << i;
    path_->Poll();
    while (Nic().RxBurst(0, &packet, 1) == 1) rte_pktmbuf_free(packet);
  }
  path_.reset();
  EXPECT_EQ(rte_mempool_avail_count(pool), before);
}

TEST_F(ExceptionPathTest, ANameThatIsTooLongIsRefused) {
  const auto status = ExceptionPath::Open({.tap_name = "a-name-of-sixteen", .mac_address = kNic}, Nic(), 0).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace sluice::io
