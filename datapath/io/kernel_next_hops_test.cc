// Against the kernel: a relay's namespace with two veth pairs to a peer's. Needs root.

#include "datapath/io/kernel_next_hops.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <poll.h>

#include <functional>

#include "datapath/io/network_namespace.h"

namespace sluice::io {
namespace {

using flow::NextHop;
using flow::NextHopIndex;
using flow::NextHopState;

packet::IpAddress Address(std::string_view text) { return *packet::IpAddress::Parse(text); }
packet::MacAddress Mac(std::string_view text) { return *packet::MacAddress::Parse(text); }

// The relay has r1 and r2, the peer p1 and p2: 198.18.1.1 to .2 and 198.18.2.1 to .2, 2001:db8:1::1 to ::2.
class KernelNextHopsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(relay_.Run(
        "ip link add r1 address 02:00:00:00:01:01 type veth peer p1 address 02:00:00:00:01:02 netns " + peer_.path()));
    ASSERT_TRUE(relay_.Run(
        "ip link add r2 address 02:00:00:00:02:01 type veth peer p2 address 02:00:00:00:02:02 netns " + peer_.path()));
    ASSERT_TRUE(
        relay_.Run("ip addr add 198.18.1.1/24 dev r1 && ip addr add 2001:db8:1::1/64 dev r1 nodad && "
                   "ip addr add 198.18.2.1/24 dev r2 && ip link set r1 up && ip link set r2 up"));
    ASSERT_TRUE(
        peer_.Run("ip addr add 198.18.1.2/24 dev p1 && ip addr add 2001:db8:1::2/64 dev p1 nodad && "
                  "ip addr add 198.18.2.2/24 dev p2 && ip link set p1 up && ip link set p2 up"));
    in_relay_.emplace(relay_);
    Interface first = {.name = "first", .port = {.id = 7}, .mac_address = Mac("02:00:00:00:01:01")};
    first.kernel_index = if_nametoindex("r1");
    Interface second = {.name = "second", .port = {.id = 8}, .mac_address = Mac("02:00:00:00:02:01"), .vlan = 100};
    second.kernel_index = if_nametoindex("r2");
    Interface fixed = {.name = "fixed", .port = {.id = 9}};
    fixed.static_next_hop = Mac("02:00:00:00:00:99");
    const Interface lost = {.name = "lost", .port = {.id = 10}};
    auto opened = KernelNextHops::Open({first, second, fixed, lost}, table_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    next_hops_ = *std::move(opened);
    next_hops_->Service(now_);
  }

  NextHopIndex Resolve(std::string_view interface, std::string_view destination) {
    const auto index = next_hops_->Resolve(interface, Address(destination));
    EXPECT_TRUE(index.ok()) << index.status();
    return index.value_or(flow::kNoNextHop);
  }

  // Services until `condition` holds; false after five seconds. The clock of rates and grace periods stands still.
  bool Until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (true) {
      next_hops_->Service(now_);
      if (condition()) return true;
      if (std::chrono::steady_clock::now() > deadline) return false;
      pollfd events = {next_hops_->fd(), POLLIN, 0};
      poll(&events, 1, 100);
    }
  }
  bool BecomesReachable(NextHopIndex index, std::string_view mac) {
    return Until([&] {
      const NextHop hop = table_.Load(index);
      return hop.state == NextHopState::kReachable && hop.destination == Mac(mac);
    });
  }
  // The same while workers have packets for it.
  bool BecomesReachableWhenWanted(NextHopIndex index, std::string_view mac) {
    return Until([&] {
      now_ = std::chrono::steady_clock::now();
      table_.Want(index);
      const NextHop hop = table_.Load(index);
      return hop.state == NextHopState::kReachable && hop.destination == Mac(mac);
    });
  }
  bool Becomes(NextHopIndex index, NextHopState state) {
    return Until([&] { return table_.Load(index).state == state; });
  }
  uint16_t PortOf(NextHopIndex index) const { return table_.egress(table_.Load(index).egress).port; }

  NetworkNamespace relay_;
  NetworkNamespace peer_;
  std::optional<InNamespace> in_relay_;
  flow::NextHopTable table_{flow::PageMemory(false), 8};
  KernelNextHops::Time now_ = std::chrono::steady_clock::now();
  std::unique_ptr<KernelNextHops> next_hops_;
};

TEST_F(KernelNextHopsTest, ANeighbourIsLearnedByAskingForIt) {
  const NextHopIndex index = Resolve("first", "198.18.1.2");
  EXPECT_EQ(table_.Load(index).state, NextHopState::kUnresolved);
  EXPECT_TRUE(BecomesReachable(index, "02:00:00:00:01:02"));
  EXPECT_EQ(PortOf(index), 7);
}

