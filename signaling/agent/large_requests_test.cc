#include "signaling/agent/large_requests.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sluice::agent {
namespace {

class Listeners final : public transport::Network {
 public:
  void Send(const sip::Hop&, absl::string_view) override {}
  const std::vector<transport::Listener>& listeners() const override { return listeners_; }
  std::string Advertised(const sip::Hop&) const override { return ""; }
  sip::Hop HopTo(sip::Protocol, const sip::Endpoint&) const override { return {}; }
  bool ListensOn(sip::Protocol, const sip::Endpoint&) const override { return false; }

  void Add(sip::Protocol protocol, absl::string_view address) {
    listeners_.push_back({protocol, *sip::Endpoint::Parse(address), "", {}});
  }

 private:
  std::vector<transport::Listener> listeners_;
};

sip::Hop HopTo(absl::string_view remote, absl::string_view local = "198.18.1.1:7080") {
  return {
      .protocol = sip::Protocol::kUdp, .local = *sip::Endpoint::Parse(local), .remote = *sip::Endpoint::Parse(remote)};
}

class LargeRequestsTest : public testing::Test {
 protected:
  // "local > remote"; empty: there is no such way.
  std::string Way(const sip::Hop& hop) {
    const std::optional<sip::Hop> way = requests_.StreamHop(hop, now_);
    if (!way.has_value()) return "";
    EXPECT_EQ(way->protocol, sip::Protocol::kTcp);
    return absl::StrCat(way->local.ToString(), " > ", way->remote.ToString());
  }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  Listeners network_;
  LargeRequests requests_{network_};
};

TEST_F(LargeRequestsTest, GoByTheListenerOfTheSameAddressOrFamily) {
  EXPECT_EQ(Way(HopTo("198.18.1.2:5060")), "");
  network_.Add(sip::Protocol::kUdp, "198.18.1.1:7080");
  network_.Add(sip::Protocol::kTls, "198.18.1.1:5061");
  network_.Add(sip::Protocol::kTcp, "[2001:db8::1]:5060");
  EXPECT_EQ(Way(HopTo("198.18.1.2:5060")), "");
  EXPECT_EQ(Way(HopTo("[2001:db8::2]:5060", "[2001:db8::1]:7080")), "[2001:db8::1]:5060 > [2001:db8::2]:5060");
  network_.Add(sip::Protocol::kTcp, "198.18.9.1:5060");
  EXPECT_EQ(Way(HopTo("198.18.1.2:5060")), "198.18.9.1:5060 > 198.18.1.2:5060");
  network_.Add(sip::Protocol::kTcp, "198.18.1.1:5060");
  EXPECT_EQ(Way(HopTo("198.18.1.2:5060")), "198.18.1.1:5060 > 198.18.1.2:5060");
}

TEST_F(LargeRequestsTest, LeaveFromWhereTheDatagramWouldIfAListenerStandsForAllAddresses) {
  network_.Add(sip::Protocol::kTcp, "0.0.0.0:5060");
  EXPECT_EQ(Way(HopTo("198.18.1.2:5060")), "198.18.1.1:5060 > 198.18.1.2:5060");
}

TEST_F(LargeRequestsTest, DoNotGoWhereNoConnectionReachesOrNobodyHasAnsweredLately) {
  network_.Add(sip::Protocol::kTcp, "198.18.1.1:5060");
  sip::Hop behind_nat = HopTo("198.18.1.2:5060");
  behind_nat.only_connection = true;
  EXPECT_EQ(Way(behind_nat), "");
  requests_.OnStreamSilent(HopTo("198.18.1.2:5060"), now_);
  EXPECT_EQ(Way(HopTo("198.18.1.2:5060")), "");
  EXPECT_NE(Way(HopTo("198.18.1.2:5062")), "");
  now_ += absl::Minutes(30);
  EXPECT_NE(Way(HopTo("198.18.1.2:5060")), "");
}

TEST_F(LargeRequestsTest, ForgetWhoIsSilentRatherThanGrow) {
  network_.Add(sip::Protocol::kTcp, "198.18.1.1:5060");
  const auto phone = [](int i) { return HopTo(absl::StrCat("198.18.", i / 250, ".", i % 250, ":5060")); };
  for (int i = 0; i <= 10000; ++i) requests_.OnStreamSilent(phone(i), now_);
  EXPECT_NE(Way(phone(0)), "");
  EXPECT_EQ(Way(phone(10000)), "");
}

}  // namespace
}  // namespace sluice::agent
