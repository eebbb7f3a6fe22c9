// Calls that take the place of others, through the agent, in bytes: A talks with B and with C, and one of the two calls
// is to be between B and C (RFC 5589 7, RFC 3891).
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"
#include "signaling/sip/text.h"

namespace sluice::agent {
namespace {

class AgentReplaceTest : public testing::Test {
 protected:
  // A call of A's as A and the other one have seen it.
  struct StandingCall {
    sip::Message invite;
    sip::Message answered;
    sip::Message offered;
    sip::Message answer;

    // As A names it.
    std::string Replaces() const {
      return absl::StrCat(invite.CallId(), ";to-tag=", answered.ToTag(), ";from-tag=", invite.FromTag());
    }
  };

  AgentReplaceTest() {
    for (const char* number : {"20002230001", "20002230000", "20002230009"}) bed_.AddAccount(number, "secret");
    EXPECT_EQ(b_.Register().status(), 200);
    EXPECT_EQ(c_.Register().status(), 200);
    to_b_ = Establish(b_);
    to_c_ = Establish(c_);
  }
  // However it ends, nothing of it stays.
  ~AgentReplaceTest() override { EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains()); }

  StandingCall Establish(Phone& callee) {
    StandingCall call;
    call.invite = a_.SendAuthorized(a_.NewInvite(callee.number()));
    EXPECT_EQ(a_.Receive().status(), 100);
    call.offered = callee.Receive();
    call.answer = callee.Answer(call.offered, 200);
    callee.Send(call.answer);
    EXPECT_EQ(callee.Receive().method(), sip::Method::kAck);
    call.answered = a_.Receive();
    a_.Send(a_.AckOf(call.invite, call.answered));
    return call;
  }

  // C has an INVITE that takes the place of the call that it has with us.
  sip::Message ReplacementAtC() {
    const sip::Message invite = c_.Receive();
    EXPECT_EQ(invite.method(), sip::Method::kInvite);
    EXPECT_EQ(invite.request_uri(), c_.contact());
    EXPECT_EQ(invite.Get(sip::Header::kReplaces), absl::StrCat(to_c_.offered.CallId(), ";to-tag=", to_c_.answer.ToTag(),
                                                               ";from-tag=", to_c_.offered.FromTag()));
    return invite;
  }

  // `phone` ends its side of `call`, and A is told.
  void EndOldCall(Phone& phone, const StandingCall& call) {
    phone.Send(phone.InDialogOfCallee("BYE", call.offered, call.answer));
    EXPECT_EQ(phone.Receive().status(), 200);
    HangUp(a_);
  }

  void HangUp(Phone& phone) {
    const sip::Message bye = phone.Receive();
    EXPECT_EQ(bye.method(), sip::Method::kBye);
    phone.Send(phone.Answer(bye, 200));
  }

  void EndByA(Phone& other, const StandingCall& call) {
    sip::Message bye = a_.InDialog("BYE", call.invite, call.answered);
    // Behind a REFER.
    bye.Set(sip::Header::kCSeq, absl::StrCat(bye.CSeqNumber() + 1, " BYE"));
    a_.Send(bye);
    EXPECT_EQ(a_.Receive().status(), 200);
    HangUp(other);
  }

  std::string NotifiedA() {
    const sip::Message notify = a_.Receive();
    EXPECT_EQ(notify.method(), sip::Method::kNotify);
    a_.Send(a_.Answer(notify, 200));
    return std::string(notify.body());
  }

