#include "datapath/flow/shared_table.h"

#include <gtest/gtest.h>

#include "datapath/flow/qsbr.h"
#include "datapath/rtp/payload_map.h"

namespace sluice::flow {
namespace {

rtp::PayloadMap Map(uint8_t payload_type) {
  rtp::PayloadMap map;
  EXPECT_TRUE(map.Add(payload_type, 8000, rtp::PayloadRole::kMedia, 1'000'000'000));
  return map;
}

class SharedTableTest : public testing::Test {
 protected:
  Qsbr qsbr_;
  DeferredReclaim reclaim_{qsbr_};
  SharedTable<rtp::PayloadMap> table_{PageMemory(false), "maps", 2, reclaim_};
};

TEST_F(SharedTableTest, KeepsEqualValuesOnce) {
  const uint16_t first = table_.Acquire(Map(0));
  EXPECT_EQ(table_.Acquire(Map(0)), first);
  EXPECT_NE(table_.Acquire(Map(8)), first);
  EXPECT_EQ(table_.size(), 2u);
  EXPECT_TRUE(table_[first].IsNegotiated(0));
}

TEST_F(SharedTableTest, HasTheDefaultValueWithoutAPlace) {
  EXPECT_EQ(table_.Acquire(rtp::PayloadMap()), 0);
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(SharedTableTest, IsFullWithAsManyDifferentValuesAsItHasPlaces) {
  table_.Acquire(Map(0));
  table_.Acquire(Map(8));
  EXPECT_EQ(table_.Acquire(Map(9)), table_.kNone);
  EXPECT_NE(table_.Acquire(Map(8)), table_.kNone);
}

TEST_F(SharedTableTest, ReusesAPlaceOnlyAfterTheLastReleaseAndAGracePeriod) {
  qsbr_.Online(0);
  table_.Acquire(Map(0));
  const uint16_t index = table_.Acquire(Map(8));
  table_.Acquire(Map(8));
  table_.Release(index);
  EXPECT_EQ(reclaim_.pending(), 0u);
  table_.Release(index);
  reclaim_.Collect();
  EXPECT_EQ(table_.Acquire(Map(9)), table_.kNone);
  EXPECT_TRUE(table_[index].IsNegotiated(8));  // A worker may still look.
  qsbr_.Quiescent(0);
  reclaim_.Collect();
  EXPECT_EQ(table_.Acquire(Map(9)), index);
}

}  // namespace
}  // namespace sluice::flow
