// What the record of a call says of its legs: who was tried, and how each of them went.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "signaling/agent/agent_test_bed.h"
#include "signaling/routing/plan.h"
#include "signaling/store/sqlite_store.h"
#include "sluice/state/v1/standing_call.pb.h"

namespace sluice::agent {
namespace {

using ::testing::ElementsAre;

constexpr absl::string_view kCarrier = "198.18.3.1:5060";
constexpr absl::string_view kOther = "198.18.3.2:5060";
constexpr absl::Time kNever = absl::InfinitePast();

std::string File() {
  return absl::StrCat(testing::TempDir(), "/", testing::UnitTest::GetInstance()->current_test_info()->name(), ".db");
}

std::string FreshFile() {
  std::remove(File().c_str());
  return File();
}

// "callee 030123 carrier udp:198.18.3.1:5060 503/41 by callee".
std::vector<std::string> Told(const std::vector<store::LegRecord>& legs) {
  std::vector<std::string> told;
  for (const store::LegRecord& leg : legs) {
    told.push_back(absl::StrCat(store::CallSideName(leg.side), " ", leg.number, " ", leg.account, " ", leg.peer, " ",
                                leg.sip_status, "/", leg.q850_cause, " by ", store::EndedByName(leg.ended_by)));
  }
  return told;
}

class AgentLegsTest : public testing::Test {
 protected:
  AgentLegsTest() : bed_([](AgentOptions&) {}, FreshFile()) {
    for (const char* number : {"20002230001", "20002230000", "20002230009"}) bed_.AddAccount(number, "secret");
    PresentOptions present;
    call::CallOptions calls = {.domain = "198.18.1.1"};
    calls.follows_redirections = true;
    present.calls = std::make_shared<const call::CallOptions>(calls);
    const auto carrier = std::make_shared<const routing::Trunk>(MakeTrunk("carrier", kCarrier));
    const auto other = std::make_shared<const routing::Trunk>(MakeTrunk("other", kOther));
    std::vector<routing::Route> routes;
    routes.push_back({.name = "out",
                      .number = *routing::NumberPattern::Parse("0*"),
                      .trunks = {{carrier, 1, 1}, {other, 2, 1}},
                      .called = {1, "+49"}});
    present.plan = std::make_shared<const routing::Plan>(
        std::vector<std::shared_ptr<const routing::Trunk>>{carrier, other}, std::move(routes));
    bed_.agent().SetPresentOptions(present, bed_.now());
    without_trunks_.calls = present.calls;
  }
  ~AgentLegsTest() override {
    // Nobody asks any more whether silent servers are back.
    bed_.agent().SetPresentOptions(without_trunks_, bed_.now());
    EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains());
  }

  void Call(absl::string_view number) {
    invite_ = a_.SendAuthorized(a_.NewInvite(number));
    EXPECT_EQ(a_.Receive().status(), 100);
  }
  // The INVITE that has come to `phone`, answered with `status`.
  sip::Message AnswerAt(Phone& phone, uint16_t status) {
    sip::Message invite = phone.Receive();
    EXPECT_EQ(invite.method(), sip::Method::kInvite);
    Answer(phone, invite, status);
    return invite;
  }
  void Answer(Phone& phone, const sip::Message& invite, uint16_t status) {
    const sip::Message answer = phone.Answer(invite, status);
    phone.Send(answer);
    if (status < 200) return;
    EXPECT_EQ(phone.Receive().method(), sip::Method::kAck);
    if (status >= 300) return;
    offered_ = invite;
    answer_ = answer;
  }
  // A's final response, which it acknowledges.
  void Conclude(uint16_t status) {
    answered_ = a_.Receive();
    EXPECT_EQ(answered_.status(), status);
    a_.Send(a_.AckOf(invite_, answered_));
  }
  void HangUpByA(Phone& other) {
    a_.Send(a_.InDialog("BYE", invite_, answered_));
    EXPECT_EQ(a_.Receive().status(), 200);
    AnswerBye(other);
  }
  static void AnswerBye(Phone& phone) {
    const sip::Message bye = phone.Receive();
    EXPECT_EQ(bye.method(), sip::Method::kBye);
    phone.Send(phone.Answer(bye, 200));
  }
  static void AnswerCancel(Phone& phone, const sip::Message& invite) {
    const sip::Message cancel = phone.Receive();
    EXPECT_EQ(cancel.method(), sip::Method::kCancel);
    phone.Send(phone.Answer(cancel, 200));
    phone.Send(phone.Answer(invite, 487));
    EXPECT_EQ(phone.Receive().method(), sip::Method::kAck);
  }
  std::vector<store::LegRecord> Legs() {
    const auto records = bed_.Records();
    EXPECT_EQ(records.size(), 1u);
    return records.empty() ? std::vector<store::LegRecord>() : records[0].legs;
  }

