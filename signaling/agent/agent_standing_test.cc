// Calls that outlive the agent: another one goes on with what the store has of them.
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"
#include "signaling/routing/plan.h"

namespace sluice::agent {
namespace {

using Operation = fleet::FakeFleet::Operation;

// One for each test.
std::string FreshFile() {
  const std::string file =
      absl::StrCat(testing::TempDir(), "/", testing::UnitTest::GetInstance()->current_test_info()->name(), ".db");
  std::remove(file.c_str());
  return file;
}

class AgentStandingTest : public testing::Test {
 protected:
  explicit AgentStandingTest(std::function<void(AgentOptions&)> change = [](AgentOptions&) {})
      : bed_(std::move(change), FreshFile()) {
    bed_.AddAccount("20002230001", "secret", "测试APP2");
    bed_.AddAccount("20002230000", "secret");
    EXPECT_EQ(b_.Register().status(), 200);
  }
  // However it ends, nothing stays, and nothing would come back.
  ~AgentStandingTest() override {
    EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains());
    EXPECT_TRUE(bed_.store().Flush(absl::Seconds(10)).ok());
    EXPECT_EQ(bed_.store().Statistics().standing_calls, 0u);
    EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::AccountKey("20002230001")).calls, 0u);
  }

  void Ring() {
    invite_ = a_.SendAuthorized(a_.NewInvite("20002230000"));
    EXPECT_EQ(a_.Receive().status(), 100);
    offered_ = b_.Receive();
    b_.Send(b_.Answer(offered_, 180));
    EXPECT_EQ(a_.Receive().status(), 180);
  }
  void Establish() {
    Ring();
    answer_ = b_.Answer(offered_, 200);
    b_.Send(answer_);
    EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
    answered_ = a_.Receive();
    a_.Send(a_.AckOf(invite_, answered_));
  }
  // And the store has it.
  void Stand() {
    Establish();
    bed_.Pass(absl::Seconds(1));
  }
  void HangUpByCaller() {
    a_.Send(a_.InDialog("BYE", invite_, answered_));
    EXPECT_EQ(a_.Receive().status(), 200);
    AnswerBye(b_);
  }
  void HangUpByCallee() {
    b_.Send(b_.InDialogOfCallee("BYE", offered_, answer_));
    EXPECT_EQ(b_.Receive().status(), 200);
    AnswerBye(a_);
  }
  static void AnswerBye(Phone& phone) {
    const sip::Message bye = phone.Receive();
    EXPECT_EQ(bye.method(), sip::Method::kBye);
    phone.Send(phone.Answer(bye, 200));
  }

  store::CallRecord OnlyRecord() {
    const auto records = bed_.Records();
    EXPECT_EQ(records.size(), 1u);
    return records.empty() ? store::CallRecord() : records[0];
  }

  AgentTestBed bed_;
  Phone a_ = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone("20002230000", "192.168.2.63:43518", "198.18.2.9:50518");
  sip::Message invite_;
  sip::Message offered_;
  sip::Message answer_;
  sip::Message answered_;
};

TEST_F(AgentStandingTest, GoOnAndEndWithOneRecord) {
  const absl::Time start = bed_.now();
  Stand();
  const CallSummary before = bed_.Calls().at(0);
  bed_.Pass(absl::Seconds(10));
  EXPECT_TRUE(bed_.Restart().empty());
  const std::vector<CallSummary> calls = bed_.Calls();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].call_id, before.call_id);
  EXPECT_EQ(calls[0].state, CallState::kAnswered);
  EXPECT_EQ(calls[0].start_time, before.start_time);
  EXPECT_EQ(calls[0].relay, "relay-1");
  EXPECT_EQ(calls[0].caller.display_name, "测试APP2");
  EXPECT_EQ(bed_.Statistics().calls, 1u);
  EXPECT_EQ(bed_.Statistics().calls_restored, 1u);
  EXPECT_EQ(bed_.fleet().Count(Operation::kAdopt), 1u);
  EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::AccountKey("20002230001")).calls, 1u);
  EXPECT_TRUE(bed_.Records().empty());

  relay::v1::StreamStatistics received;
  received.set_packets(500);
  bed_.fleet().SetReceived(before.call_id, 0, 1, received);
  HangUpByCallee();
  const store::CallRecord record = OnlyRecord();
  EXPECT_EQ(record.call_id, before.call_id);
  EXPECT_EQ(record.start_time, start);
  EXPECT_EQ(record.answer_time, before.answer_time);
  EXPECT_EQ(record.end_time, bed_.now());
  EXPECT_EQ(record.ended_by, store::EndedBy::kCallee);
  EXPECT_EQ(record.callee.user_agent, before.callee.user_agent);
  EXPECT_FALSE(record.media_unknown);
  ASSERT_FALSE(record.streams.empty());
  EXPECT_EQ(record.streams[0].from_callee.packets, 500u);
  // Nothing comes back of it.
  EXPECT_TRUE(bed_.Restart().empty());
  EXPECT_TRUE(bed_.Calls().empty());
  EXPECT_EQ(bed_.Records().size(), 1u);
}

