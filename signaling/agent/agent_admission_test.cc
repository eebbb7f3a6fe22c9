// Calls that leave by trunks and are asked for first, through the agent, in bytes.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/admission/admission.h"
#include "signaling/agent/agent_test_bed.h"
#include "signaling/routing/plan.h"

namespace sluice::agent {
namespace {

using admission::Occasion;
using admission::Verdict;

constexpr absl::string_view kA = "20002230001";
constexpr absl::string_view kB = "20002230000";
constexpr absl::string_view kC = "20002230009";
constexpr absl::string_view kCarrier = "198.18.3.1:5060";
constexpr absl::string_view kOther = "198.18.3.2:5060";

sip::Message CancelOf(const sip::Message& invite) {
  sip::Message cancel = sip::Message::Request("CANCEL", invite.request_uri());
  for (const sip::Header header :
       {sip::Header::kVia, sip::Header::kMaxForwards, sip::Header::kFrom, sip::Header::kTo, sip::Header::kCallId}) {
    cancel.Add(header, invite.Get(header));
  }
  cancel.Add(sip::Header::kCSeq, absl::StrCat(invite.CSeqNumber(), " CANCEL"));
  return cancel;
}

class AgentAdmissionTest : public testing::Test {
 protected:
  AgentAdmissionTest() {
    bed_.AskForAdmission();
    UsePlan();
    for (const absl::string_view number : {kA, kB, kC}) bed_.AddAccount(std::string(number), "secret");
    EXPECT_EQ(b_.Register().status(), 200);
  }
  // However it ends, nothing of it stays.
  ~AgentAdmissionTest() override {
    // Nobody asks any more whether silent servers are back.
    PresentOptions without;
    without.calls = std::make_shared<const call::CallOptions>();
    bed_.agent().SetPresentOptions(without, bed_.now());
    EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains());
    EXPECT_EQ(bed_.admission().open(), 0u);
    for (const std::string& key : {CallLimiter::TrunkKey("carrier"), CallLimiter::AccountKey(kA)}) {
      EXPECT_EQ(bed_.limiter().UsageOf(key).calls, 0u) << key;
    }
  }

  // 0… goes to the carrier and then to the other one, 112 unasked.
  void UsePlan() {
    const auto carrier = std::make_shared<const routing::Trunk>(MakeTrunk("carrier", kCarrier));
    const auto other = std::make_shared<const routing::Trunk>(MakeTrunk("other", kOther));
    std::vector<routing::Route> routes;
    routes.push_back({.name = "emergency",
                      .number = *routing::NumberPattern::Parse("112"),
                      .trunks = {{carrier, 1, 1}},
                      .skips_admission = true});
    routes.push_back({.name = "out",
                      .number = *routing::NumberPattern::Parse("0*"),
                      .trunks = {{carrier, 1, 1}, {other, 2, 1}},
                      .called = {1, "+49"}});
    PresentOptions present;
    present.calls = std::make_shared<const call::CallOptions>(
        call::CallOptions{.domain = "198.18.1.1", .follows_redirections = true});
    present.account_limits = {.calls = most_calls_};
    present.admission = policy_;
    present.plan = std::make_shared<const routing::Plan>(
        std::vector<std::shared_ptr<const routing::Trunk>>{carrier, other}, std::move(routes));
    bed_.agent().SetPresentOptions(present, bed_.now());
  }

