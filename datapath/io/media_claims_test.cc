// In a network namespace of this test's own, since claims are seen by all of one.

#include "datapath/io/media_claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "datapath/packet/ip_address.h"

namespace sluice::io {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

MediaRange Range(std::string_view address, uint16_t first, uint16_t last) {
  return {*packet::IpAddress::Parse(address), first, last};
}

class MediaClaimsTest : public ::testing::Test {
 protected:
  // A user namespace too if this is not root.
  static void SetUpTestSuite() {
    ASSERT_TRUE(unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
  }
  // Two relays. Claims are compared by name, so one process can play both.
  MediaClaims first_;
  MediaClaims second_;
};

TEST_F(MediaClaimsTest, RangesThatDoNotOverlapAreTaken) {
  EXPECT_TRUE(first_.ClaimPorts(Range("198.18.1.1", 16384, 20000)).ok());
  EXPECT_TRUE(second_.ClaimPorts(Range("198.18.1.1", 20001, 32767)).ok());
}

TEST_F(MediaClaimsTest, TheSamePortsOfAnotherAddressAreTaken) {
  EXPECT_TRUE(first_.ClaimPorts(Range("198.18.1.1", 16384, 32767)).ok());
  EXPECT_TRUE(second_.ClaimPorts(Range("198.18.2.1", 16384, 32767)).ok());
  EXPECT_TRUE(second_.ClaimPorts(Range("2001:db8::1", 16384, 32767)).ok());
}

TEST_F(MediaClaimsTest, AnOverlapIsRefusedAndNamesTheHolder) {
  EXPECT_TRUE(first_.ClaimPorts(Range("2001:db8::1", 16384, 20000)).ok());
  const auto status = second_.ClaimPorts(Range("2001:db8::1", 20000, 32767));
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("media ports 20000-32767 of 2001:db8::1"),
                    HasSubstr("process " + std::to_string(getpid()) + " holds 16384-20000")));
}

TEST_F(MediaClaimsTest, TheSameRangeIsRefused) {
  EXPECT_TRUE(first_.ClaimPorts(Range("198.18.1.1", 16384, 20000)).ok());
  EXPECT_EQ(second_.ClaimPorts(Range("198.18.1.1", 16384, 20000)).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(MediaClaimsTest, ClaimsEndWithTheirOwner) {
  for (int round = 0; round < 2; ++round) {
    MediaClaims claims;
    EXPECT_TRUE(claims.ClaimPorts(Range("198.18.1.1", 16384, 20000)).ok());
    EXPECT_TRUE(claims.ClaimInterface("veth0").ok());
  }
}

TEST_F(MediaClaimsTest, AnInterfaceIsOneRelays) {
  EXPECT_TRUE(first_.ClaimInterface("veth0").ok());
  EXPECT_TRUE(second_.ClaimInterface("veth1").ok());
  EXPECT_EQ(second_.ClaimInterface("veth0").code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(MediaClaimsTest, AnotherNetworkNamespaceIsAnotherHost) {
  EXPECT_TRUE(first_.ClaimPorts(Range("198.18.1.1", 16384, 20000)).ok());
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  EXPECT_TRUE(second_.ClaimPorts(Range("198.18.1.1", 16384, 20000)).ok());
}

}  // namespace
}  // namespace sluice::io
