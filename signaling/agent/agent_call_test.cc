// Calls through the agent, phone to phone, in bytes: A at its own address, B behind NAT.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "signaling/agent/agent_test_bed.h"

namespace sluice::agent {
namespace {

using Operation = fleet::FakeFleet::Operation;

class AgentCallTest : public testing::Test {
 protected:
  AgentCallTest() {
    bed_.AddAccount("20002230001", "secret", "测试APP2", true);
    bed_.AddAccount("20002230000", "secret");
    EXPECT_EQ(b_.Register().status(), 200);
  }
  // However a call ends, nothing of it stays.
  ~AgentCallTest() override { EXPECT_EQ(bed_.RemainsAfterAll(), Agent::Remains()); }

  // A calls, and B has its INVITE.
  void Ring() {
    invite_ = a_.SendAuthorized(a_.NewInvite("20002230000"));
    EXPECT_EQ(a_.Receive().status(), 100);
    offered_ = b_.Receive();
    EXPECT_EQ(offered_.method(), sip::Method::kInvite);
    b_.Send(b_.Answer(offered_, 100));
    b_.Send(b_.Answer(offered_, 180));
    EXPECT_EQ(a_.Receive().status(), 180);
  }

  void Establish() {
    Ring();
    answer_ = b_.Answer(offered_, 200);
    b_.Send(answer_);
    ack_ = b_.Receive();
    EXPECT_EQ(ack_.method(), sip::Method::kAck);
    answered_ = a_.Receive();
    EXPECT_EQ(answered_.status(), 200);
    a_.Send(a_.AckOf(invite_, answered_));
  }

  void HangUpByCaller() {
    a_.Send(a_.InDialog("BYE", invite_, answered_));
    EXPECT_EQ(a_.Receive().status(), 200);
    const sip::Message bye = b_.Receive();
    EXPECT_EQ(bye.method(), sip::Method::kBye);
    b_.Send(b_.Answer(bye, 200));
  }

  // B says no: A hears it.
  void Decline(uint16_t status) {
    Ring();
    const sip::Message refusal = b_.Answer(offered_, status);
    b_.Send(refusal);
    EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
    const sip::Message response = a_.Receive();
    EXPECT_EQ(response.status(), status);
    a_.Send(a_.AckOf(invite_, response));
  }

  // Both phones are told that it is over, and agree.
  void BothGetBye() {
    for (Phone* phone : {&a_, &b_}) {
      const sip::Message bye = phone->Receive();
      EXPECT_EQ(bye.method(), sip::Method::kBye);
      phone->Send(phone->Answer(bye, 200));
    }
  }

