// Calls that are picked up while they ring, by INVITE with Replaces (RFC 3891), through the agent, in bytes: A calls B,
// whose desk phone rings, and B takes the call at another phone.
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"

namespace sluice::agent {
namespace {

class AgentPickupTest : public testing::Test {
 protected:
  AgentPickupTest() {
    for (const char* number : {"20002230001", "20002230000", "20002230009"}) bed_.AddAccount(number, "secret");
    EXPECT_EQ(desk_.Register().status(), 200);
    invite_ = a_.SendAuthorized(a_.NewInvite("20002230000"));
    EXPECT_EQ(a_.Receive().status(), 100);
    offered_ = desk_.Receive();
    ringing_ = desk_.Answer(offered_, 180);
    desk_.Send(ringing_);
    rang_ = a_.Receive();
    EXPECT_EQ(rang_.status(), 180);
  }
  ~AgentPickupTest() override { EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains()); }

  // The INVITE of `phone` for the call that the desk phone knows by its dialog, with `more` behind.
  sip::Message Pickup(Phone& phone, absl::string_view more = "") {
    sip::Message invite = phone.NewInvite("20002230001");
    invite.Add(sip::Header::kReplaces,
               absl::StrCat(offered_.CallId(), ";to-tag=", offered_.FromTag(), ";from-tag=", ringing_.ToTag(), more));
    return phone.SendAuthorized(std::move(invite));
  }

  // A takes the new call and gives up its own, as RFC 3891 3 says.
  void TakeByA(Phone& by, const sip::Message& pickup) {
    EXPECT_EQ(by.Receive().status(), 100);
    const sip::Message at_a = a_.Receive();
    EXPECT_EQ(at_a.method(), sip::Method::kInvite);
    EXPECT_EQ(at_a.request_uri(), a_.contact());
    EXPECT_EQ(at_a.Get(sip::Header::kReplaces), absl::StrCat(invite_.CallId(), ";to-tag=", invite_.FromTag(),
                                                             ";from-tag=", rang_.ToTag(), ";early-only"));
    a_.Send(a_.Answer(at_a, 200));
    EXPECT_EQ(a_.Receive().method(), sip::Method::kAck);
    const sip::Message answered = by.Receive();
    EXPECT_EQ(answered.status(), 200);
    by.Send(by.AckOf(pickup, answered));

    sip::Message cancel = sip::Message::Request("CANCEL", invite_.request_uri());
    for (const sip::Header header :
         {sip::Header::kVia, sip::Header::kMaxForwards, sip::Header::kFrom, sip::Header::kTo, sip::Header::kCallId}) {
      cancel.Add(header, invite_.Get(header));
    }
    cancel.Add(sip::Header::kCSeq, absl::StrCat(invite_.CSeqNumber(), " CANCEL"));
    a_.Send(cancel);
    EXPECT_EQ(a_.Receive().status(), 200);
    const sip::Message end = a_.Receive();
    EXPECT_EQ(end.status(), 487);
    a_.Send(a_.AckOf(invite_, end));
    EXPECT_EQ(desk_.Receive().method(), sip::Method::kCancel);
    desk_.Send(desk_.Answer(offered_, 487));
    EXPECT_EQ(desk_.Receive().method(), sip::Method::kAck);

    by.Send(by.InDialog("BYE", pickup, answered));
    EXPECT_EQ(by.Receive().status(), 200);
    const sip::Message bye = a_.Receive();
    EXPECT_EQ(bye.method(), sip::Method::kBye);
    a_.Send(a_.Answer(bye, 200));
    EXPECT_EQ(bed_.Records().size(), 2u);
  }

  void CallIsRefused(Phone& phone, const sip::Message& pickup, uint16_t status) {
    EXPECT_EQ(phone.Receive().status(), 100);
    const sip::Message refusal = phone.Receive();
    EXPECT_EQ(refusal.status(), status);
    phone.Send(phone.AckOf(pickup, refusal));
    desk_.Send(desk_.Answer(offered_, 486));
    EXPECT_EQ(desk_.Receive().method(), sip::Method::kAck);
    const sip::Message busy = a_.Receive();
    EXPECT_EQ(busy.status(), 486);
    a_.Send(a_.AckOf(invite_, busy));
  }

  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone desk_ = bed_.NewPhone("20002230000", "192.168.2.63:43518", "198.18.2.9:50518");
  Phone other_ = bed_.NewPhone("20002230000", "198.18.1.4:5060", "198.18.1.4:5060");
  Phone c_ = bed_.NewPhone("20002230009", "198.18.1.3:5060", "198.18.1.3:5060");
  sip::Message invite_;
  sip::Message offered_;
  sip::Message ringing_;
  sip::Message rang_;
};

TEST_F(AgentPickupTest, IsTakenByTheCallerFromAnotherPhoneOfTheAccount) { TakeByA(other_, Pickup(other_)); }

TEST_F(AgentPickupTest, MayBeForAnEarlyDialogOnly) { TakeByA(other_, Pickup(other_, ";early-only")); }

TEST_F(AgentPickupTest, IsNotForOthers) { CallIsRefused(c_, Pickup(c_), 403); }

TEST_F(AgentPickupTest, DoesNotReplaceTheCallersDialogAtItsCallee) {
  sip::Message invite = a_.NewInvite("20002230000");
  invite.Add(sip::Header::kReplaces,
             absl::StrCat(invite_.CallId(), ";to-tag=", rang_.ToTag(), ";from-tag=", invite_.FromTag()));
  CallIsRefused(a_, a_.SendAuthorized(std::move(invite)), 481);
}

}  // namespace
}  // namespace sluice::agent
