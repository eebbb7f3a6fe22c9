// Phones behind NAT, in bytes.
#include "signaling/agent/nat_keepalive.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"

namespace sluice::agent {
namespace {

class NatKeepaliveTest : public testing::Test {
 protected:
  // A phone of that number; behind NAT if the two addresses differ.
  Phone NewPhone(const std::string& number, absl::string_view says_at, absl::string_view seen_at) {
    bed_.AddAccount(number, "secret");
    Phone phone = bed_.NewPhone(number, says_at, seen_at);
    EXPECT_EQ(phone.Register().status(), 200);
    return phone;
  }

  void DropMessagesTo(const Phone& phone) {
    while (bed_.network().Take(phone.hop().remote).has_value()) {
    }
  }

  AgentTestBed bed_{[](AgentOptions& options) { options.keepalive_interval = absl::Seconds(30); }};
};

TEST_F(NatKeepaliveTest, AsksAPhoneBehindNatOnceAnInterval) {
  Phone phone = NewPhone("2000", "192.168.2.63:43518", "198.18.2.9:50518");
  for (int round = 0; round < 3; ++round) {
    bed_.Pass(absl::Seconds(4));
    const sip::Message options = phone.Receive();
    EXPECT_EQ(options.method(), sip::Method::kOptions);
    EXPECT_EQ(options.request_uri(), "sip:2000@192.168.2.63:43518");
    phone.Send(phone.Answer(options, 200));
    // Retransmissions, since nobody had answered.
    DropMessagesTo(phone);
    bed_.Pass(absl::Seconds(20));
    EXPECT_FALSE(bed_.network().Has(phone.hop().remote)) << round;
    bed_.Pass(absl::Seconds(6));
  }
}

TEST_F(NatKeepaliveTest, LeavesPhonesAloneThatAreBehindNone) {
  const Phone phone = NewPhone("2000", "198.18.1.2:5060", "198.18.1.2:5060");
  bed_.Pass(absl::Seconds(120));
  EXPECT_FALSE(bed_.network().Has(phone.hop().remote));
}

TEST_F(NatKeepaliveTest, LeavesPhonesAloneWhoseRegistrationIsOver) {
  const Phone phone = NewPhone("2000", "192.168.2.63:43518", "198.18.2.9:50518");
  // The last one may have been sent just before, and goes on for the 32 s of RFC 3261's Timer F.
  bed_.Pass(absl::Seconds(3600 + 33));
  DropMessagesTo(phone);
  bed_.Pass(absl::Seconds(120));
  EXPECT_FALSE(bed_.network().Has(phone.hop().remote));
}

TEST_F(NatKeepaliveTest, SpreadsManyPhonesOverTheInterval) {
  for (int i = 0; i < 60; ++i) {
    NewPhone(absl::StrCat(2000 + i), "192.168.2.63:5060", absl::StrCat("198.18.2.9:", 50000 + i));
  }
  bed_.Pass(absl::Seconds(31));
  NatKeepalive keepalive(bed_.store(), absl::Seconds(30));
  size_t asked = 0;
  absl::Time now = bed_.now();
  for (int second = 0; second < 30; ++second) {
    const size_t due = keepalive.Due(now).size();
    EXPECT_LE(due, 3u) << second;
    asked += due;
    now += absl::Seconds(1);
  }
  EXPECT_EQ(asked, 60u);
}

TEST_F(NatKeepaliveTest, IsOffUnlessTheConfigSaysSo) {
  NewPhone("2000", "192.168.2.63:43518", "198.18.2.9:50518");
  NatKeepalive off(bed_.store(), absl::ZeroDuration());
  EXPECT_EQ(off.NextDeadline(), absl::InfiniteFuture());
  EXPECT_TRUE(off.Due(bed_.now() + absl::Hours(1)).empty());
}

}  // namespace
}  // namespace sluice::agent
