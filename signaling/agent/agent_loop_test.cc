// Requests that come back to us: loops are refused, spirals go on.
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"
#include "signaling/routing/plan.h"

namespace sluice::agent {
namespace {

constexpr absl::string_view kProxy = "198.18.3.1:5060";

class AgentLoopTest : public testing::Test {
 protected:
  AgentLoopTest() {
    bed_.AddAccount("20002230001", "secret");
    bed_.AddAccount("20002230000", "secret");
    auto trunk = std::make_shared<routing::Trunk>();
    trunk->name = "proxy";
    const sip::Endpoint endpoint = *sip::Endpoint::Parse(kProxy);
    trunk->peers = {{sip::Protocol::kUdp, endpoint.Address(), endpoint.port}};
    trunk->sources = {endpoint};
    std::vector<routing::Route> routes;
    routes.push_back({.name = "through",
                      .from = {true, true, ""},
                      .number = *routing::NumberPattern::Parse("0*"),
                      .trunks = {{trunk, 1, 1}}});
    PresentOptions present;
    present.calls = std::make_shared<const call::CallOptions>(call::CallOptions{.domain = "198.18.1.1"});
    present.plan = std::make_shared<const routing::Plan>(std::vector<std::shared_ptr<const routing::Trunk>>{trunk},
                                                         std::move(routes));
    bed_.agent().SetPresentOptions(present, bed_.now());
  }
  ~AgentLoopTest() override { EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains()); }

  // What a proxy makes of `request`: its own Via on ours, one hop less, and `number` in the Request-URI.
  sip::Message Proxied(const sip::Message& request, absl::string_view number) {
    sip::Message proxied = request;
    proxied.SetRequestUri(absl::StrCat("sip:", number, "@198.18.1.1:7080"));
    proxied.Set(sip::Header::kMaxForwards, absl::StrCat(*request.MaxForwards() - 1));
    proxied.AddFirst(sip::Header::kVia, absl::StrCat("SIP/2.0/UDP ", kProxy, ";branch=z9hG4bKproxy", ++branches_));
    return proxied;
  }

  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone("20002230000", "198.18.2.9:43518", "198.18.2.9:43518");
  Phone proxy_ = bed_.NewPhone("491", kProxy, kProxy);
  int branches_ = 0;
};

TEST_F(AgentLoopTest, AnInviteOfTheTrunksThatComesBackUnchangedIsRefused) {
  const sip::Message invite = proxy_.NewInvite("0301");
  proxy_.Send(invite);
  EXPECT_EQ(proxy_.Receive().status(), 100);
  const sip::Message ours = proxy_.Receive();
  EXPECT_EQ(ours.method(), sip::Method::kInvite);
  const sip::Message looped = Proxied(ours, "0301");
  proxy_.Send(looped);
  const sip::Message refusal = proxy_.Receive();
  EXPECT_EQ(refusal.status(), 482);
  EXPECT_EQ(refusal.Elements(sip::Header::kVia).size(), 2u);
  proxy_.Send(proxy_.AckOf(looped, refusal));
  // The proxy passes it on, back along the way.
  proxy_.Send(proxy_.Answer(ours, 482));
  EXPECT_EQ(proxy_.Receive().method(), sip::Method::kAck);
  const sip::Message end = proxy_.Receive();
  EXPECT_EQ(end.status(), 482);
  proxy_.Send(proxy_.AckOf(invite, end));
  EXPECT_EQ(bed_.Records().size(), 1u);
}

TEST_F(AgentLoopTest, AnInviteThatComesBackToAnotherNumberGoesOn) {
  b_.Register();
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("0301"));
  EXPECT_EQ(a_.Receive().status(), 100);
  const sip::Message ours = proxy_.Receive();
  proxy_.Send(Proxied(ours, "20002230000"));
  EXPECT_EQ(proxy_.Receive().status(), 100);
  const sip::Message at_b = b_.Receive();
  EXPECT_EQ(at_b.method(), sip::Method::kInvite);
  b_.Send(b_.Answer(at_b, 486));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  EXPECT_EQ(proxy_.Receive().status(), 486);
  proxy_.Send(proxy_.Answer(ours, 486));
  EXPECT_EQ(proxy_.Receive().method(), sip::Method::kAck);
  const sip::Message end = a_.Receive();
  EXPECT_EQ(end.status(), 486);
  a_.Send(a_.AckOf(invite, end));
  EXPECT_EQ(bed_.Records().size(), 2u);
}

TEST_F(AgentLoopTest, AnAccountsInviteThatTheTrunkReturnsIsRefused) {
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("0301"));
  EXPECT_EQ(a_.Receive().status(), 100);
  const sip::Message ours = proxy_.Receive();
  proxy_.Send(Proxied(ours, "0301"));
  EXPECT_EQ(proxy_.Receive().status(), 482);
  proxy_.Send(proxy_.Answer(ours, 482));
  EXPECT_EQ(proxy_.Receive().method(), sip::Method::kAck);
  EXPECT_EQ(a_.Receive().status(), 482);
}

TEST_F(AgentLoopTest, AMessageThatComesBackUnchangedIsRefusedAndAnotherGoesOn) {
  b_.Register();
  proxy_.Send(proxy_.NewRequest("MESSAGE", "0301"));
  const sip::Message ours = proxy_.Receive();
  EXPECT_EQ(ours.method(), sip::Method::kMessage);
  proxy_.Send(Proxied(ours, "0301"));
  EXPECT_EQ(proxy_.Receive().status(), 482);
  proxy_.Send(Proxied(ours, "20002230000"));
  b_.Send(b_.Answer(b_.Receive(), 200));
  EXPECT_EQ(proxy_.Receive().status(), 200);
  proxy_.Send(proxy_.Answer(ours, 200));
  EXPECT_EQ(proxy_.Receive().status(), 200);
}

}  // namespace
}  // namespace sluice::agent
