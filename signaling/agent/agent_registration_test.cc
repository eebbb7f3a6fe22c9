// Phones that register, in bytes.
#include <optional>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"

namespace sluice::agent {
namespace {

class AgentRegistrationTest : public testing::Test {
 protected:
  AgentRegistrationTest() { bed_.AddAccount("20002230000", "secret"); }
  ~AgentRegistrationTest() override { EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains()); }

  store::BindingSet Bindings() { return *bed_.store().FindBindings("20002230000"); }

  AgentTestBed bed_;
  // Behind NAT.
  Phone b_ = bed_.NewPhone("20002230000", "192.168.2.63:43518", "198.18.2.9:50518");
};

TEST_F(AgentRegistrationTest, BindsAPhoneBehindNatToWhereItsPacketsComeFrom) {
  const sip::Message response = b_.Register();
  EXPECT_EQ(response.status(), 200);
  EXPECT_EQ(response.Get(sip::Header::kContact), "<sip:20002230000@192.168.2.63:43518>;expires=3600");
  ASSERT_EQ(Bindings().size(), 1u);
  EXPECT_EQ(Bindings()[0].source, "198.18.2.9:50518");
  EXPECT_EQ(Bindings()[0].local, "198.18.1.1:7080");
  EXPECT_EQ(Bindings()[0].transport, "udp");
  EXPECT_TRUE(Bindings()[0].behind_nat);
}

TEST_F(AgentRegistrationTest, IsReachedByThePathThatItCameBy) {
  bed_.AddAccount("20002230001", "secret");
  // Its edge proxy is where its messages come from.
  Phone edge = bed_.NewPhone("20002230000", "192.168.2.63:43518", "198.18.2.20:5060");
  sip::Message request = edge.NewRequest("REGISTER", "");
  request.Add(sip::Header::kExpires, "3600");
  request.Add(sip::Header::kSupported, "path");
  request.Add(sip::Header::kPath, "<sip:198.18.2.20;lr>");
  edge.SendAuthorized(std::move(request));
  EXPECT_EQ(edge.Receive().Get(sip::Header::kPath), "<sip:198.18.2.20;lr>");
  Phone caller = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  const sip::Message call = caller.SendAuthorized(caller.NewInvite("20002230000"));
  EXPECT_EQ(caller.Receive().status(), 100);
  const sip::Message invite = edge.Receive();
  EXPECT_EQ(invite.request_uri(), "sip:20002230000@192.168.2.63:43518");
  EXPECT_EQ(invite.Get(sip::Header::kRoute), "<sip:198.18.2.20;lr>");
  edge.Send(edge.Answer(invite, 486));
  EXPECT_EQ(edge.Receive().Get(sip::Header::kRoute), "<sip:198.18.2.20;lr>");
  caller.Send(caller.AckOf(call, caller.Receive()));
}

TEST_F(AgentRegistrationTest, AnswersToWhereTheRequestCameFrom) {
  const sip::Message response = b_.Register();
  const std::optional<sip::Via> via = response.TopVia();
  ASSERT_TRUE(via.has_value());
  EXPECT_EQ(via->parameters.GetText("received"), "198.18.2.9");
  EXPECT_EQ(via->parameters.GetText("rport"), "50518");
}

TEST_F(AgentRegistrationTest, ChallengesEachTimeWithAFreshNonceAndRefusesTheThirdWrongPassword) {
  std::set<std::string> nonces;
  for (const uint16_t status : {401, 401, 403}) {
    const sip::Message response = b_.Register("wrong");
    EXPECT_EQ(response.status(), status);
    nonces.insert(std::string(response.Get(sip::Header::kWwwAuthenticate)));
  }
  EXPECT_EQ(nonces.size(), 3u);
  EXPECT_TRUE(Bindings().empty());
  EXPECT_EQ(b_.Register().status(), 200);
}

TEST_F(AgentRegistrationTest, TellsNobodyWhichNumbersThereAre) {
  Phone stranger = bed_.NewPhone("29999999999", "198.18.1.66:5060", "198.18.1.66:5060");
  for (const uint16_t status : {401, 401, 403}) EXPECT_EQ(stranger.Register().status(), status);
}

TEST_F(AgentRegistrationTest, BindsNobodyToAnotherOnesNumber) {
  bed_.AddAccount("20002230001", "secret");
  Phone a = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  sip::Message request = a.NewRequest("REGISTER", "");
  request.Set(sip::Header::kTo, "<sip:20002230000@198.18.1.1>");
  a.SendAuthorized(request);
  EXPECT_EQ(a.Receive().status(), 403);
  EXPECT_TRUE(Bindings().empty());
}

TEST_F(AgentRegistrationTest, RefusesTooShortATimeAndSaysWhatIsEnough) {
  sip::Message request = b_.NewRequest("REGISTER", "");
  request.Add(sip::Header::kExpires, "10");
  b_.SendAuthorized(request);
  const sip::Message response = b_.Receive();
  EXPECT_EQ(response.status(), 423);
  EXPECT_EQ(response.Get(sip::Header::kMinExpires), "60");
}

TEST_F(AgentRegistrationTest, ForgetsAllContactsWhenAsked) {
  b_.Register();
  sip::Message request = b_.NewRequest("REGISTER", "");
  request.Set(sip::Header::kContact, "*");
  request.Add(sip::Header::kExpires, "0");
  b_.SendAuthorized(request);
  const sip::Message response = b_.Receive();
  EXPECT_EQ(response.status(), 200);
  EXPECT_FALSE(response.Has(sip::Header::kContact));
  EXPECT_TRUE(Bindings().empty());
}

TEST_F(AgentRegistrationTest, ServesOnlyItsOwnDomains) {
  sip::Message request = b_.NewRequest("REGISTER", "");
  request.SetRequestUri("sip:example.com");
  b_.Send(request);
  EXPECT_EQ(b_.Receive().status(), 404);
}

TEST_F(AgentRegistrationTest, RegistersWhileItStops) {
  bed_.agent().Drain(bed_.now());
  EXPECT_EQ(b_.Register().status(), 200);
}

}  // namespace
}  // namespace sluice::agent
