// MESSAGE and INFO outside of dialogs: who gets them, whose answer goes back, what limits them.
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"
#include "signaling/routing/plan.h"

namespace sluice::agent {
namespace {

constexpr absl::string_view kCarrier = "198.18.3.1:5060";
constexpr absl::string_view kOther = "198.18.3.2:5060";

std::shared_ptr<const routing::Trunk> TrunkWithCredentials(const std::string& name, absl::string_view address) {
  routing::Trunk trunk = MakeTrunk(name, address);
  trunk.username = "user";
  trunk.password = "trunk-secret";
  trunk.realm = std::string(kPhoneRealm);
  return std::make_shared<const routing::Trunk>(std::move(trunk));
}

class AgentStandaloneTest : public testing::Test {
 protected:
  AgentStandaloneTest() {
    bed_.AddAccount("20002230001", "secret", "Alice");
    bed_.AddAccount("20002230000", "secret", "Bob");
    UsePlan({});
  }
  ~AgentStandaloneTest() override {
    // Nobody asks any more whether silent servers are back.
    PresentOptions without;
    without.calls = std::make_shared<const call::CallOptions>();
    bed_.agent().SetPresentOptions(without, bed_.now());
    EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains());
    EXPECT_TRUE(bed_.Records().empty());
    EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::AccountKey("20002230001")).calls, 0u);
  }

  // 0… goes to the carrier and then to the other one; what comes from the carrier to the account that has the number.
  void UsePlan(routing::CallLimits account_limits) {
    const auto carrier = TrunkWithCredentials("carrier", kCarrier);
    const auto other = TrunkWithCredentials("other", kOther);
    PresentOptions present;
    auto calls = std::make_shared<call::CallOptions>(call::CallOptions{.domain = "198.18.1.1"});
    calls->blocked_headers = {"x-secret"};
    present.calls = calls;
    present.account_limits = account_limits;
    std::vector<routing::Route> routes;
    routes.push_back({.name = "out",
                      .number = *routing::NumberPattern::Parse("0*"),
                      .trunks = {{carrier, 1, 1}, {other, 2, 1}},
                      .called = {1, "+49"}});
    present.plan = std::make_shared<const routing::Plan>(
        std::vector<std::shared_ptr<const routing::Trunk>>{carrier, other}, std::move(routes));
    bed_.agent().SetPresentOptions(present, bed_.now());
  }

  sip::Message NewMessage(Phone& phone, absl::string_view to, absl::string_view method = "MESSAGE") {
    sip::Message message = phone.NewRequest(method, to);
    message.Add("Subject", "dinner");
    message.Add("X-Secret", "ours");
    message.SetBody("text/plain", "at eight?");
    return message;
  }

  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone("20002230000", "198.18.2.9:43518", "198.18.2.9:43518");
  Phone second_b_ = bed_.NewPhone("20002230000", "198.18.2.8:5060", "198.18.2.8:5060");
  Phone carrier_ = bed_.NewPhone("491", kCarrier, kCarrier);
  Phone other_ = bed_.NewPhone("492", kOther, kOther);
};

TEST_F(AgentStandaloneTest, ArePassedOnWithTheirBodyAndAnswered) {
  b_.Register();
  for (const absl::string_view method : {"MESSAGE", "INFO"}) {
    SCOPED_TRACE(method);
    const sip::Message sent = a_.SendAuthorized(NewMessage(a_, "20002230000", method));
    const sip::Message got = b_.Receive();
    EXPECT_EQ(got.method_name(), method);
    EXPECT_EQ(got.request_uri(), b_.contact());
    EXPECT_EQ(got.body(), "at eight?");
    EXPECT_EQ(got.Get(sip::Header::kContentType), "text/plain");
    EXPECT_EQ(got.Get(sip::Header::kSubject), "dinner");
    EXPECT_FALSE(got.Has("X-Secret"));
    EXPECT_EQ(got.MaxForwards(), 69u);
    EXPECT_EQ(got.From()->display_name, "Alice");
    EXPECT_EQ(got.From()->uri.DecodedUser(), "20002230001");
    EXPECT_NE(got.CallId(), sent.CallId());
    EXPECT_FALSE(got.Has(sip::Header::kProxyAuthorization));
    // RFC 3428 4.
    EXPECT_FALSE(got.Has(sip::Header::kContact));

    sip::Message answer = b_.Answer(got, 200);
    answer.Add("X-Note", "thanks");
    answer.Add(sip::Header::kSessionId, "b0000000000040008000000000000000");
    b_.Send(answer);
    const sip::Message response = a_.Receive();
    EXPECT_EQ(response.status(), 200);
    EXPECT_EQ(response.CallId(), sent.CallId());
    EXPECT_EQ(response.Get("X-Note"), "thanks");
    EXPECT_EQ(response.Get(sip::Header::kSessionId), "b0000000000040008000000000000000");
    EXPECT_FALSE(response.ToTag().empty());
  }
}

