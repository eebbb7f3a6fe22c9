#include "datapath/flow/next_hop_table.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::flow {
namespace {

constexpr packet::MacAddress kMac = {{2, 0, 0, 0, 0, 9}};

std::vector<NextHopIndex> TakeWanted(NextHopTable& table) {
  std::vector<NextHopIndex> wanted;
  table.TakeWanted([&wanted](NextHopIndex index) { wanted.push_back(index); });
  return wanted;
}

TEST(NextHopTable, HasNothingAtTheIndexOfNone) {
  NextHopTable table(PageMemory(false), 4);
  EXPECT_EQ(table.Load(kNoNextHop).state, NextHopState::kUnused);
}

TEST(NextHopTable, ShowsWhatWasSetAsAWhole) {
  NextHopTable table(PageMemory(false), 4);
  const unsigned egress = table.AddEgress({.source = kMac, .port = 7, .vlan = 100});
  const NextHopIndex index = table.Allocate();
  EXPECT_EQ(table.Load(index).state, NextHopState::kUnresolved);
  table.Set(index, {kMac, static_cast<uint8_t>(egress), NextHopState::kReachable});
  const NextHop next_hop = table.Load(index);
  EXPECT_EQ(next_hop.destination, kMac);
  EXPECT_EQ(next_hop.state, NextHopState::kReachable);
  EXPECT_EQ(table.egress(next_hop.egress).port, 7);
  EXPECT_EQ(table.egress(next_hop.egress).vlan, 100);
}

TEST(NextHopTable, GivesEachIndexOnceAndAgainAfterItsRelease) {
  NextHopTable table(PageMemory(false), 2);
  const NextHopIndex first = table.Allocate();
  EXPECT_NE(table.Allocate(), first);
  EXPECT_EQ(table.Allocate(), kNoNextHop);
  table.Release(first);
  EXPECT_EQ(table.Load(first).state, NextHopState::kUnused);
  EXPECT_EQ(table.Allocate(), first);
}

TEST(NextHopTable, TellsEachWantedNextHopOnceUntilItIsWantedAgain) {
  NextHopTable table(PageMemory(false), 4);
  table.Allocate();
  const NextHopIndex second = table.Allocate();
  table.Want(second);
  table.Want(second);
  EXPECT_EQ(TakeWanted(table), std::vector<NextHopIndex>{second});
  EXPECT_TRUE(TakeWanted(table).empty());
  table.Want(second);
  EXPECT_EQ(TakeWanted(table), std::vector<NextHopIndex>{second});
}

TEST(NextHopTable, ForgetsThatAReleasedNextHopWasWanted) {
  NextHopTable table(PageMemory(false), 4);
  const NextHopIndex index = table.Allocate();
  table.Want(index);
  table.Release(index);
  EXPECT_TRUE(TakeWanted(table).empty());
}

}  // namespace
}  // namespace sluice::flow
