// Calls from and to trunks: two trunks, two accounts, and the routes between them.
#ifndef SLUICE_SIGNALING_AGENT_AGENT_TRUNK_TEST_BED_H_
#define SLUICE_SIGNALING_AGENT_AGENT_TRUNK_TEST_BED_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"
#include "signaling/routing/plan.h"

namespace sluice::agent {

inline constexpr absl::string_view kCarrier = "198.18.3.1:5060";
inline constexpr absl::string_view kOther = "198.18.3.2:5060";

class AgentTrunkTest : public testing::Test {
 protected:
  explicit AgentTrunkTest(std::function<void(AgentOptions&)> change = [](AgentOptions&) {}) : bed_(std::move(change)) {
    carrier_.limits.calls = 2;
    carrier_.username = "user";
    carrier_.password = "trunk-secret";
    carrier_.realm = std::string(kPhoneRealm);
    UsePlan();
    bed_.AddAccount("20002230001", "secret", "Alice");
    bed_.AddAccount("20002230000", "secret", "Bob");
  }
  ~AgentTrunkTest() override {
    // Nobody asks any more whether silent servers are back.
    PresentOptions without;
    without.calls = std::make_shared<const call::CallOptions>();
    bed_.agent().SetPresentOptions(without, bed_.now());
    EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains());
    for (const std::string& key : {CallLimiter::TrunkKey("carrier"), CallLimiter::AccountKey("20002230001")}) {
      EXPECT_EQ(bed_.limiter().UsageOf(key).calls, 0u) << key;
    }
  }

  // 0… goes to the carrier and then to the other one, but 00881… to nobody; the carrier's 49… to the account behind it.
  void UsePlan() {
    const auto carrier = std::make_shared<const routing::Trunk>(carrier_);
    const auto other = std::make_shared<const routing::Trunk>(MakeTrunk("other", kOther));
    std::vector<routing::Route> routes;
    routes.push_back({.name = "blocked",
                      .from = {true, true, ""},
                      .number = *routing::NumberPattern::Parse("00881*"),
                      .refusal = 403});
    routes.push_back({.name = "out",
                      .number = *routing::NumberPattern::Parse("0*"),
                      .trunks = {{carrier, 1, 1}},
                      .called = {1, "+49"},
                      .calling = {0, "+"},
                      .media_released = released_});
    if (has_other_) routes.back().trunks.push_back({other, 2, 1});
    routes.push_back({.name = "in",
                      .from = {false, true, "carrier"},
                      .number = *routing::NumberPattern::Parse("49*"),
                      .account = "*",
                      .called = {2, ""}});
    PresentOptions present;
    present.calls = std::make_shared<const call::CallOptions>(call::CallOptions{.domain = "198.18.1.1"});
    present.account_limits = account_limits_;
    present.plan = std::make_shared<const routing::Plan>(
        std::vector<std::shared_ptr<const routing::Trunk>>{carrier, other}, std::move(routes));
    bed_.agent().SetPresentOptions(present, bed_.now());
  }

  // The INVITE that has come to `trunk`, answered with 100.
  sip::Message InviteAt(Phone& trunk) {
    sip::Message invite = trunk.Receive();
    EXPECT_EQ(invite.method(), sip::Method::kInvite);
    trunk.Send(trunk.Answer(invite, 100));
    return invite;
  }
  // A call of A's to the carrier, which answers. Answers A's INVITE and its 200.
  std::pair<sip::Message, sip::Message> Establish() {
    const sip::Message invite = a_.SendAuthorized(a_.NewInvite("030123"));
    EXPECT_EQ(a_.Receive().status(), 100);
    const sip::Message at_carrier = InviteAt(carrier_phone_);
    carrier_phone_.Send(carrier_phone_.Answer(at_carrier, 200));
    EXPECT_EQ(carrier_phone_.Receive().method(), sip::Method::kAck);
    const sip::Message answer = a_.Receive();
    EXPECT_EQ(answer.status(), 200);
    a_.Send(a_.AckOf(invite, answer));
    return {invite, answer};
  }
  void HangUp(const std::pair<sip::Message, sip::Message>& call) {
    a_.Send(a_.InDialog("BYE", call.first, call.second));
    EXPECT_EQ(a_.Receive().status(), 200);
    const sip::Message bye = carrier_phone_.Receive();
    EXPECT_EQ(bye.method(), sip::Method::kBye);
    carrier_phone_.Send(carrier_phone_.Answer(bye, 200));
  }
  uint16_t RefusalOfA(absl::string_view number) {
    const sip::Message invite = a_.SendAuthorized(a_.NewInvite(number));
    const sip::Message response = a_.Receive();
    a_.Send(a_.AckOf(invite, response));
    return response.status();
  }

  AgentTestBed bed_;
  routing::Trunk carrier_ = MakeTrunk("carrier", kCarrier);
  routing::CallLimits account_limits_;
  bool released_ = false;
  bool has_other_ = true;
  Phone a_ = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone("20002230000", "198.18.2.9:43518", "198.18.2.9:43518");
  Phone carrier_phone_ = bed_.NewPhone("491", kCarrier, kCarrier);
  Phone other_phone_ = bed_.NewPhone("492", kOther, kOther);
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_AGENT_TRUNK_TEST_BED_H_
