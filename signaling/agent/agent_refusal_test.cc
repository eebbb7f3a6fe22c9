// Requests that become no call: who is refused, with which status, and what is left afterwards.
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"

namespace sluice::agent {
namespace {

class AgentRefusalTest : public testing::Test {
 protected:
  AgentRefusalTest() {
    bed_.AddAccount("20002230001", "secret");
    bed_.AddAccount("20002230000", "secret");
  }
  ~AgentRefusalTest() override { EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains()); }

  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone("20002230001", "10.0.0.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone("20002230000", "198.18.2.9:43518", "198.18.2.9:43518");
};

TEST_F(AgentRefusalTest, AnswersOptionsWithWhatItCanDo) {
  a_.Send(a_.NewRequest("OPTIONS", ""));
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 200);
  EXPECT_TRUE(response.HasElement(sip::Header::kAllow, "INVITE"));
  EXPECT_EQ(response.Get(sip::Header::kAccept), "application/sdp");
  EXPECT_TRUE(response.HasElement(sip::Header::kSupported, "timer"));
  EXPECT_EQ(response.Get(sip::Header::kServer), "Sluice");
}

TEST_F(AgentRefusalTest, DoesNotKnowOtherMethodsOutsideADialog) {
  for (const absl::string_view method : {"SUBSCRIBE", "REFER", "PUBLISH", "FOO"}) {
    a_.Send(a_.NewRequest(method, "20002230000"));
    const sip::Message response = a_.Receive();
    EXPECT_EQ(response.status(), 405) << method;
    EXPECT_TRUE(response.HasElement(sip::Header::kAllow, "BYE")) << method;
  }
}

TEST_F(AgentRefusalTest, KnowsNoDialogThatItHasNotMade) {
  for (const absl::string_view method : {"BYE", "UPDATE", "INFO", "INVITE", "OPTIONS"}) {
    sip::Message request = a_.NewRequest(method, "20002230000");
    request.Set(sip::Header::kTo, "<sip:20002230000@198.18.1.1>;tag=unknown");
    a_.Send(request);
    EXPECT_EQ(a_.Receive().status(), 481) << method;
  }
}

TEST_F(AgentRefusalTest, NamesTheExtensionsThatItLacks) {
  sip::Message invite = a_.NewInvite("20002230000");
  invite.Add(sip::Header::kRequire, "timer, precondition");
  a_.Send(invite);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 420);
  EXPECT_EQ(response.Get(sip::Header::kUnsupported), "precondition");
}

TEST_F(AgentRefusalTest, LetsNoInviteGoOnThatHasHoppedTooOften) {
  sip::Message invite = a_.NewInvite("20002230000");
  invite.Set(sip::Header::kMaxForwards, "0");
  a_.Send(invite);
  EXPECT_EQ(a_.Receive().status(), 483);
}

TEST_F(AgentRefusalTest, ReachesNobodyByAForeignScheme) {
  sip::Message invite = a_.NewInvite("20002230000");
  invite.SetRequestUri("mailto:b@example.net");
  a_.Send(invite);
  EXPECT_EQ(a_.Receive().status(), 416);
}

TEST_F(AgentRefusalTest, KeepsNothingOfAnInviteWithoutCredentialsButItsTransaction) {
  const sip::Message invite = a_.NewInvite("20002230000");
  a_.Send(invite);
  const sip::Message challenge = a_.Receive();
  EXPECT_EQ(challenge.status(), 407);
  EXPECT_TRUE(challenge.Has(sip::Header::kProxyAuthenticate));
  EXPECT_EQ(bed_.agent().remains().calls, 0u);
  a_.Send(a_.AckOf(invite, challenge));
  bed_.Pass(absl::Seconds(10));
  EXPECT_EQ(bed_.agent().remains().transactions, 0u);
  EXPECT_TRUE(bed_.Records().empty());
}

TEST_F(AgentRefusalTest, RefusesTheThirdWrongPassword) {
  for (const uint16_t status : {407, 407, 403}) {
    const sip::Message invite = a_.SendAuthorized(a_.NewInvite("20002230000"), "wrong");
    const sip::Message response = a_.Receive();
    EXPECT_EQ(response.status(), status);
    a_.Send(a_.AckOf(invite, response));
  }
}

struct TargetCase {
  const char* description;
  const char* uri;
  uint16_t status;
};