// On a busy machine the kernel may give up asking before the peer's address has come up, which for IPv6 takes its time
// after the link: 3 s without packets is the end of it, with them it is asked for again.
TEST_F(KernelNextHopsTest, AnIpv6NeighbourIsLearnedToo) {
  EXPECT_TRUE(BecomesReachableWhenWanted(Resolve("first", "2001:db8:1::2"), "02:00:00:00:01:02"));
}

TEST_F(KernelNextHopsTest, ANeighbourThatComesUpLateIsFound) {
  ASSERT_TRUE(peer_.Run("ip addr del 2001:db8:1::2/64 dev p1"));
  const NextHopIndex index = Resolve("first", "2001:db8:1::2");
  EXPECT_TRUE(Until([&] { return relay_.Run("ip neigh show 2001:db8:1::2 dev r1 | grep -q FAILED"); }));
  ASSERT_TRUE(peer_.Run("ip addr add 2001:db8:1::2/64 dev p1 nodad"));
  EXPECT_TRUE(BecomesReachableWhenWanted(index, "02:00:00:00:01:02"));
}

TEST_F(KernelNextHopsTest, ANeighbourThatIsKnownAlreadyIsReachableAtOnce) {
  ASSERT_TRUE(relay_.Run("ip neigh replace 198.18.1.3 lladdr 02:00:00:00:01:03 dev r1"));
  next_hops_->Service(now_);
  EXPECT_EQ(table_.Load(Resolve("first", "198.18.1.3")).state, NextHopState::kReachable);
}

TEST_F(KernelNextHopsTest, AChangedMacAddressIsFollowed) {
  const NextHopIndex index = Resolve("first", "198.18.1.2");
  ASSERT_TRUE(BecomesReachable(index, "02:00:00:00:01:02"));
  ASSERT_TRUE(relay_.Run("ip neigh replace 198.18.1.2 lladdr 02:00:00:00:01:55 dev r1"));
  EXPECT_TRUE(BecomesReachable(index, "02:00:00:00:01:55"));
}

TEST_F(KernelNextHopsTest, AForgottenNeighbourIsAskedForWhenWorkersWantIt) {
  const NextHopIndex index = Resolve("first", "198.18.1.2");
  ASSERT_TRUE(BecomesReachable(index, "02:00:00:00:01:02"));
  ASSERT_TRUE(relay_.Run("ip neigh del 198.18.1.2 dev r1"));
  ASSERT_TRUE(Becomes(index, NextHopState::kUnresolved));
  now_ += std::chrono::seconds(2);
  table_.Want(index);
  EXPECT_TRUE(BecomesReachable(index, "02:00:00:00:01:02"));
}

TEST_F(KernelNextHopsTest, AStaleNeighbourInUseIsConfirmed) {
  const NextHopIndex index = Resolve("first", "198.18.1.2");
  ASSERT_TRUE(BecomesReachable(index, "02:00:00:00:01:02"));
  now_ += std::chrono::seconds(2);
  ASSERT_TRUE(relay_.Run("ip neigh replace 198.18.1.2 lladdr 02:00:00:00:01:02 nud stale dev r1"));
  EXPECT_TRUE(Until([&] { return relay_.Run("! ip neigh show 198.18.1.2 dev r1 | grep -q STALE"); }));
  EXPECT_EQ(table_.Load(index).state, NextHopState::kReachable);
}

TEST_F(KernelNextHopsTest, AGatewayStandsForWhatIsBehindIt) {
  ASSERT_TRUE(relay_.Run("ip route add 198.18.99.0/24 via 198.18.1.2"));
  EXPECT_TRUE(BecomesReachable(Resolve("first", "198.18.99.1"), "02:00:00:00:01:02"));
}

TEST_F(KernelNextHopsTest, ARouteThatMovesToAnotherInterfaceIsFollowed) {
  ASSERT_TRUE(relay_.Run("ip route add 198.18.99.0/24 via 198.18.1.2"));
  const NextHopIndex index = Resolve("first", "198.18.99.1");
  ASSERT_TRUE(BecomesReachable(index, "02:00:00:00:01:02"));
  ASSERT_TRUE(relay_.Run("ip route replace 198.18.99.0/24 via 198.18.2.2"));
  EXPECT_TRUE(BecomesReachable(index, "02:00:00:00:02:02"));
  EXPECT_EQ(PortOf(index), 8);
}

TEST_F(KernelNextHopsTest, TheNamedInterfaceIsPreferredToABetterRouteElsewhere) {
  ASSERT_TRUE(relay_.Run("ip route add default via 198.18.1.2 && ip route add 198.18.99.0/24 via 198.18.2.2"));
  EXPECT_TRUE(BecomesReachable(Resolve("first", "198.18.99.1"), "02:00:00:00:01:02"));
  EXPECT_TRUE(BecomesReachable(Resolve("second", "198.18.99.1"), "02:00:00:00:02:02"));
}