  // A's INVITE, which is asked for.
  sip::Message AskedInvite(absl::string_view number = "030123") {
    sip::Message invite = a_.SendAuthorized(a_.NewInvite(number));
    EXPECT_EQ(a_.Receive().status(), 100);
    EXPECT_EQ(bed_.admission().open(), 1u);
    EXPECT_FALSE(bed_.network().Has(carrier_.hop().remote)) << "nothing goes there before";
    return invite;
  }
  void Answer(absl::StatusOr<Verdict> verdict) {
    bed_.admission().Answer(std::move(verdict));
    bed_.RunPosted();
  }
  // `phone` gets `status` to its INVITE, and acknowledges it.
  std::string Refused(Phone& phone, const sip::Message& invite, uint16_t status) {
    const sip::Message response = phone.Receive();
    EXPECT_EQ(response.status(), status);
    EXPECT_EQ(response.Has("Retry-After"), status == 503);
    phone.Send(phone.AckOf(invite, response));
    return std::string(response.reason());
  }
  // The carrier has A's call, and is busy.
  void EndBusyAtCarrier(const sip::Message& invite) {
    const sip::Message at_carrier = carrier_.Receive();
    EXPECT_EQ(at_carrier.method(), sip::Method::kInvite);
    carrier_.Send(carrier_.Answer(at_carrier, 486));
    EXPECT_EQ(carrier_.Receive().method(), sip::Method::kAck);
    Refused(a_, invite, 486);
  }
  // `callee` takes the call of `caller`. Answers what each has: the caller's INVITE and its 200, ours and the callee's.
  struct Standing {
    sip::Message invite;
    sip::Message answered;
    sip::Message offered;
    sip::Message answer;
  };
  Standing Take(Phone& caller, const sip::Message& invite, Phone& callee) {
    Standing call;
    call.invite = invite;
    call.offered = callee.Receive();
    call.answer = callee.Answer(call.offered, 200);
    callee.Send(call.answer);
    EXPECT_EQ(callee.Receive().method(), sip::Method::kAck);
    call.answered = caller.Receive();
    EXPECT_EQ(call.answered.status(), 200);
    caller.Send(caller.AckOf(invite, call.answered));
    return call;
  }
  Standing CallCarrier(absl::Duration longest = absl::ZeroDuration()) {
    const sip::Message invite = AskedInvite();
    Answer(Verdict{.max_duration = longest});
    return Take(a_, invite, carrier_);
  }
  Standing CallB() {
    const sip::Message invite = a_.SendAuthorized(a_.NewInvite(kB));
    EXPECT_EQ(a_.Receive().status(), 100);
    return Take(a_, invite, b_);
  }
  void ExpectBye(Phone& phone) {
    const sip::Message bye = phone.Receive();
    EXPECT_EQ(bye.method(), sip::Method::kBye);
    phone.Send(phone.Answer(bye, 200));
  }
  void EndByA(const Standing& call, Phone& other) {
    a_.Send(a_.InDialog("BYE", call.invite, call.answered));
    EXPECT_EQ(a_.Receive().status(), 200);
    ExpectBye(other);
  }
  // What B's next NOTIFY says.
  std::string NotifiedB() {
    const sip::Message notify = b_.Receive();
    EXPECT_EQ(notify.method(), sip::Method::kNotify);
    b_.Send(b_.Answer(notify, 200));
    return std::string(notify.body());
  }
  // B, whom A has called, sends A to 030123, which is asked for.
  Standing ReferToCarrier() {
    const Standing call = CallB();
    sip::Message refer = b_.InDialogOfCallee("REFER", call.offered, call.answer);
    refer.Add(sip::Header::kReferTo, "<sip:030123@198.18.1.1>");
    b_.Send(refer);
    EXPECT_EQ(b_.Receive().status(), 202);
    EXPECT_EQ(NotifiedB(), "SIP/2.0 100 Trying\r\n");
    EXPECT_EQ(bed_.admission().open(), 1u);
    EXPECT_FALSE(bed_.network().Has(carrier_.hop().remote));
    return call;
  }