TEST_F(AgentStandingTest, ServeReinvitesAfterwardsAndOutliveTheNextRestartToo) {
  Stand();
  EXPECT_TRUE(bed_.Restart().empty());
  sip::Message hold = a_.InDialog("INVITE", invite_, answered_);
  hold.Set(sip::Header::kCSeq, "5 INVITE");
  hold.Add(sip::Header::kContact, absl::StrCat("<", a_.contact(), ">"));
  hold.SetBody("application/sdp", absl::StrCat(a_.Sdp(), "a=sendonly\r\n"));
  a_.Send(hold);
  EXPECT_EQ(a_.Receive().status(), 100);
  const sip::Message at_b = b_.Receive();
  EXPECT_TRUE(absl::StrContains(at_b.body(), "a=sendonly"));
  EXPECT_GT(at_b.CSeqNumber(), offered_.CSeqNumber());
  b_.Send(b_.Answer(at_b, 200));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  const sip::Message held = a_.Receive();
  EXPECT_EQ(held.status(), 200);
  a_.Send(a_.AckOf(hold, held));
  EXPECT_EQ(bed_.fleet().Count(Operation::kUpdate), 2u);
  bed_.Pass(absl::Seconds(1));
  EXPECT_TRUE(bed_.Restart().empty());
  b_.Send(b_.InDialogOfCallee("BYE", offered_, answer_));
  EXPECT_EQ(b_.Receive().status(), 200);
  const sip::Message bye = a_.Receive();
  EXPECT_EQ(bye.method(), sip::Method::kBye);
  a_.Send(a_.Answer(bye, 200));
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kCallee);
}

TEST_F(AgentStandingTest, KeepTheStateOfBeforeWhileSomethingIsUnderWay) {
  Stand();
  // B does not answer.
  sip::Message info = a_.InDialog("INFO", invite_, answered_);
  a_.Send(info);
  EXPECT_EQ(b_.Receive().method_name(), "INFO");
  bed_.Pass(absl::Seconds(3));
  EXPECT_TRUE(bed_.Restart().empty());
  EXPECT_EQ(bed_.Calls().size(), 1u);
  while (bed_.Take(b_.hop()).has_value()) {
  }
  sip::Message bye = a_.InDialog("BYE", invite_, answered_);
  bye.Set(sip::Header::kCSeq, "9 BYE");
  a_.Send(bye);
  EXPECT_EQ(a_.Receive().status(), 200);
  AnswerBye(b_);
}

TEST_F(AgentStandingTest, CostNothingThatAreOverWithinASecond) {
  Establish();
  bed_.Pass(absl::Milliseconds(900));
  HangUpByCaller();
  bed_.Pass(absl::Seconds(2));
  EXPECT_EQ(bed_.store().Statistics().standing_calls_waiting, 0u);
  EXPECT_EQ(bed_.store().Statistics().standing_calls, 0u);
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kCaller);
}

TEST_F(AgentStandingTest, AreLeftAsTheyAreWhenTheControllerStops) {
  Establish();
  bed_.agent().Drain(bed_.now());
  EXPECT_TRUE(bed_.agent().idle());
  EXPECT_FALSE(bed_.network().Has(a_.hop().remote)) << "no BYE";
  bed_.agent().Stop(bed_.now());
  EXPECT_TRUE(bed_.Restart().empty());
  EXPECT_EQ(bed_.Calls().size(), 1u);
  HangUpByCaller();
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kCaller);
}

TEST_F(AgentStandingTest, AreNotThoseThatRing) {
  Ring();
  bed_.agent().Drain(bed_.now());
  bed_.RunPosted();
  EXPECT_FALSE(bed_.agent().idle());
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 480);
  a_.Send(a_.AckOf(invite_, response));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kCancel);
  b_.Send(b_.Answer(offered_, 487));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  EXPECT_TRUE(bed_.agent().idle());
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kController);
}

TEST_F(AgentStandingTest, EndByASessionThatTheRelayHasLost) {
  Stand();
  EXPECT_TRUE(bed_.Restart().empty());
  bed_.agent().OnSessionLost(bed_.Calls().at(0).call_id, absl::NotFoundError("it was ended there"), bed_.now());
  bed_.RunPosted();
  AnswerBye(a_);
  AnswerBye(b_);
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kMediaTimeout);
}

TEST_F(AgentStandingTest, EndAtOnceWhenTheirSessionHasExpiredMeanwhile) {
  Stand();
  EXPECT_TRUE(bed_.Restart(absl::Hours(1)).empty());
  bed_.Pass(absl::ZeroDuration());
  AnswerBye(a_);
  AnswerBye(b_);
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kSessionTimer);
}

TEST_F(AgentStandingTest, AreRecordedAsLostWhereTheirStateIsDamaged) {
  bed_.store().KeepCall("6553f100-damaged", "garbage");
  const std::vector<absl::Status> failures = bed_.Restart();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_TRUE(absl::IsInvalidArgument(failures[0]));
  EXPECT_TRUE(bed_.Calls().empty());
  const store::CallRecord record = OnlyRecord();
  EXPECT_EQ(record.call_id, "6553f100-damaged");
  EXPECT_EQ(record.ended_by, store::EndedBy::kController);
  EXPECT_EQ(record.text, "did not outlive the controller that had it: what was kept of it is damaged");
  EXPECT_TRUE(bed_.Restart().empty());
  EXPECT_EQ(bed_.Records().size(), 1u);
}

