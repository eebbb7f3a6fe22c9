#include "signaling/fleet/placement.h"

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace sluice::fleet {
namespace {

constexpr RelayHealth kHealthy = RelayHealth::kHealthy;

struct Case {
  std::string description;
  std::vector<Candidate> candidates;
  std::optional<size_t> chosen;
};

TEST(Placement, ChoosesTheRelayThatTheTableSays) {
  const std::vector<Case> cases = {
      {"no relay at all", {}, std::nullopt},
      {"the only healthy one", {{kHealthy, 7}}, 0},
      {"the one with fewer sessions", {{kHealthy, 7}, {kHealthy, 6}}, 1},
      {"equal ones in the order of the config", {{kHealthy, 3}, {kHealthy, 3}}, 0},
      {"the smaller share, not the smaller number", {{kHealthy, 50, 100}, {kHealthy, 80, 1000}}, 1},
      {"a dead one is skipped", {{RelayHealth::kDown, 0}, {kHealthy, 9}}, 1},
      {"one that is being connected is skipped", {{RelayHealth::kConnecting, 0}, {kHealthy, 9}}, 1},
      {"a draining one is skipped", {{RelayHealth::kDraining, 0}, {kHealthy, 9}}, 1},
      {"none if all are dead or drain", {{RelayHealth::kDown}, {RelayHealth::kDraining}}, std::nullopt},
      {"one that was asked is not asked again", {{kHealthy, 0, 0, 0, true}, {kHealthy, 9}}, 1},
      {"a full one is skipped", {{kHealthy, 10, 10}, {kHealthy, 99, 100}}, 1},
      {"none if all are full", {{kHealthy, 10, 10}}, std::nullopt},
      {"a busy one comes last", {{kHealthy, 1, 100, 0.9}, {kHealthy, 60, 100, 0.5}}, 1},
      {"a busy one is better than none", {{kHealthy, 1, 100, 0.9}, {RelayHealth::kDown}}, 0},
  };
  for (const Case& one : cases) EXPECT_EQ(ChooseRelay(one.candidates), one.chosen) << one.description;
}

TEST(Placement, SpreadsSessionsInProportionToCapacity) {
  std::vector<Candidate> relays = {{kHealthy, 0, 100}, {kHealthy, 0, 300}};
  for (int i = 0; i < 200; ++i) ++relays[*ChooseRelay(relays)].sessions;
  EXPECT_EQ(relays[0].sessions, 50u);
  EXPECT_EQ(relays[1].sessions, 150u);
}

}  // namespace
}  // namespace sluice::fleet
