#include "datapath/flow/port_allocator.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::flow {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

PortAllocatorOptions Range(uint16_t first, uint16_t last) {
  PortAllocatorOptions options;
  options.first_port = first;
  options.last_port = last;
  return options;
}

TEST(PortAllocator, GivesTheLowestPairFirst) {
  PortAllocator ports(Range(20001, 20007));
  EXPECT_EQ(*ports.AllocatePair(kStart), 20002);
  EXPECT_EQ(*ports.AllocatePair(kStart), 20004);
  EXPECT_EQ(*ports.AllocatePair(kStart), 20006);
  EXPECT_EQ(ports.AllocatePair(kStart).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(PortAllocator, GivesSinglesFromHalfUsedPairsBeforeItBreaksAWholeOne) {
  PortAllocator ports(Range(20001, 20007));
  EXPECT_EQ(*ports.AllocateSingle(kStart), 20001);  // Its partner is outside of the range.
  EXPECT_EQ(*ports.AllocateSingle(kStart), 20002);
  EXPECT_EQ(*ports.AllocateSingle(kStart), 20003);
  EXPECT_EQ(*ports.AllocatePair(kStart), 20004);
}

TEST(PortAllocator, GivesEveryPortOfTheFullRangeOnceAndThenSaysWhatIsUsed) {
  PortAllocator ports(Range(1024, 65535));
  std::set<uint16_t> given;
  for (int i = 0; i < 65536 - 1024; ++i) {
    const auto port = ports.AllocateSingle(kStart);
    ASSERT_TRUE(port.ok());
    ASSERT_GE(*port, 1024);
    ASSERT_TRUE(given.insert(*port).second);
  }
  EXPECT_EQ(ports.AllocateSingle(kStart).status().message(),
            "no free media port in 1024 to 65535: 64512 of 64512 are in use, 0 rest");
}

TEST(PortAllocator, NeverGivesExcludedPorts) {
  PortAllocatorOptions options = Range(20000, 20005);
  options.excluded = {20001, 20004};
  PortAllocator ports(options);
  EXPECT_EQ(*ports.AllocatePair(kStart), 20002);
  EXPECT_FALSE(ports.AllocatePair(kStart).ok());
  EXPECT_EQ(*ports.AllocateSingle(kStart), 20000);
  EXPECT_EQ(*ports.AllocateSingle(kStart), 20005);
  EXPECT_FALSE(ports.AllocateSingle(kStart).ok());
  EXPECT_EQ(ports.AllocateSingleAt(20004, kStart).message(), "port 20004 is excluded from the media ports");
  EXPECT_EQ(ports.usage(kStart).ports, 4u);
}

TEST(PortAllocator, LetsAFreedPortRestForTheQuarantine) {
  PortAllocator ports(Range(20000, 20001));
  ASSERT_EQ(*ports.AllocatePair(kStart), 20000);
  ports.ReleasePair(20000, kStart);
  const absl::Time just_before = kStart + absl::Seconds(2) - absl::Nanoseconds(1);
  EXPECT_FALSE(ports.AllocatePair(just_before).ok());
  EXPECT_EQ(ports.AllocateSingleAt(20000, just_before).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ports.usage(just_before).quarantined, 2u);
  EXPECT_EQ(ports.usage(just_before).used, 0u);
  EXPECT_EQ(*ports.AllocatePair(kStart + absl::Seconds(2)), 20000);
}

TEST(PortAllocator, GivesPortsByNameAndSaysWhyNot) {
  PortAllocator ports(Range(20000, 20009));
  EXPECT_TRUE(ports.AllocatePairAt(20004, kStart).ok());
  EXPECT_EQ(ports.AllocatePairAt(20004, kStart).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ports.AllocateSingleAt(20005, kStart).message(), "port 20005 is in use");
  EXPECT_EQ(ports.AllocatePairAt(20003, kStart).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ports.AllocateSingleAt(20010, kStart).message(), "port 20010 is outside of the media ports 20000 to 20009");
  EXPECT_TRUE(ports.AllocateSingleAt(20001, kStart).ok());
  EXPECT_EQ(ports.AllocatePairAt(20000, kStart).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(*ports.AllocatePair(kStart), 20002);
}

TEST(PortAllocator, AcceptsOnlyRangesThatCanWork) {
  EXPECT_TRUE(PortAllocator::Check(Range(1024, 65535)).ok());
  EXPECT_EQ(PortAllocator::Check(Range(1023, 65535)).message(), "first_port is 1023, allowed is 1024 to 65535");
  EXPECT_EQ(PortAllocator::Check(Range(2000, 2000)).message(),
            "last_port is 2000, allowed is 2001 to 65535 (above first_port)");
  PortAllocatorOptions hasty = Range(2000, 3000);
  hasty.quarantine = absl::Seconds(1);
  EXPECT_EQ(PortAllocator::Check(hasty).message(), "port_quarantine is 1s, allowed is 2s and more");
}

}  // namespace
}  // namespace sluice::flow