  uint32_t most_calls_ = 0;
  AdmissionPolicy policy_;
  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone(std::string(kA), "198.18.1.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone(std::string(kB), "198.18.2.9:43518", "198.18.2.9:43518");
  Phone c_ = bed_.NewPhone(std::string(kC), "198.18.1.3:5060", "198.18.1.3:5060");
  Phone carrier_ = bed_.NewPhone("491", kCarrier, kCarrier);
};

TEST_F(AgentAdmissionTest, IsAskedWhoCallsWhomByWhichTrunks) {
  const sip::Message invite = AskedInvite();
  const admission::Question question = bed_.admission().question();
  ASSERT_EQ(bed_.Calls().size(), 1u);
  EXPECT_EQ(question.call_id, bed_.Calls()[0].call_id);
  EXPECT_EQ(question.payer, kA);
  EXPECT_FALSE(question.is_trunk);
  EXPECT_EQ(question.calling, kA);
  EXPECT_EQ(question.dialled, "030123");
  EXPECT_EQ(question.routed, "+4930123");
  EXPECT_EQ(question.trunks, (std::vector<std::string>{"carrier", "other"}));
  EXPECT_EQ(question.occasion, Occasion::kCall);
  EXPECT_EQ(bed_.admission().timeout(), absl::Milliseconds(500));
  Answer(Verdict());
  EndBusyAtCarrier(invite);
}

TEST_F(AgentAdmissionTest, IsRefusedAsTheServiceSays) {
  const sip::Message invite = AskedInvite();
  Answer(Verdict{.status = 402, .reason = "No credit"});
  EXPECT_EQ(Refused(a_, invite, 402), "No credit");
  ASSERT_EQ(bed_.Records().size(), 1u);
  const store::CallRecord record = bed_.Records()[0];
  EXPECT_EQ(record.sip_status, 402u);
  EXPECT_EQ(record.text, "No credit");
  EXPECT_EQ(record.ended_by, store::EndedBy::kController);
  EXPECT_EQ(record.caller.account, kA);
  EXPECT_EQ(record.callee.number, "030123");
  EXPECT_EQ(record.callee.account, "carrier");
}

TEST_F(AgentAdmissionTest, IsRefusedOrGoesOnWhereNobodyDecides) {
  for (const absl::Status& failure : {absl::DeadlineExceededError("slow"), absl::UnavailableError("away"),
                                      absl::ResourceExhaustedError("many"), absl::InternalError("nonsense")}) {
    SCOPED_TRACE(failure.message());
    policy_.allows_on_failure = false;
    UsePlan();
    sip::Message invite = AskedInvite();
    Answer(failure);
    EXPECT_EQ(Refused(a_, invite, 503), "Admission is not decided");
    policy_.allows_on_failure = true;
    UsePlan();
    invite = AskedInvite();
    Answer(failure);
    EndBusyAtCarrier(invite);
  }
}

TEST_F(AgentAdmissionTest, IsCancelledMeanwhile) {
  const sip::Message invite = AskedInvite();
  a_.Send(CancelOf(invite));
  EXPECT_EQ(a_.Receive().status(), 200);
  Refused(a_, invite, 487);
  EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::AccountKey(kA)).calls, 0u);
  Answer(Verdict());
  EXPECT_EQ(bed_.network().waiting(), 0u) << "the answer comes too late";
  EXPECT_EQ(bed_.Records().at(0).sip_status, 487u);
}

TEST_F(AgentAdmissionTest, IsAskedOnceForAnInviteThatIsSentAgain) {
  const sip::Message invite = AskedInvite();
  a_.Send(invite);
  EXPECT_EQ(a_.Receive().status(), 100);
  EXPECT_EQ(bed_.admission().open(), 1u);
  EXPECT_EQ(bed_.Calls().size(), 1u);
  Answer(Verdict());
  EndBusyAtCarrier(invite);
}

TEST_F(AgentAdmissionTest, TakesThePlaceOfACallMeanwhile) {
  most_calls_ = 1;
  UsePlan();
  const sip::Message invite = AskedInvite();
  const sip::Message second = a_.SendAuthorized(a_.NewInvite("030124"));
  Refused(a_, second, 486);
  EXPECT_EQ(bed_.admission().open(), 1u) << "nobody is asked for a call that may not be made";
  Answer(Verdict{.status = 403});
  EXPECT_EQ(Refused(a_, invite, 403), "Forbidden");
  const sip::Message third = AskedInvite();
  Answer(Verdict{.status = 403});
  Refused(a_, third, 403);
}

TEST_F(AgentAdmissionTest, EndsTheCallWhenItsTimeIsOver) {
  CallCarrier(absl::Seconds(2));
  bed_.Pass(absl::Milliseconds(1900));
  EXPECT_EQ(bed_.network().waiting(), 0u);
  bed_.Pass(absl::Milliseconds(100));
  ExpectBye(a_);
  ExpectBye(carrier_);
  ASSERT_EQ(bed_.Records().size(), 1u);
  EXPECT_EQ(bed_.Records()[0].text, "the longest duration of a call is reached");
}

TEST_F(AgentAdmissionTest, EndsWithTheControllerThatStops) {
  const sip::Message invite = AskedInvite();
  bed_.agent().Drain(bed_.now());
  Refused(a_, invite, 480);
  EXPECT_TRUE(bed_.agent().idle());
  Answer(Verdict());
  EXPECT_EQ(bed_.network().waiting(), 0u);
}

