#include "signaling/agent/id_source.h"

#include <set>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "signaling/transport/shard_of.h"

namespace sluice::agent {
namespace {

TEST(IdSource, MakesCallIdsThatBelongToItsShard) {
  for (size_t shard = 0; shard < 3; ++shard) {
    IdSource ids(shard, 3);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(transport::ShardOf(ids.NewCallId(), 3), shard);
  }
}

TEST(IdSource, NamesCallsInTheOrderOfTheirSeconds) {
  const absl::Time start = absl::FromUnixSeconds(1790000000);
  IdSource ids(1, 3);
  std::string last;
  for (int i = 0; i < 100; ++i) {
    const std::string name = ids.NewCallName(start + absl::Seconds(i));
    EXPECT_EQ(name.size(), 32u);
    EXPECT_EQ(transport::ShardOf(name, 3), 1u);
    EXPECT_GT(name, last);
    last = name;
  }
  EXPECT_NE(ids.NewCallName(start), ids.NewCallName(start));
}

TEST(IdSource, RepeatsNothing) {
  IdSource ids(0, 1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(ids.NewCallId()).second);
}

TEST(IdSource, GivesAsManyDigitsAsAskedFor) {
  IdSource ids(0, 1);
  EXPECT_EQ(ids.NewHex(8).size(), 8u);
  EXPECT_EQ(ids.NewHex(100).size(), 32u);
}

TEST(IdSource, UsesTheRandomnessThatItIsGiven) {
  const auto counting = [](absl::Span<uint8_t> bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i);
  };
  IdSource ids(0, 1, counting);
  EXPECT_EQ(ids.NewCallId(), "000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(ids.NewNumber(), 0x1011121314151617u);
}

}  // namespace
}  // namespace sluice::agent
