#include "signaling/dns/service_order.h"

#include <map>
#include <random>
#include <string>

#include "gtest/gtest.h"

namespace sluice::dns {
namespace {

std::string Names(const std::vector<Service>& services) {
  std::string names;
  for (const Service& service : services) names += service.target;
  return names;
}

uint32_t Lowest(uint32_t) { return 0; }
uint32_t Highest(uint32_t bound) { return bound; }

TEST(ServiceOrder, TriesLowerPrioritiesFirst) {
  const std::vector<Service> services = {{20, 9, 5060, "c"}, {10, 1, 5060, "a"}, {30, 5, 5060, "d"}};
  EXPECT_EQ(Names(OrderServices(services, Lowest)), "acd");
  EXPECT_EQ(Names(OrderServices(services, Highest)), "acd");
}

TEST(ServiceOrder, DrawsAmongEqualsByTheSumOfWeights) {
  const std::vector<Service> services = {{1, 10, 5060, "a"}, {1, 20, 5060, "b"}, {1, 30, 5060, "c"}};
  // Running sums are 10, 30, 60: the first that is not below the drawn number is taken.
  EXPECT_EQ(Names(OrderServices(services, [](uint32_t bound) { return bound == 60 ? 10 : 0; })), "abc");
  EXPECT_EQ(Names(OrderServices(services, [](uint32_t bound) { return bound == 60 ? 11 : 0; })), "bac");
  EXPECT_EQ(Names(OrderServices(services, Highest)), "cba");
}

TEST(ServiceOrder, TriesWeightZeroOnlyByTheLowestNumber) {
  const std::vector<Service> services = {{1, 10, 5060, "a"}, {1, 0, 5060, "z"}};
  EXPECT_EQ(Names(OrderServices(services, Lowest)), "za");
  EXPECT_EQ(Names(OrderServices(services, Highest)), "az");
}

TEST(ServiceOrder, SpreadsLoadByWeight) {
  std::mt19937 generator(1);
  const auto random = [&](uint32_t bound) { return std::uniform_int_distribution<uint32_t>(0, bound)(generator); };
  std::map<std::string, int> first;
  for (int i = 0; i < 10000; ++i) {
    ++first[OrderServices({{1, 300, 5060, "a"}, {1, 100, 5060, "b"}}, random)[0].target];
  }
  EXPECT_NEAR(first["a"], 7500, 200);
}

TEST(ServiceOrder, TriesPointersByOrderAndThenByPreference) {
  const auto pointer = [](uint16_t order, uint16_t preference, const std::string& name) {
    return ServicePointer{.order = order, .preference = preference, .replacement = name};
  };
  std::string names;
  for (const ServicePointer& one :
       OrderPointers({pointer(20, 1, "d"), pointer(10, 9, "c"), pointer(10, 5, "a"), pointer(10, 5, "b")})) {
    names += one.replacement;
  }
  EXPECT_EQ(names, "abcd");
}

TEST(ServiceOrder, OrdersNothing) { EXPECT_TRUE(OrderServices({}, Lowest).empty()); }

}  // namespace
}  // namespace sluice::dns