  std::string CallId() {
    const auto calls = bed_.Calls();
    EXPECT_EQ(calls.size(), 1u);
    return calls.empty() ? "" : calls[0].call_id;
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
  sip::Message ack_;
  sip::Message answered_;
};

TEST_F(AgentCallTest, CarriesTheSeventeenMessagesOfTheSeedCall) {
  Establish();
  const std::string call_id = CallId();
  HangUpByCaller();
  const auto details = bed_.agent().GetCall(call_id, true);
  ASSERT_TRUE(details.ok());
  std::vector<std::string> ladder;
  for (const LadderEntry& entry : details->ladder) {
    const std::string first = entry.first_line.substr(0, entry.first_line.find(" sip:"));
    ladder.push_back(
        absl::StrCat(entry.peer == LadderPeer::kCaller ? "A" : "B", entry.received ? " > " : " < ", first));
  }
  const std::vector<std::string> expected = {"A > INVITE",
                                             "A < SIP/2.0 407 Proxy Authentication Required",
                                             "A > ACK",
                                             "A > INVITE",
                                             "A < SIP/2.0 100 Trying",
                                             "B < INVITE",
                                             "B > SIP/2.0 100 Trying",
                                             "B > SIP/2.0 180 Ringing",
                                             "A < SIP/2.0 180 Ringing",
                                             "B > SIP/2.0 200 OK",
                                             "B < ACK",
                                             "A < SIP/2.0 200 OK",
                                             "A > ACK",
                                             "A > BYE",
                                             "A < SIP/2.0 200 OK",
                                             "B < BYE",
                                             "B > SIP/2.0 200 OK"};
  EXPECT_EQ(ladder, expected);
  EXPECT_TRUE(absl::StartsWith(details->ladder[5].message, "INVITE sip:20002230000@192.168.2.63:43518"));
}

TEST_F(AgentCallTest, CarriesReliableRingingOnEachLegForItself) {
  sip::Message wanted = a_.NewInvite("20002230000");
  wanted.Add(sip::Header::kRequire, "100rel");
  invite_ = a_.SendAuthorized(wanted);
  EXPECT_EQ(a_.Receive().status(), 100);
  offered_ = b_.Receive();
  sip::Message ringing = b_.Answer(offered_, 180);
  ringing.Add(sip::Header::kRequire, "100rel");
  ringing.Add(sip::Header::kRSeq, "70");
  b_.Send(ringing);
  const sip::Message prack = b_.Receive();
  EXPECT_EQ(prack.RAck()->rseq, 70u);
  b_.Send(b_.Answer(prack, 200));
  const sip::Message at_a = a_.Receive();
  ASSERT_TRUE(at_a.RSeq().has_value());
  bed_.Pass(absl::Milliseconds(600));
  EXPECT_EQ(a_.Receive().Serialize(), at_a.Serialize()) << "it is sent again until A's PRACK";
  sip::Message acknowledged = a_.InDialog("PRACK", invite_, at_a);
  acknowledged.Add(sip::Header::kRAck, absl::StrCat(*at_a.RSeq(), " ", invite_.Get(sip::Header::kCSeq)));
  a_.Send(acknowledged);
  EXPECT_EQ(a_.Receive().status(), 200);
  bed_.agent().Drain(bed_.now());
  EXPECT_EQ(a_.Receive().status(), 480);
  EXPECT_EQ(b_.Receive().method(), sip::Method::kCancel);
  b_.Send(b_.Answer(offered_, 487));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
}

TEST_F(AgentCallTest, ReachesAPhoneBehindNatByItsContactWhereItsPacketsComeFrom) {
  Establish();
  EXPECT_EQ(offered_.request_uri(), "sip:20002230000@192.168.2.63:43518");
  EXPECT_EQ(ack_.request_uri(), "sip:20002230000@192.168.2.63:43518");
  a_.Send(a_.InDialog("BYE", invite_, answered_));
  a_.Receive();
  const sip::Message bye = b_.Receive();
  EXPECT_EQ(bye.request_uri(), "sip:20002230000@192.168.2.63:43518");
  b_.Send(b_.Answer(bye, 200));
}

TEST_F(AgentCallTest, KeepsTheLegsApartAndPassesOnWhatItDoesNotKnow) {
  Establish();
  EXPECT_NE(offered_.CallId(), invite_.CallId());
  EXPECT_NE(offered_.FromTag(), invite_.FromTag());
  EXPECT_EQ(offered_.Get("Service1-Extension"), "V1.0");
  EXPECT_FALSE(offered_.Has(sip::Header::kProxyAuthorization));
  EXPECT_EQ(offered_.From()->display_name, "测试APP2");
  EXPECT_EQ(offered_.MaxForwards(), 69u);
  EXPECT_EQ(offered_.Contact()->uri.host(), "198.18.1.1");
  EXPECT_TRUE(absl::StrContains(offered_.body(), "a=fmtp:126 profile-level-id=42e00b;cif=1;fps=10"));
  EXPECT_EQ(answered_.Get("Service1-Extension"), "V1.0");
  EXPECT_EQ(answered_.Contact()->uri.host(), "198.18.1.1");
  HangUpByCaller();
}

TEST_F(AgentCallTest, PutsTheRelaysAddressesIntoBothDescriptions) {
  Establish();
  // The fake relay counts ports up: A's and B's side of audio, then of video.
  EXPECT_TRUE(absl::StrContains(offered_.body(), "c=IN IP4 198.18.1.1"));
  EXPECT_TRUE(absl::StrContains(offered_.body(), "m=audio 20002 RTP/AVP 114 101"));
  EXPECT_TRUE(absl::StrContains(offered_.body(), "m=video 20006 RTP/AVP 126"));
  EXPECT_TRUE(absl::StrContains(answered_.body(), "m=audio 20000 RTP/AVP 114 101"));
  EXPECT_TRUE(absl::StrContains(answered_.body(), "m=video 20004 RTP/AVP 126"));
  EXPECT_FALSE(absl::StrContains(offered_.body(), "198.18.1.2"));
  EXPECT_FALSE(absl::StrContains(answered_.body(), "192.168.2.63"));
  HangUpByCaller();
}

TEST_F(AgentCallTest, TellsTheRelayWhoseMediaToTake) {
  Establish();
  const auto sessions = bed_.fleet().Sessions();
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_EQ(sessions.begin()->first, CallId());
  const relay::v1::Session& session = sessions.begin()->second;
  EXPECT_EQ(session.label(), invite_.CallId());
  ASSERT_EQ(session.streams_size(), 2);
  const relay::v1::Leg& a = session.streams(0).legs(0);
  EXPECT_EQ(a.remote().address(), "198.18.1.2");
  EXPECT_EQ(a.remote().port(), 21000u);
  EXPECT_EQ(a.source_policy().mode(), relay::v1::SOURCE_POLICY_MODE_SAME_ADDRESS);
  const relay::v1::Leg& b = session.streams(1).legs(1);
  EXPECT_EQ(b.remote().address(), "192.168.2.63");
  EXPECT_EQ(b.remote().port(), 21070u);
  EXPECT_EQ(b.source_policy().mode(), relay::v1::SOURCE_POLICY_MODE_PREFIX);
  ASSERT_EQ(b.source_policy().prefixes_size(), 1);
  EXPECT_EQ(b.source_policy().prefixes(0), "198.18.2.9/32");
  HangUpByCaller();
}

TEST_F(AgentCallTest, RecordsTheCallWithTheQualityOfBothDirections) {
  Establish();
  const std::string call_id = CallId();
  relay::v1::StreamStatistics from_a;
  from_a.set_packets(100);
  from_a.set_lost(3);
  from_a.mutable_quality()->set_mos(4.2);
  bed_.fleet().SetReceived(call_id, 0, 0, from_a);
  relay::v1::StreamStatistics from_b;
  from_b.set_packets(90);
  from_b.set_jitter_ms(1.5);
  bed_.fleet().SetReceived(call_id, 0, 1, from_b);
  bed_.Pass(absl::Seconds(10));
  HangUpByCaller();

  const store::CallRecord record = OnlyRecord();
  EXPECT_EQ(record.call_id, call_id);
  EXPECT_EQ(record.caller.number, "20002230001");
  EXPECT_EQ(record.caller.display_name, "测试APP2");
  EXPECT_EQ(record.caller.peer, "udp:198.18.1.2:45426");
  EXPECT_EQ(record.caller.sip_call_id, invite_.CallId());
  EXPECT_EQ(record.callee.number, "20002230000");
  EXPECT_EQ(record.callee.peer, "udp:198.18.2.9:50518");
  EXPECT_EQ(record.callee.sip_call_id, offered_.CallId());
  EXPECT_EQ(record.callee.user_agent, "Zed-3-PDA");
  EXPECT_EQ(record.relay, "relay-1");
  EXPECT_EQ(record.sip_status, 200u);
  EXPECT_EQ(record.ended_by, store::EndedBy::kCaller);
  EXPECT_EQ(record.end_time - record.answer_time, absl::Seconds(10));
  EXPECT_FALSE(record.media_unknown);
  ASSERT_EQ(record.streams.size(), 2u);
  EXPECT_EQ(record.streams[0].media, "audio");
  EXPECT_EQ(record.streams[0].codec, "AMR");
  EXPECT_EQ(record.streams[0].from_caller.packets, 100u);
  EXPECT_EQ(record.streams[0].from_caller.lost, 3u);
  EXPECT_DOUBLE_EQ(record.streams[0].from_caller.mos, 4.2);
  EXPECT_EQ(record.streams[0].from_callee.packets, 90u);
  EXPECT_DOUBLE_EQ(record.streams[0].from_callee.jitter_ms, 1.5);
  EXPECT_EQ(record.streams[1].media, "video");
}

TEST_F(AgentCallTest, RecordsThatTheQualityIsUnknownWhenTheRelayDoesNotAnswer) {
  Establish();
  bed_.fleet().FailNext(Operation::kDelete, absl::UnavailableError("relay-1 is down"));
  HangUpByCaller();
  EXPECT_TRUE(OnlyRecord().media_unknown);
}

TEST_F(AgentCallTest, WritesTheRecordOnlyWhenTheRelayHasAnswered) {
  Establish();
  bed_.fleet().HoldAnswers(true);
  HangUpByCaller();
  EXPECT_TRUE(bed_.Records().empty());
  EXPECT_FALSE(bed_.agent().idle());
  bed_.fleet().HoldAnswers(false);
  bed_.RunPosted();
  EXPECT_FALSE(OnlyRecord().media_unknown);
  EXPECT_TRUE(bed_.agent().idle());
}

TEST_F(AgentCallTest, EndsTheCallersLegWhenTheCalleeHangsUp) {
  Establish();
  b_.Send(b_.InDialogOfCallee("BYE", offered_, answer_));
  EXPECT_EQ(b_.Receive().status(), 200);
  const sip::Message bye = a_.Receive();
  EXPECT_EQ(bye.method(), sip::Method::kBye);
  EXPECT_EQ(bye.CallId(), invite_.CallId());
  a_.Send(a_.Answer(bye, 200));
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kCallee);
}

TEST_F(AgentCallTest, CountsTheCallAsOverWhenOneSideHangsUpThoughTheOtherIsGone) {
  Establish();
  bed_.Pass(absl::Seconds(10));
  a_.Send(a_.InDialog("BYE", invite_, answered_));
  bed_.Pass(absl::Minutes(1));
  const store::CallRecord record = OnlyRecord();
  EXPECT_EQ(record.end_time - record.answer_time, absl::Seconds(10));
}

TEST_F(AgentCallTest, SendsAnAnswerNoMoreOnceItsDialogHasEnded) {
  Ring();
  b_.Send(b_.Answer(offered_, 200));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  answered_ = a_.Receive();
  // A's ACK is lost.
  HangUpByCaller();
  bed_.Pass(absl::Seconds(40));
  EXPECT_FALSE(bed_.network().Has(a_.hop().remote));
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kCaller);
}

TEST_F(AgentCallTest, CarriesBusyAcross) {
  Decline(486);
  EXPECT_EQ(OnlyRecord().sip_status, 486u);
  EXPECT_EQ(bed_.Statistics().refused_calls.at(486), 1u);
}

TEST_F(AgentCallTest, CarriesDeclinedAcross) {
  Decline(603);
  EXPECT_EQ(OnlyRecord().sip_status, 603u);
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kCallee);
}