TEST_F(AgentStandaloneTest, AreAnsweredByTheFirstOfTheBindingsThatTakesThem) {
  b_.Register();
  second_b_.Register();
  a_.SendAuthorized(NewMessage(a_, "20002230000"));
  const sip::Message first = b_.Receive();
  const sip::Message second = second_b_.Receive();
  EXPECT_NE(first.CallId(), second.CallId());
  b_.Send(b_.Answer(first, 486));
  EXPECT_FALSE(bed_.network().Has(a_.hop().remote));
  second_b_.Send(second_b_.Answer(second, 202));
  EXPECT_EQ(a_.Receive().status(), 202);
}

TEST_F(AgentStandaloneTest, AreRefusedAsTheBestFailureSays) {
  b_.Register();
  second_b_.Register();
  a_.SendAuthorized(NewMessage(a_, "20002230000"));
  b_.Send(b_.Answer(b_.Receive(), 415));
  second_b_.Send(second_b_.Answer(second_b_.Receive(), 480));
  EXPECT_EQ(a_.Receive().status(), 415);
}

TEST_F(AgentStandaloneTest, StillGetTheirAnswerWhenTheControllerStops) {
  b_.Register();
  a_.SendAuthorized(NewMessage(a_, "20002230000"));
  const sip::Message got = b_.Receive();
  bed_.agent().Drain(bed_.now());
  EXPECT_FALSE(bed_.agent().idle());
  bed_.Pass(absl::Seconds(2));
  EXPECT_FALSE(bed_.agent().idle());
  b_.Send(b_.Answer(got, 200));
  EXPECT_EQ(a_.Receive().status(), 200);
  EXPECT_TRUE(bed_.agent().idle());
}

TEST_F(AgentStandaloneTest, AreRefusedWhenTheControllerStopsAndNobodyAnswersSoon) {
  b_.Register();
  a_.SendAuthorized(NewMessage(a_, "20002230000"));
  bed_.agent().Drain(bed_.now());
  bed_.Pass(absl::Seconds(3));
  const sip::Message refusal = a_.Receive();
  EXPECT_EQ(refusal.status(), 503);
  EXPECT_TRUE(refusal.Has(sip::Header::kRetryAfter));
  EXPECT_TRUE(bed_.agent().idle());
}

TEST_F(AgentStandaloneTest, AreRefusedWhereNobodyIs) {
  a_.SendAuthorized(NewMessage(a_, "29999999999"));
  EXPECT_EQ(a_.Receive().status(), 404);
  a_.SendAuthorized(NewMessage(a_, "20002230000"));
  EXPECT_EQ(a_.Receive().status(), 480);
}

TEST_F(AgentStandaloneTest, AreAnsweredWhileTheirSenderStillWaits) {
  b_.Register();
  a_.SendAuthorized(NewMessage(a_, "20002230000"));
  bed_.Pass(absl::Seconds(23));
  EXPECT_FALSE(bed_.network().Has(a_.hop().remote));
  bed_.Pass(absl::Seconds(2));
  EXPECT_EQ(a_.Receive().status(), 480);
  const sip::Message got = b_.Receive();
  b_.Send(b_.Answer(got, 200));
  EXPECT_FALSE(bed_.network().Has(a_.hop().remote));
}

TEST_F(AgentStandaloneTest, AreTakenFromNobodyWithoutCredentials) {
  b_.Register();
  a_.Send(NewMessage(a_, "20002230000"));
  EXPECT_EQ(a_.Receive().status(), 407);
  EXPECT_EQ(bed_.agent().remains().transactions, 1u) << "nothing but that of the REGISTER";
  sip::Message forged = NewMessage(a_, "20002230000");
  forged.Set(sip::Header::kFrom, "<sip:20002230000@198.18.1.1>;tag=x");
  a_.SendAuthorized(forged);
  EXPECT_EQ(a_.Receive().status(), 403);
  sip::Message tired = NewMessage(a_, "20002230000");
  tired.Set(sip::Header::kMaxForwards, "0");
  a_.Send(tired);
  EXPECT_EQ(a_.Receive().status(), 483);
  EXPECT_FALSE(bed_.network().Has(b_.hop().remote));
}

