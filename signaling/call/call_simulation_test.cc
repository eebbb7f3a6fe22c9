#include "signaling/call/call_simulation.h"

#include <random>

#include "gtest/gtest.h"

namespace sluice::call {
namespace {

TEST(CallSimulation, LeavesNoStuckCallAndNoSecondAnswerWhateverHappens) {
  int restarts = 0;
  int probes = 0;
  for (uint32_t seed = 1; seed <= 10000; ++seed) {
    std::minstd_rand random(seed);
    const SimulationResult result = SimulateCall([&] { return static_cast<uint8_t>(random() >> 8); }, 40);
    ASSERT_EQ(result.broken, "") << "seed " << seed;
    restarts += result.restarts;
    probes += result.probes;
  }
  EXPECT_GT(restarts, 1000);
  EXPECT_GT(probes, 1000);
}

}  // namespace
}  // namespace sluice::call