TEST_F(AgentCallTest, CarriesCancelAcross) {
  Ring();
  sip::Message cancel = sip::Message::Request("CANCEL", invite_.request_uri());
  for (const sip::Header header : {sip::Header::kVia, sip::Header::kFrom, sip::Header::kTo, sip::Header::kCallId}) {
    cancel.Add(header, invite_.Get(header));
  }
  cancel.Add(sip::Header::kCSeq, absl::StrCat(invite_.CSeqNumber(), " CANCEL"));
  a_.Send(cancel);
  EXPECT_EQ(a_.Receive().status(), 200);
  const sip::Message terminated = a_.Receive();
  EXPECT_EQ(terminated.status(), 487);
  a_.Send(a_.AckOf(invite_, terminated));
  const sip::Message carried = b_.Receive();
  EXPECT_EQ(carried.method(), sip::Method::kCancel);
  b_.Send(b_.Answer(carried, 200));
  b_.Send(b_.Answer(offered_, 487));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kCaller);
}

TEST_F(AgentCallTest, SaysThatThereIsNoRelay) {
  bed_.fleet().SetReachable(false);
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("20002230000"));
  EXPECT_EQ(a_.Receive().status(), 100);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 503);
  EXPECT_EQ(response.Get(sip::Header::kRetryAfter), "5");
  a_.Send(a_.AckOf(invite, response));
  EXPECT_FALSE(bed_.network().Has(b_.hop().remote));
  EXPECT_EQ(OnlyRecord().sip_status, 503u);
  bed_.fleet().SetReachable(true);
}