TEST_F(AgentStandaloneTest, AnswerTheTrunksChallenge) {
  a_.SendAuthorized(NewMessage(a_, "030123"));
  const sip::Message first = carrier_.Receive();
  EXPECT_EQ(first.RequestUri()->user(), "+4930123");
  sip::Message challenge = carrier_.Answer(first, 401);
  challenge.Add(sip::Header::kWwwAuthenticate,
                absl::StrCat("Digest realm=\"", kPhoneRealm, "\", nonce=\"n\", qop=\"auth\", algorithm=MD5"));
  carrier_.Send(challenge);
  const sip::Message second = carrier_.Receive();
  EXPECT_EQ(second.CallId(), first.CallId());
  EXPECT_EQ(second.CSeqNumber(), first.CSeqNumber() + 1);
  EXPECT_TRUE(second.Has(sip::Header::kAuthorization));
  EXPECT_EQ(second.body(), "at eight?");
  carrier_.Send(carrier_.Answer(second, 200));
  EXPECT_EQ(a_.Receive().status(), 200);
}

TEST_F(AgentStandaloneTest, TryTheNextTrunkWhereOneIsOutOfServiceOrSilent) {
  a_.SendAuthorized(NewMessage(a_, "030123"));
  carrier_.Send(carrier_.Answer(carrier_.Receive(), 503));
  other_.Send(other_.Answer(other_.Receive(), 404));
  EXPECT_EQ(a_.Receive().status(), 404);

  a_.SendAuthorized(NewMessage(a_, "030123"));
  const sip::Message unheard = carrier_.Receive();
  bed_.Pass(absl::Seconds(5));
  other_.Send(other_.Answer(other_.Receive(), 200));
  EXPECT_EQ(a_.Receive().status(), 200);
  EXPECT_TRUE(bed_.health().IsDown(TriedServer::At(carrier_.hop())));
  // Whatever it says now is nobody's.
  carrier_.Send(carrier_.Answer(unheard, 200));
  EXPECT_FALSE(bed_.network().Has(a_.hop().remote));
}

TEST_F(AgentStandaloneTest, HideTheTrunksChallengeThatTheyCannotAnswer) {
  a_.SendAuthorized(NewMessage(a_, "030123"));
  sip::Message challenge = carrier_.Answer(carrier_.Receive(), 407);
  challenge.Add(sip::Header::kProxyAuthenticate, "Digest realm=\"elsewhere\", nonce=\"n\"");
  carrier_.Send(challenge);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 502);
  EXPECT_FALSE(response.Has(sip::Header::kProxyAuthenticate));
}

TEST_F(AgentStandaloneTest, ComeFromTrunksToAccounts) {
  b_.Register();
  carrier_.Send(NewMessage(carrier_, "20002230000"));
  const sip::Message got = b_.Receive();
  EXPECT_EQ(got.From()->uri.DecodedUser(), "491");
  b_.Send(b_.Answer(got, 200));
  EXPECT_EQ(carrier_.Receive().status(), 200);
}

TEST_F(AgentStandaloneTest, AreNoCallsButComeNoFasterThanThose) {
  UsePlan({.calls = 1, .calls_per_second = 1});
  b_.Register();
  a_.SendAuthorized(NewMessage(a_, "20002230000"));
  b_.Send(b_.Answer(b_.Receive(), 200));
  EXPECT_EQ(a_.Receive().status(), 200);
  a_.SendAuthorized(NewMessage(a_, "20002230000"));
  const sip::Message refusal = a_.Receive();
  EXPECT_EQ(refusal.status(), 503);
  EXPECT_TRUE(refusal.Has(sip::Header::kRetryAfter));
  bed_.Pass(absl::Seconds(2));
  a_.SendAuthorized(NewMessage(a_, "20002230000"));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kMessage);
}

TEST_F(AgentStandaloneTest, DivideTheirBreadthAmongBindings) {
  b_.Register();
  second_b_.Register();
  sip::Message message = NewMessage(a_, "20002230000");
  message.Add(sip::Header::kMaxBreadth, "5");
  a_.SendAuthorized(message);
  for (Phone* phone : {&b_, &second_b_}) {
    const sip::Message got = phone->Receive();
    EXPECT_EQ(got.Get(sip::Header::kMaxBreadth), "2");
    phone->Send(phone->Answer(got, 200));
  }
  EXPECT_EQ(a_.Receive().status(), 200);
  message = NewMessage(a_, "20002230000");
  message.Add(sip::Header::kMaxBreadth, "1");
  a_.SendAuthorized(message);
  EXPECT_EQ(a_.Receive().status(), 440);
}

TEST_F(AgentStandaloneTest, AreNotTakenWhileTheControllerStops) {
  b_.Register();
  bed_.agent().Drain(bed_.now());
  a_.Send(NewMessage(a_, "20002230000"));
  EXPECT_EQ(a_.Receive().status(), 503);
}

}  // namespace
}  // namespace sluice::agent