TEST_F(KernelNextHopsTest, OneOfSeveralNextHopsIsTaken) {
  ASSERT_TRUE(relay_.Run("ip route add 198.18.99.0/24 nexthop via 198.18.1.2 nexthop via 198.18.2.2"));
  EXPECT_TRUE(BecomesReachable(Resolve("second", "198.18.99.1"), "02:00:00:00:02:02"));
}

TEST_F(KernelNextHopsTest, WithoutARouteThereIsNoneUntilOneComes) {
  const NextHopIndex index = Resolve("first", "198.19.0.1");
  EXPECT_EQ(table_.Load(index).state, NextHopState::kNoRoute);
  ASSERT_TRUE(relay_.Run("ip route add 198.19.0.0/24 via 198.18.1.2"));
  EXPECT_TRUE(BecomesReachable(index, "02:00:00:00:01:02"));
}

TEST_F(KernelNextHopsTest, OwnBroadcastAndBlackholedAddressesHaveNoRoute) {
  ASSERT_TRUE(relay_.Run("ip route add blackhole 198.19.0.0/24"));
  for (const char* destination : {"198.18.1.1", "127.0.0.1", "198.18.1.255", "198.19.0.1", "2001:db8:1::1"}) {
    const NextHopIndex index = Resolve("first", destination);
    EXPECT_EQ(table_.Load(index).state, NextHopState::kNoRoute) << destination;
    next_hops_->Release(index);
  }
}

TEST_F(KernelNextHopsTest, ALinkThatGoesDownTakesItsRoutesAlong) {
  const NextHopIndex index = Resolve("first", "198.18.1.2");
  ASSERT_TRUE(BecomesReachable(index, "02:00:00:00:01:02"));
  ASSERT_TRUE(relay_.Run("ip link set r1 down"));
  ASSERT_TRUE(Becomes(index, NextHopState::kNoRoute));
  now_ += std::chrono::seconds(2);
  ASSERT_TRUE(relay_.Run("ip link set r1 up"));
  EXPECT_TRUE(BecomesReachable(index, "02:00:00:00:01:02"));
}

TEST_F(KernelNextHopsTest, AStaticNextHopReachesEverything) {
  const NextHop hop = table_.Load(Resolve("fixed", "203.0.113.1"));
  EXPECT_EQ(hop.state, NextHopState::kReachable);
  EXPECT_EQ(hop.destination, Mac("02:00:00:00:00:99"));
  EXPECT_EQ(table_.egress(hop.egress).port, 9);
}

TEST_F(KernelNextHopsTest, AnInterfaceThatTheKernelDoesNotKnowReachesNothing) {
  EXPECT_EQ(table_.Load(Resolve("lost", "198.18.1.2")).state, NextHopState::kNoRoute);
}

TEST_F(KernelNextHopsTest, AnInterfaceThatIsNotConfiguredIsNotFound) {
  EXPECT_EQ(next_hops_->Resolve("third", Address("198.18.1.2")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(KernelNextHopsTest, EgressesCarryPortMacAndVlan) {
  const flow::Egress& egress = table_.egress(table_.Load(Resolve("second", "198.18.2.2")).egress);
  EXPECT_EQ(egress.source, Mac("02:00:00:00:02:01"));
  EXPECT_EQ(egress.port, 8);
  EXPECT_EQ(egress.vlan, 100);
}

TEST_F(KernelNextHopsTest, TheSameDestinationHasOneIndex) {
  EXPECT_EQ(Resolve("first", "198.18.1.2"), Resolve("first", "198.18.1.2"));
  EXPECT_NE(Resolve("first", "198.18.1.2"), Resolve("second", "198.18.1.2"));
}

TEST_F(KernelNextHopsTest, AReleasedIndexIsFreeAfterAGracePeriod) {
  std::vector<NextHopIndex> indices;
  for (int i = 1; i <= 8; ++i) indices.push_back(Resolve("fixed", "203.0.113." + std::to_string(i)));
  EXPECT_EQ(next_hops_->Resolve("fixed", Address("203.0.113.9")).status().code(), absl::StatusCode::kResourceExhausted);
  next_hops_->Release(indices[3]);
  now_ += std::chrono::milliseconds(500);
  next_hops_->Service(now_);
  EXPECT_FALSE(next_hops_->Resolve("fixed", Address("203.0.113.9")).ok());
  now_ += std::chrono::milliseconds(600);
  next_hops_->Service(now_);
  EXPECT_EQ(Resolve("fixed", "203.0.113.9"), indices[3]);
}

TEST_F(KernelNextHopsTest, AnIndexThatIsUsedAgainInTimeIsKept) {
  const NextHopIndex index = Resolve("fixed", "203.0.113.1");
  next_hops_->Release(index);
  EXPECT_EQ(Resolve("fixed", "203.0.113.1"), index);
  now_ += std::chrono::seconds(2);
  next_hops_->Service(now_);
  EXPECT_EQ(table_.Load(index).state, NextHopState::kReachable);
}

}  // namespace
}  // namespace sluice::io