TEST_F(AgentCallTest, RefusesMediaThatTheRelayRefuses) {
  bed_.fleet().FailNext(Operation::kCreate, absl::InvalidArgumentError("remote: is a loopback address"));
  const sip::Message invite = a_.SendAuthorized(a_.NewInvite("20002230000"));
  EXPECT_EQ(a_.Receive().status(), 100);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 488);
  a_.Send(a_.AckOf(invite, response));
}

TEST_F(AgentCallTest, EndsACallWhoseMediaHasFallenSilent) {
  Establish();
  relay::v1::Event event;
  event.set_session_id(CallId());
  event.set_kind(relay::v1::EVENT_KIND_SILENCE);
  event.set_text("nothing from either side for 60 s");
  bed_.agent().OnSessionEvent(event, bed_.now());
  BothGetBye();
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kMediaTimeout);
  EXPECT_EQ(OnlyRecord().text, "nothing from either side for 60 s");
}

TEST_F(AgentCallTest, LetsACallGoOnWhoseOtherDirectionIsHeard) {
  Establish();
  relay::v1::Event event;
  event.set_session_id(CallId());
  event.set_kind(relay::v1::EVENT_KIND_ONE_WAY);
  bed_.agent().OnSessionEvent(event, bed_.now());
  EXPECT_EQ(bed_.network().waiting(), 0u);
  HangUpByCaller();
}

