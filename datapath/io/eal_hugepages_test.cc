// EAL on hugepages. Needs root: it reserves 64 MiB for its time if they are not there, and gives them back.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "datapath/io/eal.h"
#include "datapath/io/hugepages.h"
#include "datapath/io/interfaces.h"

namespace sluice::io {
namespace {

constexpr unsigned kMemoryMib = 64;

// The kernel's reserve of 2 MiB pages, as before when this ends.
class HugepageReserve {
 public:
  HugepageReserve() {
    std::ifstream(kFile) >> before_;
    Set(before_ + kMemoryMib / 2);
  }
  ~HugepageReserve() { Set(before_); }

 private:
  static constexpr char kFile[] = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
  static void Set(unsigned pages) { std::ofstream(kFile) << pages << "\n"; }
  unsigned before_ = 0;
};

TEST(EalOnHugepages, GivesTablesAndBuffersAndLeavesNoFile) {
  const HugepageReserve reserve;
  if (!CheckHugepages(kMemoryMib).ok()) GTEST_SKIP() << "the kernel has no memory left for hugepages";
  auto eal = Eal::Start({.worker_cpus = {0}, .hugepages = true, .memory_mib = kMemoryMib});
  ASSERT_TRUE(eal.ok()) << eal.status();

  constexpr size_t kTable = size_t{8} << 20;
  auto* table = static_cast<uint64_t*>((*eal)->memory().Allocate("table", kTable, 4096));
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(table) % 4096, 0u);
  EXPECT_EQ(table[kTable / sizeof(*table) - 1], 0u);
  (*eal)->memory().Free(table, kTable);
  {
    auto interfaces = Interfaces::Open(**eal, {{.name = "ring", .argument = "net_ring0"}}, 2048);
    EXPECT_TRUE(interfaces.ok()) << interfaces.status();
  }
  EXPECT_FALSE(std::filesystem::exists("/var/run/dpdk/sluice-" + std::to_string(getpid())));
}

}  // namespace
}  // namespace sluice::io
