#include "datapath/flow/flow_table.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::flow {
namespace {

packet::Endpoint At(const char* text) { return *packet::Endpoint::Parse(text); }

class FlowTableTest : public testing::Test {
 protected:
  FlowTableTest() {
    for (const char* address : {"198.18.1.1", "2001:db8::1"}) {
      EXPECT_TRUE(table_->AddLocalAddress(*packet::IpAddress::Parse(address)).ok());
    }
  }

  static std::unique_ptr<FlowTable> Make() {
    FlowTableOptions options;
    options.max_flows = 4;
    options.max_payload_maps = 2;
    options.max_prefix_sets = 1;
    options.ticks_per_second = 1'000'000'000;
    return FlowTable::Create(options, PageMemory(false)).value();
  }

  FlowSpec Spec(const char* local = "198.18.1.1:4000") {
    FlowSpec spec;
    spec.local = At(local);
    spec.target = {At("198.18.1.1:5000"), At("198.18.9.9:6000"), 3};
    spec.state = table_->AllocateState().value();
    spec.signalled = At("198.18.8.8:7000");
    return spec;
  }
  const FlowEntry4& Entry4(const FlowSpec& spec) const { return table_->entry4(table_->Find(spec.local).entry); }
  std::string Refusal(const FlowSpec& spec) { return std::string(table_->Publish(spec).message()); }

