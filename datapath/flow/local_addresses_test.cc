#include "datapath/flow/local_addresses.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::flow {
namespace {

packet::IpAddress Address(const std::string& text) { return *packet::IpAddress::Parse(text); }

TEST(LocalAddresses, FindsAllOfTheMostThatThereMayBeAndNoOthers) {
  LocalAddresses addresses;
  for (unsigned i = 0; i < LocalAddresses::kMax; ++i) {
    const std::string text = i % 2 != 0 ? "2001:db8::" + std::to_string(i) : "198.18.1." + std::to_string(i);
    ASSERT_EQ(addresses.Add(Address(text)), i);
  }
  for (unsigned i = 0; i < LocalAddresses::kMax; ++i) EXPECT_EQ(addresses.Find(addresses[i]), i);
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(addresses.Find(Address("198.19.1." + std::to_string(i))), LocalAddresses::kNotLocal);
  }
  EXPECT_EQ(addresses.Find(packet::IpAddress()), LocalAddresses::kNotLocal);
  EXPECT_EQ(addresses.Add(Address("198.18.3.1")), LocalAddresses::kNotLocal);
}

TEST(LocalAddresses, AnswersTheSameIndexForAnAddressThatIsThere) {
  LocalAddresses addresses;
  EXPECT_EQ(addresses.Add(Address("198.18.1.1")), 0u);
  EXPECT_EQ(addresses.Add(Address("198.18.1.2")), 1u);
  EXPECT_EQ(addresses.Add(Address("198.18.1.1")), 0u);
  EXPECT_EQ(addresses.size(), 2u);
}

TEST(LocalAddresses, FindsNothingWhenThereIsNone) {
  EXPECT_EQ(LocalAddresses().Find(Address("198.18.1.1")), LocalAddresses::kNotLocal);
}

}  // namespace
}  // namespace sluice::flow