TEST_F(AgentCallTest, EndsACallWhoseSessionIsLost) {
  Establish();
  bed_.agent().OnSessionLost(CallId(), absl::ResourceExhaustedError("its ports are taken"), bed_.now());
  BothGetBye();
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kMediaTimeout);
}

TEST_F(AgentCallTest, EndsAnAnsweredCallForAnOperator) {
  Establish();
  const std::string call_id = CallId();
  EXPECT_TRUE(bed_.agent().HangUpCall(call_id, bed_.now()).ok());
  bed_.RunPosted();
  BothGetBye();
  EXPECT_EQ(OnlyRecord().ended_by, store::EndedBy::kOperator);
  EXPECT_TRUE(absl::IsFailedPrecondition(bed_.agent().HangUpCall(call_id, bed_.now())));
  EXPECT_TRUE(absl::IsNotFound(bed_.agent().HangUpCall("no-such-call", bed_.now())));
}

TEST_F(AgentCallTest, EndsARingingCallForAnOperator) {
  Ring();
  EXPECT_TRUE(bed_.agent().HangUpCall(CallId(), bed_.now()).ok());
  bed_.RunPosted();
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 480);
  a_.Send(a_.AckOf(invite_, response));
  const sip::Message cancel = b_.Receive();
  EXPECT_EQ(cancel.method(), sip::Method::kCancel);
  b_.Send(b_.Answer(cancel, 200));
  b_.Send(b_.Answer(offered_, 487));
  EXPECT_EQ(b_.Receive().method(), sip::Method::kAck);
}

TEST_F(AgentCallTest, GivesUpOnAPhoneThatDoesNotAnswer) {
  invite_ = a_.SendAuthorized(a_.NewInvite("20002230000"));
  EXPECT_EQ(a_.Receive().status(), 100);
  bed_.Pass(absl::Minutes(4));
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 408);
  a_.Send(a_.AckOf(invite_, response));
  EXPECT_EQ(OnlyRecord().sip_status, 408u);
}

TEST_F(AgentCallTest, TakesAMergedRequestOnce) {
  Ring();
  sip::Message merged = invite_;
  merged.Set(sip::Header::kVia, "SIP/2.0/UDP 198.18.1.3:5060;branch=z9hG4bKother");
  a_.Send(merged);
  const sip::Message response = a_.Receive();
  EXPECT_EQ(response.status(), 482);
  a_.Send(a_.AckOf(merged, response));
  EXPECT_TRUE(bed_.agent().HangUpCall(CallId(), bed_.now()).ok());
  bed_.RunPosted();
}

TEST_F(AgentCallTest, SeesItsOwnInviteComeBack) {
  Ring();
  sip::Message looped = offered_;
  looped.SetRequestUri("sip:20002230000@198.18.1.1");
  looped.AddFirst(sip::Header::kVia, "SIP/2.0/UDP 198.18.2.9:5060;branch=z9hG4bKloop");
  b_.Send(looped);
  EXPECT_EQ(b_.Receive().status(), 482);
  EXPECT_TRUE(bed_.agent().HangUpCall(CallId(), bed_.now()).ok());
  bed_.RunPosted();
}

TEST_F(AgentCallTest, ForgetsTheOldestEndedCallFirst) {
  AgentTestBed bed([](AgentOptions& options) { options.kept_calls = 1; });
  bed.AddAccount("20002230001", "secret");
  Phone a = bed.NewPhone("20002230001", "198.18.1.2:45426", "198.18.1.2:45426");
  for (int i = 0; i < 2; ++i) {
    const sip::Message invite = a.SendAuthorized(a.NewInvite("29999999999"));
    a.Send(a.AckOf(invite, a.Receive()));
    bed.Pass(absl::Seconds(1));
  }
  const auto records = bed.Records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_TRUE(bed.agent().GetCall(records[0].call_id, false).ok());
  EXPECT_TRUE(absl::IsNotFound(bed.agent().GetCall(records[1].call_id, false).status()));
}

}  // namespace
}  // namespace sluice::agent