  std::unique_ptr<FlowTable> table_ = Make();
};

TEST_F(FlowTableTest, FindsWhatWasPublishedAndNothingElse) {
  const FlowSpec spec = Spec();
  ASSERT_TRUE(table_->Publish(spec).ok());
  const FlowReference flow = table_->Find(spec.local);
  EXPECT_EQ(flow.state, spec.state);
  EXPECT_FALSE(flow.is_wide());
  EXPECT_EQ(Entry4(spec).rewrite.destination_port.ToHost(), 6000);
  EXPECT_EQ(Entry4(spec).next_hop, 3);
  EXPECT_FALSE(table_->Find(At("198.18.1.1:4001")).is_set());
  EXPECT_FALSE(table_->Find(At("[2001:db8::1]:4000")).is_set());
  EXPECT_FALSE(table_->Find(At("198.18.1.2:4000")).is_set());
  EXPECT_EQ(table_->flows(), 1u);
}

TEST_F(FlowTableTest, FindsNothingAfterUnpublish) {
  const FlowSpec spec = Spec();
  ASSERT_TRUE(table_->Publish(spec).ok());
  table_->Unpublish(spec.local);
  EXPECT_FALSE(table_->Find(spec.local).is_set());
  EXPECT_EQ(table_->flows(), 0u);
  table_->Unpublish(spec.local);
  table_->Unpublish(At("198.18.7.7:1"));
  EXPECT_EQ(table_->flows(), 0u);
}

TEST_F(FlowTableTest, ReplacesByACopyThatKeepsTheState) {
  FlowSpec spec = Spec();
  ASSERT_TRUE(table_->Publish(spec).ok());
  const FlowReference before = table_->Find(spec.local);
  spec.target.destination = At("198.18.9.9:6001");
  ASSERT_TRUE(table_->Publish(spec).ok());
  const FlowReference after = table_->Find(spec.local);
  EXPECT_NE(after.entry, before.entry);
  EXPECT_EQ(after.state, before.state);
  EXPECT_EQ(table_->entry4(before.entry).rewrite.destination_port.ToHost(), 6000);  // A worker may still look.
  EXPECT_EQ(table_->entry4(after.entry).rewrite.destination_port.ToHost(), 6001);
  EXPECT_EQ(table_->flows(), 1u);
}

TEST_F(FlowTableTest, ReusesAnEntryOnlyAfterAGracePeriod) {
  table_->qsbr().Online(0);
  const FlowSpec spec = Spec();
  ASSERT_TRUE(table_->Publish(spec).ok());
  const EntryIndex old = table_->Find(spec.local).entry;
  table_->Unpublish(spec.local);
  table_->Collect();
  ASSERT_TRUE(table_->Publish(spec).ok());
  EXPECT_NE(table_->Find(spec.local).entry, old);
  table_->Unpublish(spec.local);
  table_->qsbr().Quiescent(0);
  EXPECT_EQ(table_->Collect(), 1u);  // Retired before the report; the second one after it.
  ASSERT_TRUE(table_->Publish(spec).ok());
  EXPECT_EQ(table_->Find(spec.local).entry, old);
}

TEST_F(FlowTableTest, TakesAWideEntryWhereIpv6TakesPart) {
  FlowSpec v6_local = Spec("[2001:db8::1]:4000");
  ASSERT_TRUE(table_->Publish(v6_local).ok());
  const FlowReference flow = table_->Find(v6_local.local);
  ASSERT_TRUE(flow.is_wide());
  EXPECT_TRUE(table_->entry_wide(flow.entry).Has(kFlowToIpv4));

  FlowSpec v6_target = Spec();
  v6_target.target.source = At("[2001:db8::1]:5000");
  v6_target.target.destination = At("[2001:db8::9]:6000");
  ASSERT_TRUE(table_->Publish(v6_target).ok());
  EXPECT_TRUE(table_->Find(v6_target.local).is_wide());
  EXPECT_FALSE(table_->entry_wide(table_->Find(v6_target.local).entry).Has(kFlowToIpv4));
}

TEST_F(FlowTableTest, MarksAFlowWhoseDestinationIsNotKnown) {
  FlowSpec spec = Spec();
  spec.target.destination = {};
  ASSERT_TRUE(table_->Publish(spec).ok());
  EXPECT_TRUE(Entry4(spec).Has(kFlowNoDestination));
}

TEST_F(FlowTableTest, GivesRtcpOfAMultiplexedFlowAWayOfItsOwn) {
  FlowSpec spec = Spec();
  spec.rtcp_target = {At("198.18.1.1:5001"), At("198.18.9.9:6001"), 4};
  ASSERT_TRUE(table_->Publish(spec).ok());
  const FlowEntry4& rtcp = table_->entry4(Entry4(spec).rtcp_entry);
  EXPECT_EQ(rtcp.rewrite.destination_port.ToHost(), 6001);
  EXPECT_EQ(rtcp.next_hop, 4);
  table_->Unpublish(spec.local);
  EXPECT_EQ(table_->Collect(), 2u);
}

TEST_F(FlowTableTest, SharesEqualPayloadMapsAndFreesThemWithTheirLastFlow) {
  FlowSpec one = Spec("198.18.1.1:4000");
  FlowSpec two = Spec("198.18.1.1:4002");
  ASSERT_TRUE(one.payload_map.Add(0, 8000, rtp::PayloadRole::kMedia, 1'000'000'000));
  two.payload_map = one.payload_map;
  ASSERT_TRUE(table_->Publish(one).ok());
  ASSERT_TRUE(table_->Publish(two).ok());
  EXPECT_EQ(Entry4(one).payload_map, Entry4(two).payload_map);
  EXPECT_TRUE(table_->payload_map(Entry4(one).payload_map).IsNegotiated(0));
  table_->Unpublish(one.local);
  EXPECT_EQ(table_->Collect(), 1u);
  table_->Unpublish(two.local);
  EXPECT_EQ(table_->Collect(), 2u);
}

TEST_F(FlowTableTest, RefusesWhatCannotBeAndNamesTheField) {
  FlowSpec spec = Spec();
  spec.dscp = 64;
  EXPECT_EQ(Refusal(spec), "dscp is 64, allowed is 0 to 63");
  spec = Spec();
  spec.target.destination = At("[2001:db8::9]:6000");
  EXPECT_EQ(Refusal(spec),
            "target.source 198.18.1.1:5000 and target.destination [2001:db8::9]:6000 are of different IP versions");
  spec.target = {{}, At("198.18.9.9:6000"), 3};
  EXPECT_EQ(Refusal(spec), "target.source has no port");
  spec = Spec();
  spec.source_mode = rtp::SourceMode::kPrefix;
  EXPECT_EQ(Refusal(spec), "source_policy.prefixes has 0 entries, allowed are 1 to 8");
  spec = Spec();
  spec.local = At("198.18.7.7:4000");
  EXPECT_EQ(Refusal(spec), "198.18.7.7 is not one of the relay's media addresses");
  spec.state = kNoState;
  EXPECT_EQ(Refusal(spec), "state is not set");
  EXPECT_EQ(table_->flows(), 0u);
}

TEST_F(FlowTableTest, SaysWhichPoolIsEmptyAndLosesNothingByIt) {
  for (int i = 0; i < 4; ++i) Spec();
  EXPECT_EQ(table_->AllocateState().status().message(), "all 4 flows (datapath.max_flows) are in use");

  table_ = Make();
  ASSERT_TRUE(table_->AddLocalAddress(*packet::IpAddress::Parse("198.18.1.1")).ok());
  FlowSpec spec = Spec();
  for (uint8_t type = 0; type < 3; ++type) {
    spec.local.port = static_cast<uint16_t>(4000 + type);
    spec.payload_map = {};
    ASSERT_TRUE(spec.payload_map.Add(type, 8000, rtp::PayloadRole::kMedia, 1'000'000'000));
    EXPECT_EQ(table_->Publish(spec).ok(), type < 2);
  }
  EXPECT_EQ(Refusal(spec), "more than 2 different sets of payload types are in use");
  table_->Unpublish(At("198.18.1.1:4000"));
  table_->Collect();
  EXPECT_TRUE(table_->Publish(spec).ok());
}

TEST_F(FlowTableTest, GivesAStateAgainAsNewAfterAGracePeriod) {
  table_->qsbr().Online(0);
  StateIndex last = kNoState;
  for (int i = 0; i < 4; ++i) last = table_->AllocateState().value();
  table_->state(last).receive.packets_and_repeats.Store(9);
  table_->detail(last).CountDrop(packet::DropReason::kPoliced);
  table_->ReleaseState(last);
  EXPECT_FALSE(table_->AllocateState().ok());
  table_->qsbr().Quiescent(0);
  ASSERT_EQ(table_->AllocateState().value(), last);
  EXPECT_EQ(table_->state(last).receive.packets(), 0u);
  EXPECT_EQ(table_->detail(last).Drops(packet::DropReason::kPoliced), 0u);
}

TEST(FlowTable, RefusesOptionsOutOfRange) {
  EXPECT_EQ(FlowTable::Create({.max_flows = 0, .ticks_per_second = 1}, PageMemory(false)).status().message(),
            "max_flows is 0, allowed is 1 to 4194304");
  EXPECT_EQ(FlowTable::Create({}, PageMemory(false)).status().message(), "ticks_per_second is 0");
}

}  // namespace
}  // namespace sluice::flow