  // A refers B to C, with whom A has a call that `replaces` names.
  void Refer(absl::string_view replaces) {
    sip::Message refer = a_.InDialog("REFER", to_b_.invite, to_b_.answered);
    refer.Add(sip::Header::kReferTo,
              absl::StrCat("<sip:20002230009@198.18.1.1?Replaces=", sip::Escape(replaces, ""), ">"));
    a_.Send(refer);
    EXPECT_EQ(a_.Receive().status(), 202);
    EXPECT_EQ(NotifiedA(), "SIP/2.0 100 Trying\r\n");
  }

  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone("20002230000", "192.168.2.63:43518", "198.18.2.9:50518");
  Phone c_ = bed_.NewPhone("20002230009", "198.18.1.3:5060", "198.18.1.3:5060");
  StandingCall to_b_;
  StandingCall to_c_;
};

TEST_F(AgentReplaceTest, ConnectsTheOtherEndsOfTheTransferorsTwoCalls) {
  Refer(to_c_.Replaces());
  const sip::Message at_c = ReplacementAtC();
  EXPECT_TRUE(absl::StrContains(at_c.Get(sip::Header::kFrom), "20002230000")) << "B calls";
  c_.Send(c_.Answer(at_c, 200));
  const sip::Message at_b = b_.Receive();
  EXPECT_EQ(at_b.method(), sip::Method::kInvite);
  EXPECT_EQ(at_b.CallId(), to_b_.offered.CallId());
  b_.Send(b_.Answer(at_b, 200));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  EXPECT_EQ(c_.Receive().method(), sip::Method::kAck);
  EXPECT_EQ(NotifiedA(), "SIP/2.0 200 OK\r\n");
  HangUp(a_);
  EndOldCall(c_, to_c_);

  // B and C are one call now.
  b_.Send(b_.InDialogOfCallee("BYE", to_b_.offered, to_b_.answer));
  EXPECT_EQ(b_.Receive().status(), 200);
  HangUp(c_);
  EXPECT_EQ(bed_.Records().size(), 2u);
}

TEST_F(AgentReplaceTest, TellsTheTransferorThatItHasNoSuchCall) {
  Refer("nobody;to-tag=1;from-tag=2");
  EXPECT_EQ(NotifiedA(), "SIP/2.0 481 Call/Transaction Does Not Exist\r\n");
  EndByA(b_, to_b_);
  EndByA(c_, to_c_);
}

TEST_F(AgentReplaceTest, ConnectsAnInviteThatReplacesACallWithTheOtherEnd) {
  // B has been referred by A itself, as where transfers are left to the phones.
  sip::Message invite = b_.NewInvite("20002230009");
  invite.Add(sip::Header::kReplaces, to_c_.Replaces());
  invite.Add(sip::Header::kRequire, "replaces");
  invite.Add(sip::Header::kReferredBy, "<sip:20002230001@198.18.1.1>");
  invite = b_.SendAuthorized(invite);
  EXPECT_EQ(b_.Receive().status(), 100);
  const sip::Message at_c = ReplacementAtC();
  c_.Send(c_.Answer(at_c, 200));
  EXPECT_EQ(c_.Receive().method(), sip::Method::kAck);
  const sip::Message answered = b_.Receive();
  EXPECT_EQ(answered.status(), 200);
  b_.Send(b_.AckOf(invite, answered));
  EndOldCall(c_, to_c_);
  EndByA(b_, to_b_);
  b_.Send(b_.InDialog("BYE", invite, answered));
  EXPECT_EQ(b_.Receive().status(), 200);
  HangUp(c_);
}

TEST_F(AgentReplaceTest, RefusesToReplaceWhatIsNoCallOfTheSenders) {
  struct Case {
    absl::string_view description;
    std::string replaces;
    std::string referred_by;
    uint16_t status;
  };
  const Case cases[] = {
      {"it is A's, and A has not referred", to_c_.Replaces(), "", 403},
      {"referred by a third", to_c_.Replaces(), "<sip:20002230009@198.18.1.1>", 403},
      {"another tag", absl::StrCat(to_c_.invite.CallId(), ";to-tag=", to_c_.answered.ToTag(), ";from-tag=x"),
       "<sip:20002230001@198.18.1.1>", 481},
      {"only an early dialog", absl::StrCat(to_c_.Replaces(), ";early-only"), "<sip:20002230001@198.18.1.1>", 486},
      {"no value", ";", "<sip:20002230001@198.18.1.1>", 400},
  };
  for (const Case& one : cases) {
    sip::Message invite = b_.NewInvite("20002230009");
    invite.Add(sip::Header::kReplaces, one.replaces);
    if (!one.referred_by.empty()) invite.Add(sip::Header::kReferredBy, one.referred_by);
    invite = b_.SendAuthorized(invite);
    sip::Message refusal = b_.Receive();
    // It waits for the answer of the dialog's shard.
    if (refusal.status() == 100) refusal = b_.Receive();
    EXPECT_EQ(refusal.status(), one.status) << one.description;
    b_.Send(b_.AckOf(invite, refusal));
  }
  EXPECT_FALSE(bed_.network().Has(c_.hop().remote));
  EndByA(b_, to_b_);
  EndByA(c_, to_c_);
}

}  // namespace
}  // namespace sluice::agent