TEST_F(AgentRefusalTest, SaysWhyANumberIsNotReached) {
  const TargetCase cases[] = {
      {"no such account", "sip:29999999999@198.18.1.1", 404},
      {"no user part", "sip:198.18.1.1", 404},
      {"a domain that is not ours", "sip:20002230000@example.com", 404},
      {"an account without bindings", "sip:20002230000@198.18.1.1", 480},
      {"the same by our domain", "sip:20002230000@EXAMPLE.net", 480},
      {"the same as a telephone number", "tel:+20002230000", 404},
      {"the same with another port", "sip:20002230000@198.18.1.1:5060", 480},
  };
  for (const TargetCase& target : cases) {
    SCOPED_TRACE(target.description);
    sip::Message request = a_.NewInvite("20002230000");
    request.SetRequestUri(target.uri);
    const sip::Message invite = a_.SendAuthorized(request);
    const sip::Message response = a_.Receive();
    EXPECT_EQ(response.status(), target.status);
    a_.Send(a_.AckOf(invite, response));
  }
  EXPECT_EQ(bed_.Statistics().refused_calls.at(480), 3u);
}

TEST_F(AgentRefusalTest, RecordsACallThatGoesNowhere) {
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("29999999999"));
  a_.Send(a_.AckOf(invite, a_.Receive()));
  const auto records = bed_.Records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].sip_status, 404u);
  EXPECT_EQ(records[0].ended_by, store::EndedBy::kController);
  EXPECT_EQ(records[0].caller.number, "20002230001");
  EXPECT_EQ(records[0].callee.number, "29999999999");
  EXPECT_FALSE(records[0].media_unknown);
  // INVITE, 407, ACK, INVITE, 404, ACK.
  EXPECT_EQ(bed_.agent().GetCall(records[0].call_id, false)->ladder.size(), 6u);
}

TEST_F(AgentRefusalTest, TrustsAnAddressOnceSomebodyThereHasShownWhoHeIs) {
  const auto trusts = [&](const Phone& phone) { return bed_.network().Trusts(phone.hop().remote); };
  a_.Send(a_.NewRequest("OPTIONS", ""));
  a_.Receive();
  sip::Message stray = a_.NewRequest("BYE", "20002230000");
  stray.Set(sip::Header::kTo, "<sip:20002230000@198.18.1.1>;tag=unknown");
  a_.Send(stray);
  a_.Receive();
  const sip::Message invite = a_.NewInvite("20002230000");
  a_.Send(invite);
  const sip::Message challenge = a_.Receive();
  a_.Send(a_.AckOf(invite, challenge));
  EXPECT_FALSE(trusts(a_));
  EXPECT_EQ(a_.Register("wrong").status(), 401);
  EXPECT_FALSE(trusts(a_));
  EXPECT_EQ(b_.Register().status(), 200);
  EXPECT_TRUE(trusts(b_));
  a_.SendAuthorized(a_.NewInvite("20002230005"));
  EXPECT_EQ(a_.Receive().status(), 404);
  EXPECT_TRUE(trusts(a_));
}

TEST_F(AgentRefusalTest, LetsNobodyCallUnderAnotherNumber) {
  sip::Message request = a_.NewInvite("20002230000");
  request.Set(sip::Header::kFrom, "<sip:20002230000@198.18.1.1>;tag=x");
  const sip::Message invite = a_.SendAuthorized(request);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 403);
  a_.Send(a_.AckOf(invite, response));
}

TEST_F(AgentRefusalTest, TakesNoCallsWhileItStops) {
  bed_.agent().Drain(bed_.now());
  EXPECT_TRUE(bed_.agent().idle());
  const sip::Message invite = a_.NewInvite("20002230000");
  a_.Send(invite);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 503);
  EXPECT_EQ(response.Get(sip::Header::kRetryAfter), "5");
  a_.Send(a_.AckOf(invite, response));
}

TEST_F(AgentRefusalTest, DropsWhatIsNoMessageAndAnswersWhatIsADamagedOne) {
  a_.SendText("hello\r\n\r\n");
  EXPECT_FALSE(bed_.network().Has(a_.hop().remote));
  EXPECT_EQ(bed_.Statistics().dropped_messages.at("malformed"), 1u);
  sip::Message invite = a_.NewInvite("20002230000");
  invite.Set(sip::Header::kMaxForwards, "many");
  a_.SendText(invite.Serialize());
  EXPECT_EQ(a_.Receive().status(), 400);
}

TEST(AgentOverload, RefusesCallsBeyondTheLimit) {
  AgentTestBed bed([](AgentOptions& options) { options.max_calls = 0; });
  Phone a = bed.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  const sip::Message invite = a.NewInvite("20002230000");
  a.Send(invite);
  EXPECT_EQ(a.Receive().status(), 503);
}

}  // namespace
}  // namespace sluice::agent
