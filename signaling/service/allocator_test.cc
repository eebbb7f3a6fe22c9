#include "signaling/service/allocator.h"

#include <unistd.h>

#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace sluice::service {
namespace {

// As a call has them.
constexpr size_t kBlock = 1024;
constexpr size_t kPeak = 4 * kReservedBytes;
constexpr size_t kPieces = 1024;
// By then a fiftieth is left.
constexpr int kMinute = 60;

size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

using Blocks = std::vector<std::unique_ptr<char[]>>;

Blocks Peak() {
  Blocks blocks(kPeak / kBlock);
  for (std::unique_ptr<char[]>& block : blocks) block = std::make_unique<char[]>(kBlock);
  return blocks;
}

void WaitAMinute() {
  for (int i = 0; i < kMinute; ++i) ReleaseSpareMemory();
}

// What is left of a peak: a block here and there, so that free memory is in pieces.
Blocks Rest() {
  Blocks peak = Peak(), rest;
  for (size_t i = 0; i < peak.size(); i += kPeak / kBlock / kPieces) rest.push_back(std::move(peak[i]));
  return rest;
}

class Allocator : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers bring an allocator of their own";
#endif
  }
};

TEST_F(Allocator, CountsWhatIsAllocatedAndNotFreed) {
  const size_t before = AllocatedBytes();
  Blocks peak = Peak();
  EXPECT_GE(AllocatedBytes(), before + kPeak);
  peak.clear();
  EXPECT_LT(AllocatedBytes(), before + kPeak / 8);
}

TEST_F(Allocator, GivesBackWithinAMinuteWhatAPeakLeavesAndKeepsTheReserve) {
  const Blocks rest = Rest();
  ASSERT_GT(ResidentBytes(), AllocatedBytes() + kPeak / 2) << "it has given back by itself";
  WaitAMinute();
  EXPECT_LT(ResidentBytes(), AllocatedBytes() + 2 * kReservedBytes);
  EXPECT_GT(ResidentBytes(), AllocatedBytes() + kReservedBytes / 2);
}

}  // namespace
}  // namespace sluice::service
