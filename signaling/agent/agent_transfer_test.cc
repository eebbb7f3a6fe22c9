// Transfers through the agent, in bytes: B, whom A has called, sends A to C.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"

namespace sluice::agent {
namespace {

class AgentTransferTest : public testing::Test {
 protected:
  AgentTransferTest() {
    for (const char* number : {"20002230001", "20002230000", "20002230009"}) bed_.AddAccount(number, "secret");
    EXPECT_EQ(b_.Register().status(), 200);
    invite_ = a_.SendAuthorized(a_.NewInvite("20002230000"));
    EXPECT_EQ(a_.Receive().status(), 100);
    offered_ = b_.Receive();
    answer_ = b_.Answer(offered_, 200);
    b_.Send(answer_);
    EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
    answered_ = a_.Receive();
    a_.Send(a_.AckOf(invite_, answered_));
  }
  // However it ends, nothing of it stays.
  ~AgentTransferTest() override { EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains()); }

  // B refers A to `target` and is told that this is tried.
  void Refer(absl::string_view target) {
    sip::Message refer = b_.InDialogOfCallee("REFER", offered_, answer_);
    refer.Add(sip::Header::kReferTo, absl::StrCat("<sip:", target, ">"));
    b_.Send(refer);
    EXPECT_EQ(b_.Receive().status(), 202);
    EXPECT_EQ(Notified(), "SIP/2.0 100 Trying\r\n");
  }

  // What B's next NOTIFY says.
  std::string Notified() {
    const sip::Message notify = b_.Receive();
    EXPECT_EQ(notify.method(), sip::Method::kNotify);
    b_.Send(b_.Answer(notify, 200));
    return std::string(notify.body());
  }

  void HangUp(Phone& phone) {
    const sip::Message bye = phone.Receive();
    EXPECT_EQ(bye.method(), sip::Method::kBye);
    phone.Send(phone.Answer(bye, 200));
  }

  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone("20002230000", "192.168.2.63:43518", "198.18.2.9:50518");
  Phone c_ = bed_.NewPhone("20002230009", "198.18.1.3:5060", "198.18.1.3:5060");
  sip::Message invite_;
  sip::Message offered_;
  sip::Message answer_;
  sip::Message answered_;
};

TEST_F(AgentTransferTest, JoinsTheOneThatStaysAndTheTarget) {
  EXPECT_EQ(c_.Register().status(), 200);
  Refer("20002230009@198.18.1.1");
  const sip::Message at_c = c_.Receive();
  EXPECT_EQ(at_c.method(), sip::Method::kInvite);
  EXPECT_EQ(at_c.request_uri(), c_.contact());
  EXPECT_TRUE(absl::StrContains(at_c.Get(sip::Header::kFrom), "20002230001"));
  EXPECT_TRUE(absl::StrContains(at_c.Get(sip::Header::kReferredBy), "20002230000"));
  c_.Send(c_.Answer(at_c, 180));
  EXPECT_EQ(Notified(), "SIP/2.0 180 Ringing\r\n");
  c_.Send(c_.Answer(at_c, 200));

  const sip::Message at_a = a_.Receive();
  EXPECT_EQ(at_a.method(), sip::Method::kInvite);
  EXPECT_EQ(at_a.CallId(), invite_.CallId());
  a_.Send(a_.Answer(at_a, 200));
  EXPECT_EQ(a_.Receive().method(), sip::Method::kAck);
  const sip::Message ack = c_.Receive();
  EXPECT_EQ(ack.method(), sip::Method::kAck);
  EXPECT_TRUE(absl::StrContains(ack.body(), "m=audio ")) << "it has the answer";
  EXPECT_EQ(Notified(), "SIP/2.0 200 OK\r\n");
  HangUp(b_);

  a_.Send(a_.InDialog("BYE", invite_, answered_));
  EXPECT_EQ(a_.Receive().status(), 200);
  HangUp(c_);
  const auto records = bed_.Records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].ended_by, store::EndedBy::kCaller);
}

TEST_F(AgentTransferTest, TellsWhyNobodyIsReached) {
  Refer("20002230009@198.18.1.1");
  EXPECT_EQ(Notified(), "SIP/2.0 480 Not registered\r\n");
  a_.Send(a_.InDialog("BYE", invite_, answered_));
  EXPECT_EQ(a_.Receive().status(), 200);
  HangUp(b_);
}

TEST_F(AgentTransferTest, GoesNoFurtherThanTheTransferorsOwnCalls) {
  Refer("20002230009@elsewhere.example");
  EXPECT_EQ(Notified(), "SIP/2.0 404 Domain is not served here\r\n");
  a_.Send(a_.InDialog("BYE", invite_, answered_));
  EXPECT_EQ(a_.Receive().status(), 200);
  HangUp(b_);
}

}  // namespace
}  // namespace sluice::agent
