#include "signaling/call/call_simulation.h"

#include <random>

#include "gtest/gtest.h"

namespace sluice::call {
namespace {

TEST(CallSimulation, LeavesNoStuckCallAndNoSecondAnswerWhateverHappens) {
  for (uint32_t seed = 1; seed <= 10000; ++seed) {
    std::minstd_rand random(seed);
    const std::string broken = SimulateCall([&] { return static_cast<uint8_t>(random() >> 8); }, 40);
    ASSERT_EQ(broken, "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace sluice::call