TEST_F(AgentStandingTest, AreRecordedWithAllThatIsKnownWhereTheConfigKeepsThemNoMore) {
  Stand();
  const CallSummary before = bed_.Calls().at(0);
  bed_.options().keeps_calls = false;
  const std::vector<absl::Status> failures = bed_.Restart();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_TRUE(absl::StrContains(failures[0].message(), "store.keep_calls")) << failures[0];
  const store::CallRecord record = OnlyRecord();
  EXPECT_EQ(record.caller.number, "20002230001");
  EXPECT_EQ(record.answer_time, before.answer_time);
  EXPECT_EQ(record.end_time, bed_.now());
  EXPECT_TRUE(record.media_unknown);
  // Its session is nobody's: a relay ends it after a while.
  bed_.fleet().DeleteSession(before.call_id, [](const auto&) {});
}

class AgentStandingTrunkTest : public AgentStandingTest {
 protected:
  static constexpr absl::string_view kCarrier = "198.18.3.1:5061";

  // 0… goes to the carrier, by TLS.
  AgentStandingTrunkTest()
      : AgentStandingTest([](AgentOptions& options) {
          routing::Trunk carrier = MakeTrunk("carrier", kCarrier);
          carrier.peers[0].protocol = sip::Protocol::kTls;
          carrier.domain = "carrier.example";
          carrier.has_own_tls = true;
          carrier.username = "user";
          carrier.password = "trunk-secret";
          carrier.realm = std::string(kPhoneRealm);
          const auto trunk = std::make_shared<const routing::Trunk>(carrier);
          std::vector<routing::Route> routes;
          routes.push_back({.name = "out", .number = *routing::NumberPattern::Parse("0*"), .trunks = {{trunk, 1, 1}}});
          options.present.plan = std::make_shared<const routing::Plan>(
              std::vector<std::shared_ptr<const routing::Trunk>>{trunk}, std::move(routes));
        }) {}

  Phone carrier_ = bed_.NewPhone("491", kCarrier, kCarrier);
};

TEST_F(AgentStandingTrunkTest, KnowTheirTrunkAsTheConfigHasItNow) {
  invite_ = a_.SendAuthorized(a_.NewInvite("030123"));
  EXPECT_EQ(a_.Receive().status(), 100);
  carrier_.Send(carrier_.Answer(carrier_.Receive(), 200));
  EXPECT_EQ(carrier_.Receive().method(), sip::Method::kAck);
  answered_ = a_.Receive();
  a_.Send(a_.AckOf(invite_, answered_));
  bed_.Pass(absl::Seconds(1));
  EXPECT_TRUE(bed_.Restart().empty());
  EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::TrunkKey("carrier")).calls, 1u);

  a_.Send(a_.InDialog("INFO", invite_, answered_));
  const transport::TlsPeer peer = bed_.network().TlsPeerOf(bed_.network().latest_hop().tls_peer);
  EXPECT_EQ(peer.name, "carrier.example") << "whose certificate is wanted there";
  EXPECT_EQ(peer.trunk, "carrier") << "whose own is shown";
  sip::Message challenge = carrier_.Answer(carrier_.Receive(), 407);
  challenge.Add(sip::Header::kProxyAuthenticate, absl::StrCat("Digest realm=\"", kPhoneRealm, "\", nonce=\"n1\""));
  carrier_.Send(challenge);
  const sip::Message again = carrier_.Receive();
  EXPECT_TRUE(absl::StrContains(again.Get(sip::Header::kProxyAuthorization), "username=\"user\""));
  carrier_.Send(carrier_.Answer(again, 200));
  EXPECT_EQ(a_.Receive().status(), 200);
  sip::Message bye = a_.InDialog("BYE", invite_, answered_);
  bye.Set(sip::Header::kCSeq, "9 BYE");
  a_.Send(bye);
  EXPECT_EQ(a_.Receive().status(), 200);
  AnswerBye(carrier_);
  EXPECT_EQ(OnlyRecord().callee.account, "carrier");
  EXPECT_EQ(bed_.limiter().UsageOf(CallLimiter::TrunkKey("carrier")).calls, 0u);
}

class AgentWithoutStandingTest : public AgentStandingTest {
 protected:
  AgentWithoutStandingTest() : AgentStandingTest([](AgentOptions& options) { options.keeps_calls = false; }) {}
};

TEST_F(AgentWithoutStandingTest, EndsItsCallsWhenItStops) {
  Stand();
  bed_.agent().Drain(bed_.now());
  bed_.RunPosted();
  EXPECT_FALSE(bed_.agent().idle());
  AnswerBye(a_);
  AnswerBye(b_);
  EXPECT_TRUE(bed_.agent().idle());
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kController);
}

}  // namespace
}  // namespace sluice::agent