  AgentTestBed bed_;
  PresentOptions without_trunks_;
  Phone a_ = bed_.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  Phone b_ = bed_.NewPhone("20002230000", "198.18.2.9:43518", "198.18.2.9:43518");
  Phone b2_ = bed_.NewPhone("20002230000", "198.18.2.8:43518", "198.18.2.8:43518");
  Phone c_ = bed_.NewPhone("20002230009", "198.18.1.3:5060", "198.18.1.3:5060");
  Phone carrier_ = bed_.NewPhone("491", kCarrier, kCarrier);
  Phone other_ = bed_.NewPhone("492", kOther, kOther);
  sip::Message invite_;
  sip::Message offered_;
  sip::Message answer_;
  sip::Message answered_;
};

TEST_F(AgentLegsTest, OfAPlainCallAreTheTwoThatTalked) {
  EXPECT_EQ(b_.Register().status(), 200);
  bed_.Pass(absl::Milliseconds(500));
  const absl::Time start = bed_.now();
  Call("20002230000");
  const sip::Message at_b = AnswerAt(b_, 180);
  EXPECT_EQ(a_.Receive().status(), 180);
  bed_.Pass(absl::Milliseconds(1500));
  Answer(b_, at_b, 200);
  Conclude(200);
  bed_.Pass(absl::Milliseconds(250));
  HangUpByA(b_);
  const auto legs = Legs();
  EXPECT_THAT(Told(legs), ElementsAre("caller 20002230001 20002230001 udp:198.18.1.2:45426 200/16 by caller",
                                      "callee 20002230000 20002230000 udp:198.18.2.9:43518 200/16 by caller"));
  EXPECT_EQ(legs[0].leg, 1u);
  EXPECT_EQ(legs[1].leg, 2u);
  EXPECT_EQ(legs[0].sip_call_id, invite_.CallId());
  EXPECT_EQ(legs[1].sip_call_id, at_b.CallId());
  EXPECT_EQ(legs[1].user_agent, answer_.Get(sip::Header::kUserAgent));
  for (const store::LegRecord& leg : legs) {
    EXPECT_EQ(leg.start_time, start);
    EXPECT_EQ(leg.ring_time, start);
    EXPECT_EQ(leg.answer_time, start + absl::Milliseconds(1500));
    EXPECT_EQ(leg.end_time, start + absl::Milliseconds(1750));
  }
}

TEST_F(AgentLegsTest, ThatLostAForkSaySo) {
  EXPECT_EQ(b_.Register().status(), 200);
  EXPECT_EQ(b2_.Register().status(), 200);
  Call("20002230000");
  const sip::Message at_b = AnswerAt(b_, 180);
  EXPECT_EQ(a_.Receive().status(), 180);
  const sip::Message at_b2 = AnswerAt(b2_, 180);
  EXPECT_EQ(a_.Receive().status(), 180);
  bed_.Pass(absl::Milliseconds(200));
  Answer(b_, at_b, 200);
  const absl::Time lost = bed_.now();
  AnswerCancel(b2_, at_b2);
  Conclude(200);
  bed_.Pass(absl::Milliseconds(100));
  HangUpByA(b_);
  const auto legs = Legs();
  EXPECT_THAT(Told(legs), testing::UnorderedElementsAre(
                              "caller 20002230001 20002230001 udp:198.18.1.2:45426 200/16 by caller",
                              "callee 20002230000 20002230000 udp:198.18.2.9:43518 200/16 by caller",
                              "callee 20002230000 20002230000 udp:198.18.2.8:43518 487/26 by controller"));
  for (const store::LegRecord& leg : legs) {
    EXPECT_NE(leg.ring_time, kNever);
    const bool has_lost = leg.sip_status == 487;
    EXPECT_EQ(leg.end_time, has_lost ? lost : bed_.now());
    EXPECT_EQ(leg.answer_time, has_lost ? kNever : lost);
  }
}

TEST_F(AgentLegsTest, ThatAnswerWhatWasCancelledAreAnsweredAndEndAtOnce) {
  EXPECT_EQ(b_.Register().status(), 200);
  EXPECT_EQ(b2_.Register().status(), 200);
  Call("20002230000");
  const sip::Message at_b = AnswerAt(b_, 180);
  a_.Receive();
  const sip::Message at_b2 = AnswerAt(b2_, 180);
  a_.Receive();
  Answer(b_, at_b, 200);
  const sip::Message cancel = b2_.Receive();
  EXPECT_EQ(cancel.method(), sip::Method::kCancel);
  bed_.Pass(absl::Milliseconds(20));
  const absl::Time crossed = bed_.now();
  b2_.Send(b2_.Answer(at_b2, 200));
  EXPECT_EQ(b2_.Receive().method(), sip::Method::kAck);
  AnswerBye(b2_);
  Conclude(200);
  bed_.Pass(absl::Milliseconds(100));
  HangUpByA(b_);
  const auto legs = Legs();
  ASSERT_EQ(legs.size(), 3u);
  const store::LegRecord& leg = legs[1].peer == "udp:198.18.2.8:43518" ? legs[1] : legs[2];
  EXPECT_EQ(Told({leg}).front(), "callee 20002230000 20002230000 udp:198.18.2.8:43518 200/26 by controller");
  EXPECT_EQ(leg.answer_time, crossed);
  EXPECT_EQ(leg.end_time, crossed);
}

TEST_F(AgentLegsTest, NameEveryServerThatWasTried) {
  Call("030123");
  AnswerAt(carrier_, 503);
  bed_.Pass(absl::Milliseconds(1));
  const sip::Message at_other = other_.Receive();
  Answer(other_, at_other, 183);
  EXPECT_EQ(a_.Receive().status(), 183);
  Answer(other_, at_other, 200);
  Conclude(200);
  other_.Send(other_.InDialogOfCallee("BYE", offered_, answer_));
  EXPECT_EQ(other_.Receive().status(), 200);
  AnswerBye(a_);
  const auto legs = Legs();
  EXPECT_THAT(Told(legs), ElementsAre("caller 20002230001 20002230001 udp:198.18.1.2:45426 200/16 by callee",
                                      "callee 030123 carrier udp:198.18.3.1:5060 503/41 by callee",
                                      "callee 030123 other udp:198.18.3.2:5060 200/16 by callee"));
  EXPECT_EQ(legs[1].ring_time, kNever);
  EXPECT_NE(legs[1].end_time, kNever);
  EXPECT_NE(legs[2].ring_time, kNever);
}

TEST_F(AgentLegsTest, ToServersThatAreSilentHaveNoStatus) {
  Call("030123");
  const absl::Time start = bed_.now();
  bed_.Pass(absl::Seconds(4));
  while (bed_.Take(carrier_.hop()).has_value()) {
  }
  AnswerAt(other_, 486);
  Conclude(486);
  const auto legs = Legs();
  EXPECT_THAT(Told(legs), ElementsAre("caller 20002230001 20002230001 udp:198.18.1.2:45426 486/17 by callee",
                                      "callee 030123 carrier udp:198.18.3.1:5060 0/102 by controller",
                                      "callee 030123 other udp:198.18.3.2:5060 486/17 by callee"));
  EXPECT_EQ(legs[1].start_time, start);
  EXPECT_EQ(legs[1].end_time, start + absl::Seconds(4));
}

TEST_F(AgentLegsTest, ThatNoConnectionTookHaveNoStatus) {
  Call("030123");
  bed_.agent().OnUndelivered(carrier_.Receive().Serialize(), bed_.now());
  AnswerAt(other_, 486);
  Conclude(486);
  EXPECT_THAT(Told(Legs()), ElementsAre("caller 20002230001 20002230001 udp:198.18.1.2:45426 486/17 by callee",
                                        "callee 030123 carrier udp:198.18.3.1:5060 0/41 by controller",
                                        "callee 030123 other udp:198.18.3.2:5060 486/17 by callee"));
}

TEST_F(AgentLegsTest, OfACancelledCallAreEndedByItsCaller) {
  EXPECT_EQ(b_.Register().status(), 200);
  Call("20002230000");
  const sip::Message at_b = AnswerAt(b_, 180);
  EXPECT_EQ(a_.Receive().status(), 180);
  bed_.Pass(absl::Seconds(3));
  sip::Message cancel = sip::Message::Request("CANCEL", invite_.request_uri());
  for (const sip::Header header : {sip::Header::kVia, sip::Header::kFrom, sip::Header::kTo, sip::Header::kCallId}) {
    cancel.Add(header, invite_.Get(header));
  }
  cancel.Add(sip::Header::kCSeq, absl::StrCat(invite_.CSeqNumber(), " CANCEL"));
  a_.Send(cancel);
  EXPECT_EQ(a_.Receive().status(), 200);
  Conclude(487);
  AnswerCancel(b_, at_b);
  const auto legs = Legs();
  EXPECT_THAT(Told(legs), ElementsAre("caller 20002230001 20002230001 udp:198.18.1.2:45426 487/16 by caller",
                                      "callee 20002230000 20002230000 udp:198.18.2.9:43518 487/16 by caller"));
  for (const store::LegRecord& leg : legs) {
    EXPECT_EQ(leg.answer_time, kNever);
    EXPECT_EQ(leg.end_time - leg.ring_time, absl::Seconds(3));
  }
}

TEST_F(AgentLegsTest, FollowARedirection) {
  EXPECT_EQ(b_.Register().status(), 200);
  Call("20002230000");
  const sip::Message at_b = b_.Receive();
  sip::Message moved = b_.Answer(at_b, 302);
  moved.Set(sip::Header::kContact, "<sip:030123@198.18.1.1>");
  b_.Send(moved);
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  AnswerAt(carrier_, 200);
  Conclude(200);
  bed_.Pass(absl::Seconds(1));
  HangUpByA(carrier_);
  EXPECT_THAT(Told(Legs()), ElementsAre("caller 20002230001 20002230001 udp:198.18.1.2:45426 200/16 by caller",
                                        "callee 20002230000 20002230000 udp:198.18.2.9:43518 302/31 by callee",
                                        "callee 030123 carrier udp:198.18.3.1:5060 200/16 by caller"));
}

TEST_F(AgentLegsTest, FollowATransferAlsoBeyondARestart) {
  EXPECT_EQ(b_.Register().status(), 200);
  EXPECT_EQ(c_.Register().status(), 200);
  Call("20002230000");
  AnswerAt(b_, 200);
  Conclude(200);
  bed_.Pass(absl::Seconds(1));
  // A is let go, C talks with B in its place.
  sip::Message refer = a_.InDialog("REFER", invite_, answered_);
  refer.Add(sip::Header::kReferTo, "<sip:20002230009@198.18.1.1>");
  refer.Add("Refer-Sub", "false");
  a_.Send(refer);
  EXPECT_EQ(a_.Receive().status(), 202);
  const sip::Message at_c = c_.Receive();
  const sip::Message answer_of_c = c_.Answer(at_c, 200);
  c_.Send(answer_of_c);
  const sip::Message at_b = b_.Receive();
  EXPECT_EQ(at_b.method(), sip::Method::kInvite);
  b_.Send(b_.Answer(at_b, 200));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  EXPECT_EQ(c_.Receive().method(), sip::Method::kAck);
  const absl::Time joined = bed_.now();
  AnswerBye(a_);
  bed_.Pass(absl::Seconds(2));
  const auto standing = bed_.agent().GetCall(bed_.Calls().at(0).call_id, false)->legs;
  const std::vector<std::string> before = {"caller 20002230001 20002230001 udp:198.18.1.2:45426 200/16 by controller",
                                           "callee 20002230000 20002230000 udp:198.18.2.9:43518 200/0 by unknown",
                                           "caller 20002230009 20002230009 udp:198.18.1.3:5060 200/0 by unknown"};
  EXPECT_EQ(Told(standing), before);
  EXPECT_TRUE(bed_.Restart().empty());
  EXPECT_EQ(Told(bed_.agent().GetCall(bed_.Calls().at(0).call_id, false)->legs), before);
  bed_.Pass(absl::Seconds(2));
  EXPECT_TRUE(bed_.Restart().empty()) << "what was restored is kept again";
  c_.Send(c_.InDialogOfCallee("BYE", at_c, answer_of_c));
  EXPECT_EQ(c_.Receive().status(), 200);
  AnswerBye(b_);
  const auto legs = Legs();
  EXPECT_THAT(Told(legs), ElementsAre("caller 20002230001 20002230001 udp:198.18.1.2:45426 200/16 by controller",
                                      "callee 20002230000 20002230000 udp:198.18.2.9:43518 200/16 by caller",
                                      "caller 20002230009 20002230009 udp:198.18.1.3:5060 200/16 by caller"));
  EXPECT_EQ(legs[0].end_time, joined);
  EXPECT_EQ(legs[1].end_time, bed_.now());
  EXPECT_EQ(legs[1].answer_time, standing[1].answer_time);
  EXPECT_EQ(legs[2].start_time, standing[2].start_time);
  EXPECT_EQ(legs[2].sip_call_id, at_c.CallId());
}

TEST_F(AgentLegsTest, OfACallThatWasKeptWithoutThemAreWhatElseIsKnown) {
  EXPECT_EQ(b_.Register().status(), 200);
  Call("20002230000");
  AnswerAt(b_, 200);
  Conclude(200);
  bed_.Pass(absl::Seconds(1));
  const absl::Time start = bed_.now() - absl::Seconds(1);
  EXPECT_TRUE(bed_.store().Flush(absl::Seconds(10)).ok());
  const std::vector<store::StandingCall> kept = (*store::OpenSqliteStore({.file = File()}))->TakeStandingCalls();
  ASSERT_EQ(kept.size(), 1u);
  state::v1::StandingCall state;
  ASSERT_TRUE(state.ParseFromString(kept[0].state));
  EXPECT_EQ(state.legs_size(), 1);
  state.clear_legs();
  bed_.store().KeepCall(kept[0].call_id, state.SerializeAsString());
  EXPECT_TRUE(bed_.Restart().empty());
  HangUpByA(b_);
  const auto legs = Legs();
  EXPECT_THAT(Told(legs), ElementsAre("caller 20002230001 20002230001 udp:198.18.1.2:45426 200/16 by caller",
                                      "callee 20002230000 20002230000 udp:198.18.2.9:43518 200/16 by caller"));
  EXPECT_EQ(legs[1].start_time, start);
  EXPECT_EQ(legs[1].answer_time, start);
  EXPECT_EQ(legs[1].end_time, bed_.now());
  EXPECT_EQ(legs[1].sip_call_id, offered_.CallId());
}

TEST_F(AgentLegsTest, OfACallThatCannotGoOnAreRecordedWithIt) {
  Call("030123");
  AnswerAt(carrier_, 503);
  AnswerAt(other_, 200);
  Conclude(200);
  bed_.Pass(absl::Seconds(1));
  const std::string call_id = bed_.Calls().at(0).call_id;
  bed_.options().keeps_calls = false;
  EXPECT_EQ(bed_.Restart().size(), 1u);
  EXPECT_THAT(Told(Legs()), ElementsAre("caller 20002230001 20002230001 udp:198.18.1.2:45426 200/41 by controller",
                                        "callee 030123 carrier udp:198.18.3.1:5060 503/41 by callee",
                                        "callee 030123 other udp:198.18.3.2:5060 200/41 by controller"));
  // Its session is nobody's: a relay ends it after a while.
  bed_.fleet().DeleteSession(call_id, [](const auto&) {});
}

TEST_F(AgentLegsTest, OfARefusedCallAreItsCallersOnly) {
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("20002230000"));
  const sip::Message refusal = a_.Receive();
  a_.Send(a_.AckOf(invite, refusal));
  EXPECT_THAT(Told(Legs()), ElementsAre("caller 20002230001 20002230001 udp:198.18.1.2:45426 480/18 by controller"));
}

}  // namespace
}  // namespace sluice::agent
