// Nothing is left behind: 10 000 calls through the agent, of which a third end badly, each in another way.
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"

namespace sluice::agent {
namespace {

using Operation = fleet::FakeFleet::Operation;

constexpr int kCalls = 10'000;

class AgentRemainsTest : public testing::Test {
 protected:
  AgentRemainsTest() : bed_([](AgentOptions& options) { options.trace_bytes = 1 << 16; }) {
    bed_.AddAccount("20002230001", "secret");
    bed_.AddAccount("20002230000", "secret");
    EXPECT_EQ(b_.Register().status(), 200);
  }

  void Ring() {
    invite_ = a_.SendAuthorized(a_.NewInvite("20002230000"));
    EXPECT_EQ(a_.Receive().status(), 100);
    offered_ = b_.Receive();
    b_.Send(b_.Answer(offered_, 180));
    EXPECT_EQ(a_.Receive().status(), 180);
  }

  void Answer() {
    answer_ = b_.Answer(offered_, 200);
    b_.Send(answer_);
    EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
    answered_ = a_.Receive();
  }

  void Establish() {
    Ring();
    Answer();
    a_.Send(a_.AckOf(invite_, answered_));
  }

  void HangUpByCaller() {
    a_.Send(a_.InDialog("BYE", invite_, answered_));
    EXPECT_EQ(a_.Receive().status(), 200);
  }

  void AnswerBye(Phone& phone) {
    const sip::Message bye = phone.Receive();
    EXPECT_EQ(bye.method(), sip::Method::kBye);
    phone.Send(phone.Answer(bye, 200));
  }

  void AcknowledgeFailure(uint16_t status) {
    const sip::Message failure = a_.Receive();
    EXPECT_EQ(failure.status(), status);
    a_.Send(a_.AckOf(invite_, failure));
  }

  // What is sent to a phone that has gone, again and again.
  void LoseAllThatIsSent() {
    for (Phone* phone : {&a_, &b_}) {
      while (bed_.Take(phone->hop()).has_value()) {
      }
    }
  }

  // The ways in which a call ends badly, by number.
  static constexpr int kBadEnds = 10;
  void EndBadly(int how) {
    switch (how) {
      case 0:  // The caller gives up at the challenge.
        a_.Send(a_.NewInvite("20002230000"));
        EXPECT_EQ(a_.Receive().status(), 407);
        break;
      case 1:  // The callee is busy, and the caller does not acknowledge that.
        Ring();
        b_.Send(b_.Answer(offered_, 486));
        EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
        EXPECT_EQ(a_.Receive().status(), 486);
        break;
      case 2: {  // CANCEL, and a callee that does not answer it.
        Ring();
        sip::Message cancel = sip::Message::Request("CANCEL", invite_.request_uri());
        for (const sip::Header header :
             {sip::Header::kVia, sip::Header::kFrom, sip::Header::kTo, sip::Header::kCallId}) {
          cancel.Add(header, invite_.Get(header));
        }
        cancel.Add(sip::Header::kCSeq, "2 CANCEL");
        a_.Send(cancel);
        EXPECT_EQ(a_.Receive().status(), 200);
        AcknowledgeFailure(487);
        break;
      }
      case 3:  // The callee's phone is gone when it is called.
        invite_ = a_.SendAuthorized(a_.NewInvite("20002230000"));
        break;
      case 4:  // The caller's ACK never comes.
        Ring();
        Answer();
        break;
      case 5:  // The callee vanishes in the call and does not answer the BYE.
        Establish();
        HangUpByCaller();
        break;
      case 6:  // No relay has room.
        bed_.fleet().FailNext(Operation::kCreate, absl::ResourceExhaustedError("no port is free"));
        invite_ = a_.SendAuthorized(a_.NewInvite("20002230000"));
        EXPECT_EQ(a_.Receive().status(), 100);
        AcknowledgeFailure(503);
        break;
      case 7:  // The relay loses the session, and both phones say goodbye.
        Establish();
        bed_.agent().OnSessionLost(bed_.Calls().at(0).call_id, absl::UnavailableError("restarted"), bed_.now());
        bed_.RunPosted();
        AnswerBye(a_);
        AnswerBye(b_);
        break;
      case 8:  // The relay does not take what the callee answers.
        Ring();
        bed_.fleet().FailNext(Operation::kUpdate, absl::InvalidArgumentError("session.streams[0].legs[1].remote"));
        b_.Send(b_.Answer(offered_, 200));
        EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
        AnswerBye(b_);
        AcknowledgeFailure(488);
        break;
      case 9: {  // A re-INVITE is on its way when the caller hangs up, and the callee answers neither.
        Establish();
        sip::Message again = a_.InDialog("INVITE", invite_, answered_);
        again.SetBody("application/sdp", a_.Sdp());
        again.Add(sip::Header::kContact, absl::StrCat("<", a_.contact(), ">"));
        again.Set(sip::Header::kCSeq, "3 INVITE");
        a_.Send(again);
        EXPECT_EQ(b_.Receive().method(), sip::Method::kInvite);
        a_.Send(a_.InDialog("BYE", invite_, answered_));
        break;
      }
    }
  }

  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone("20002230000", "192.168.2.63:43518", "198.18.2.9:50518");
  sip::Message invite_;
  sip::Message offered_;
  sip::Message answer_;
  sip::Message answered_;
};

TEST_F(AgentRemainsTest, HasNothingLeftOfTenThousandCallsOfWhichAThirdEndedBadly) {
  uint64_t recorded = 0;
  for (int i = 0; i < kCalls && !HasFailure(); ++i) {
    if (i % 3 == 2) {
      const int how = i / 3 % kBadEnds;
      EndBadly(how);
      // Whoever has not proved who he is gets no record.
      recorded += how == 0 ? 0 : 1;
      LoseAllThatIsSent();
      // Until nobody waits for anything any more, but that a call after the other may still be there.
      bed_.Pass(absl::Seconds(how == 3 ? 40 : 8));
      LoseAllThatIsSent();
    } else {
      Establish();
      HangUpByCaller();
      AnswerBye(b_);
      ++recorded;
    }
    // The registration is renewed as a phone would.
    if (i % 200 == 199) {
      EXPECT_EQ(b_.Register().status(), 200);
    }
  }
  EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains());
  EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::AccountKey("20002230001")).calls, 0u);
  const SignalingStatistics statistics = bed_.Statistics();
  EXPECT_EQ(statistics.calls, 0u);
  EXPECT_EQ(statistics.calls_started, recorded);
  EXPECT_GE(bed_.fleet().Count(Operation::kDelete), recorded * 3 / 4);
}

}  // namespace
}  // namespace sluice::agent