TEST_F(AgentAdmissionTest, IsNotAskedForAccountsMessagesAndRoutesThatSkipIt) {
  EndByA(CallB(), b_);
  const sip::Message message = a_.SendAuthorized(a_.NewRequest("MESSAGE", "030123"));
  carrier_.Send(carrier_.Answer(carrier_.Receive(), 200));
  EXPECT_EQ(a_.Receive().status(), 200);
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("112"));
  EXPECT_EQ(a_.Receive().status(), 100);
  EndBusyAtCarrier(invite);
}

TEST_F(AgentAdmissionTest, IsAskedForATransferByTheTransferorsRights) {
  const Standing call = ReferToCarrier();
  const admission::Question question = bed_.admission().question();
  EXPECT_EQ(question.call_id, bed_.Calls().at(0).call_id);
  EXPECT_EQ(question.payer, kB);
  EXPECT_EQ(question.calling, kB);
  EXPECT_EQ(question.dialled, "030123");
  EXPECT_EQ(question.occasion, Occasion::kTransfer);
  Answer(Verdict{.status = 402, .reason = "No credit"});
  EXPECT_EQ(NotifiedB(), "SIP/2.0 402 No credit\r\n");
  EndByA(call, b_);
}

TEST_F(AgentAdmissionTest, EndsATransferredCallWhenItsTimeIsOver) {
  ReferToCarrier();
  bed_.Pass(absl::Milliseconds(200));
  Answer(Verdict{.max_duration = absl::Seconds(2)});
  const sip::Message at_carrier = carrier_.Receive();
  carrier_.Send(carrier_.Answer(at_carrier, 200));
  const sip::Message at_a = a_.Receive();
  a_.Send(a_.Answer(at_a, 200));
  EXPECT_EQ(a_.Receive().method(), sip::Method::kAck);
  EXPECT_EQ(carrier_.Receive().method(), sip::Method::kAck);
  EXPECT_EQ(NotifiedB(), "SIP/2.0 200 OK\r\n");
  ExpectBye(b_);
  bed_.Pass(absl::Seconds(2));
  ExpectBye(a_);
  ExpectBye(carrier_);
}

TEST_F(AgentAdmissionTest, IsAskedForARedirectionByTheCalleesRights) {
  for (const bool admitted : {true, false}) {
    const sip::Message invite = a_.SendAuthorized(a_.NewInvite(kB));
    EXPECT_EQ(a_.Receive().status(), 100);
    sip::Message moved = b_.Answer(b_.Receive(), 302);
    moved.Set(sip::Header::kContact, "<sip:030123@198.18.1.1>");
    b_.Send(moved);
    EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
    ASSERT_EQ(bed_.admission().open(), 1u);
    EXPECT_EQ(bed_.admission().question().payer, kB);
    EXPECT_EQ(bed_.admission().question().occasion, Occasion::kRedirection);
    EXPECT_EQ(bed_.network().waiting(), 0u);
    Answer(admitted ? Verdict() : Verdict{.status = 402, .reason = "No credit"});
    if (admitted) {
      EndBusyAtCarrier(invite);
    } else {
      EXPECT_EQ(Refused(a_, invite, 402), "No credit");
    }
  }
}

TEST_F(AgentAdmissionTest, IsAskedForAnInviteThatReplacesACallAtATrunk) {
  const Standing call = CallCarrier();
  sip::Message invite = c_.NewInvite("030123");
  invite.Add(sip::Header::kReplaces, absl::StrCat(call.invite.CallId(), ";to-tag=", call.answered.ToTag(),
                                                  ";from-tag=", call.invite.FromTag()));
  invite.Add(sip::Header::kReferredBy, absl::StrCat("<sip:", kA, "@198.18.1.1>"));
  invite = c_.SendAuthorized(invite);
  EXPECT_EQ(c_.Receive().status(), 100);
  ASSERT_EQ(bed_.admission().open(), 1u);
  EXPECT_EQ(bed_.admission().question().payer, kC);
  EXPECT_EQ(bed_.admission().question().trunks, std::vector<std::string>{"carrier"});
  EXPECT_EQ(bed_.network().waiting(), 0u);
  Answer(Verdict{.status = 402});
  EXPECT_EQ(Refused(c_, invite, 402), "Payment Required");
  EndByA(call, carrier_);
}

}  // namespace
}  // namespace sluice::agent
