// sluicectl against real servers: what it prints, what it asks, how it fails.
#include "cli/sluicectl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/services_fake.h"

namespace sluice::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int64_t kStart = 1764037125;  // 2025-11-25 02:18:45 UTC

class Sluicectl : public testing::Test {
 protected:
  // Both addresses are the fake's.
  int Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--controller", fake_.address(), "--relay", fake_.address()});
    return RunAsIs(arguments);
  }
  int RunAsIs(const std::vector<std::string>& arguments) {
    std::ostringstream out, err;
    const int status = RunSluicectl(arguments, out, err);
    out_ = out.str();
    err_ = err.str();
    return status;
  }

  FakeServices fake_;
  std::string out_;
  std::string err_;
};

controller::v1::Call TestCall(const std::string& id, const std::string& caller, const std::string& callee) {
  controller::v1::Call call;
  call.set_call_id(id);
  call.set_state(controller::v1::CALL_STATE_ENDED);
  call.mutable_caller()->set_number(caller);
  call.mutable_callee()->set_number(callee);
  call.set_relay("relay-1");
  call.mutable_start_time()->set_seconds(kStart);
  call.mutable_answer_time()->set_seconds(kStart + 2);
  call.mutable_end_time()->set_seconds(kStart + 67);
  return call;
}

TEST_F(Sluicectl, ListsCallsOfAllPagesInColumnsThatUtf8NamesKeep) {
  *fake_.calls.add_calls() = TestCall("c-1", "1001", "1002");
  *fake_.calls.add_calls() = TestCall("c-22", "Jürgen Groß", "1002");
  *fake_.calls.add_calls() = TestCall("c-3", "山田", "1002");
  ASSERT_EQ(Run({"calls"}), 0) << err_;
  EXPECT_EQ(out_,
            "CALL  STATE  CALLER       CALLEE  RELAY    STARTED (UTC)        TALKED\n"
            "c-1   ended  1001         1002    relay-1  2025-11-25 02:18:45    1:05\n"
            "c-22  ended  Jürgen Groß  1002    relay-1  2025-11-25 02:18:45    1:05\n"
            "c-3   ended  山田         1002    relay-1  2025-11-25 02:18:45    1:05\n");
}

TEST_F(Sluicectl, KeepsTerminalSequencesOfACallerFromTheTerminal) {
  *fake_.calls.add_calls() = TestCall("c-1", "1001\x1b[2J", "1002");
  ASSERT_EQ(Run({"calls"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("1001?[2J "));
}

TEST_F(Sluicectl, SaysThatThereAreNoCalls) {
  ASSERT_EQ(Run({"calls"}), 0);
  EXPECT_EQ(out_, "no calls\n");
}

TEST_F(Sluicectl, StopsReadingPagesAtTheLimit) {
  for (int i = 0; i < 5; ++i) *fake_.calls.add_calls() = TestCall(absl::StrCat("c-", i), "1001", "1002");
  ASSERT_EQ(Run({"calls", "--limit", "2"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("c-1"));
  EXPECT_THAT(out_, Not(HasSubstr("c-2")));
}

void AddMessage(controller::v1::GetCallResponse& call, int milliseconds, controller::v1::LadderPeer peer, bool received,
                const std::string& first_line, bool again = false) {
  controller::v1::LadderEntry* entry = call.add_ladder();
  entry->mutable_time()->set_seconds(kStart);
  entry->mutable_time()->set_nanos(milliseconds * 1000000);
  entry->set_peer(peer);
  entry->set_received(received);
  entry->set_first_line(first_line);
  entry->set_retransmission(again);
  entry->set_peer_endpoint(peer == controller::v1::LADDER_PEER_CALLER ? "198.18.1.2:45426" : "198.18.2.9:43518");
  entry->set_transport("udp");
}

// Two servers of a call from 1001, of which the first one is silent.
void AddFailover(google::protobuf::RepeatedPtrField<controller::v1::LegRecord>& legs) {
  for (int i = 1; i <= 3; ++i) {
    controller::v1::LegRecord* leg = legs.Add();
    leg->set_leg_id(absl::StrCat("c-1-", i));
    leg->set_side(i == 1 ? controller::v1::CALL_SIDE_CALLER : controller::v1::CALL_SIDE_CALLEE);
    leg->set_number(i == 1 ? "1001" : "030123");
    leg->set_account(i == 1 ? "1001" : i == 2 ? "carrier" : "other");
    leg->set_sip_call_id(absl::StrCat("sip-", i));
    leg->set_peer(i == 1 ? "udp:198.18.1.2:45426" : absl::StrCat("udp:198.18.3.", i - 1, ":5060"));
    leg->mutable_start_time()->set_seconds(i == 3 ? kStart + 4 : kStart);
    if (i == 2) {
      leg->mutable_end_time()->set_seconds(kStart + 4);
      leg->mutable_end_cause()->set_q850_cause(102);
      leg->mutable_end_cause()->set_ended_by(controller::v1::ENDED_BY_CONTROLLER);
      continue;
    }
    leg->mutable_ring_time()->set_seconds(kStart + 5);
    leg->mutable_answer_time()->set_seconds(kStart + 7);
    leg->mutable_end_time()->set_seconds(kStart + 72);
    leg->mutable_end_time()->set_nanos(125'000'000);
    leg->mutable_end_cause()->set_sip_status(200);
    leg->mutable_end_cause()->set_q850_cause(16);
    leg->mutable_end_cause()->set_ended_by(controller::v1::ENDED_BY_CALLER);
  }
}

relay::v1::SessionState TestSession() {
  relay::v1::SessionState session;
  session.set_session_id("c-1");
  session.set_label("abc@198.18.1.2");
  session.set_shard("controller-1/0");
  relay::v1::StreamState* stream = session.add_streams();
  relay::v1::LegState* a = stream->add_legs();
  a->mutable_local()->set_address("198.18.1.1");
  a->mutable_local()->set_port(24594);
  a->mutable_learned_remote()->set_address("198.18.1.2");
  a->mutable_learned_remote()->set_port(21000);
  a->mutable_received()->set_packets(100);
  a->mutable_received()->set_jitter_ms(0.12);
  a->mutable_received()->mutable_quality()->set_mos(4.29);
  a->mutable_received()->mutable_quality()->set_codec("PCMU");
  a->set_sent_packets(98);
  relay::v1::LegState* b = stream->add_legs();
  b->mutable_local()->set_address("2001:db8::1");
  b->mutable_local()->set_port(18582);
  b->set_source_lock(relay::v1::SOURCE_LOCK_PROBATION);
  b->mutable_received()->set_packets(101);
  b->mutable_received()->set_lost(3);
  (*b->mutable_received()->mutable_drops())["source_mismatch"] = 3;
  b->set_sent_packets(100);
  return session;
}

TEST_F(Sluicectl, DrawsTheLadderOfACallItsMediaAndItsQuality) {
  using controller::v1::LADDER_PEER_CALLEE;
  using controller::v1::LADDER_PEER_CALLER;
  *fake_.call.mutable_call() = TestCall("c-1", "1001", "1002");
  fake_.call.mutable_call()->mutable_caller()->set_peer("udp:198.18.1.2:45426");
  fake_.call.mutable_call()->mutable_end_cause()->set_sip_status(200);
  fake_.call.mutable_call()->mutable_end_cause()->set_ended_by(controller::v1::ENDED_BY_CALLEE);
  fake_.call.mutable_call()->mutable_end_cause()->set_q850_cause(16);
  AddMessage(fake_.call, 0, LADDER_PEER_CALLER, true, "INVITE sip:1002@198.18.1.1 SIP/2.0");
  AddMessage(fake_.call, 1, LADDER_PEER_CALLER, false, "SIP/2.0 100 Trying");
  AddMessage(fake_.call, 4, LADDER_PEER_CALLEE, false, "INVITE sip:1002@198.18.2.9:43518 SIP/2.0");
  AddMessage(fake_.call, 504, LADDER_PEER_CALLEE, false, "INVITE sip:1002@198.18.2.9:43518 SIP/2.0", true);
  AddMessage(fake_.call, 510, LADDER_PEER_CALLEE, true, "SIP/2.0 200 OK");
  *fake_.call.mutable_media() = TestSession();
  ASSERT_EQ(Run({"call", "c-1"}), 0) << err_;
  EXPECT_EQ(out_, R"(call     c-1
state    ended
relay    relay-1
A        1001 at udp:198.18.1.2:45426
B        1002 at -
started  2025-11-25 02:18:45 UTC
talked   1:05
ended    200 by callee, Q.850 16

          A 198.18.1.2:45426                         controller                         B 198.18.2.9:43518
   0.000  INVITE 1002 ─────────────────────────────────►
   0.001  ◄────────────────────────────────── 100 Trying
   0.004                                                    INVITE 1002 ─────────────────────────────────►
   0.504                                                    INVITE 1002 (again) ─────────────────────────►
   0.510                                                    ◄────────────────────────────────────── 200 OK

STREAM  A                    RELAY TOWARDS A      RELAY TOWARDS B         B
0       198.18.1.2:21000  ⇄  198.18.1.1:24594  ⇄  [2001:db8::1]:18582  ⇄  probation

STREAM  DIRECTION  RECEIVED  SENT ON  LOST  REORDERED  JITTER  ROUND TRIP   MOS  CODEC
0       A → B           100      100     0          0  0.1 ms           -  4.29  PCMU
0       B → A           101       98     3          0  0.0 ms           -     -  -

STREAM  FROM  DROPPED          PACKETS
0       B     source_mismatch        3
)");
  EXPECT_EQ(fake_.asked, "GetCall call_id: \"c-1\"");
}

TEST_F(Sluicectl, ShowsTheLegsOfACallAboveItsMessages) {
  *fake_.call.mutable_call() = TestCall("c-1", "1001", "030123");
  AddFailover(*fake_.call.mutable_legs());
  AddMessage(fake_.call, 0, controller::v1::LADDER_PEER_CALLER, true, "INVITE sip:030123@198.18.1.1 SIP/2.0");
  ASSERT_EQ(Run({"call", "c-1"}), 0) << err_;
  EXPECT_THAT(
      out_,
      HasSubstr("\n\n"
                "LEG  SIDE    NUMBER  ACCOUNT  PEER                  STARTED (UTC)        RANG  TALKED  STATUS  Q.850  "
                "ENDED BY\n"
                "1    caller  1001    1001     udp:198.18.1.2:45426  2025-11-25 02:18:45  0:02    1:05     200     16  "
                "caller\n"
                "2    callee  030123  carrier  udp:198.18.3.1:5060   2025-11-25 02:18:45  0:00    0:00       -    102  "
                "controller\n"
                "3    callee  030123  other    udp:198.18.3.2:5060   2025-11-25 02:18:49  0:02    1:05     200     16  "
                "caller\n"
                "\n"));
}

TEST_F(Sluicectl, ShowsWholeMessagesOnlyWhenAsked) {
  *fake_.call.mutable_call() = TestCall("c-1", "1001", "1002");
  AddMessage(fake_.call, 0, controller::v1::LADDER_PEER_CALLER, true, "BYE sip:1002@198.18.1.1 SIP/2.0");
  fake_.call.mutable_ladder(0)->set_message("BYE sip:1002@198.18.1.1 SIP/2.0\r\nCSeq: 2 BYE\r\n\r\n");
  ASSERT_EQ(Run({"call", "c-1", "--messages"}), 0) << err_;
  EXPECT_THAT(fake_.asked, HasSubstr("include_messages: true"));
  EXPECT_THAT(out_,
              HasSubstr("received from udp 198.18.1.2:45426\n  BYE sip:1002@198.18.1.1 SIP/2.0\n  CSeq: 2 BYE\n"));
}

TEST_F(Sluicectl, PrintsTheAnswerAsProtobufJson) {
  *fake_.calls.add_calls() = TestCall("c-1", "1001", "1002");
  ASSERT_EQ(Run({"calls", "-o", "json"}), 0) << err_;
  EXPECT_THAT(out_, StartsWith("{\n \"calls\": [\n  {\n   \"callId\": \"c-1\""));
  EXPECT_THAT(out_, HasSubstr("\"startTime\": \"2025-11-25T02:18:45Z\""));
}

TEST_F(Sluicectl, HangsUp) {
  ASSERT_EQ(Run({"hangup", "c-1"}), 0) << err_;
  EXPECT_EQ(out_, "call c-1 is being ended\n");
  EXPECT_EQ(fake_.asked, "HangUpCall call_id: \"c-1\"");
}

TEST_F(Sluicectl, MakesAnAccountAndShowsItsPasswordOnce) {
  ASSERT_EQ(Run({"accounts", "add", "1001", "--display-name", "Jürgen", "--legacy-digest"}), 0) << err_;
  EXPECT_EQ(out_,
            "account   1001\n"
            "password  made-by-controller\n"
            "The password is shown only now: the controller keeps hashes of it.\n");
  EXPECT_THAT(fake_.asked, HasSubstr("allow_legacy_digest: true"));
  EXPECT_THAT(fake_.asked, Not(HasSubstr("follow_redirections")));
}

TEST_F(Sluicectl, MakesAnAccountWhoseRedirectionsAreFollowedOrNot) {
  ASSERT_EQ(Run({"accounts", "add", "1001", "--redirections", "follow"}), 0) << err_;
  EXPECT_THAT(fake_.asked, HasSubstr("follow_redirections: true"));
  ASSERT_EQ(Run({"accounts", "add", "1001", "--redirections", "pass"}), 0) << err_;
  EXPECT_THAT(fake_.asked, HasSubstr("follow_redirections: false"));
  EXPECT_NE(Run({"accounts", "add", "1001", "--redirections", "maybe"}), 0);
  EXPECT_THAT(err_, HasSubstr("--redirections: 'maybe' is neither follow nor pass"));
}

TEST_F(Sluicectl, ChangesWhatIsNamedOfAnAccountAndNothingElse) {
  ASSERT_EQ(Run({"accounts", "change", "1001", "--redirections", "follow"}), 0) << err_;
  EXPECT_EQ(out_, "account 1001 is changed\n");
  EXPECT_EQ(fake_.asked,
            "UpdateAccount account { name: \"1001\" follow_redirections: true } update_mask { paths: "
            "\"follow_redirections\" }");
  ASSERT_EQ(
      Run({"accounts", "change", "1001", "--redirections", "default", "--display-name", "", "--no-legacy-digest"}), 0)
      << err_;
  EXPECT_EQ(fake_.asked,
            "UpdateAccount account { name: \"1001\" } update_mask { paths: \"display_name\" paths: "
            "\"follow_redirections\" paths: \"allow_legacy_digest\" }");
}

TEST_F(Sluicectl, GivesAnAccountANewPasswordAndShowsItOnce) {
  ASSERT_EQ(Run({"accounts", "change", "1001", "--new-password"}), 0) << err_;
  EXPECT_EQ(out_,
            "account   1001\n"
            "password  made-by-controller\n"
            "The password is shown only now: the controller keeps hashes of it.\n");
}

TEST_F(Sluicectl, SaysWhatIsWrongWithAChangeOfAnAccount) {
  EXPECT_NE(Run({"accounts", "change", "1001"}), 0);
  EXPECT_THAT(err_, HasSubstr("accounts change wants an option that says what"));
  EXPECT_NE(Run({"accounts", "change", "1001", "--legacy-digest", "--no-legacy-digest"}), 0);
  EXPECT_THAT(err_, HasSubstr("--legacy-digest and --no-legacy-digest exclude each other"));
  EXPECT_NE(Run({"accounts", "change", "1001", "--redirections", "maybe"}), 0);
  EXPECT_THAT(err_, HasSubstr("--redirections: 'maybe' is none of follow, pass, default"));
}

TEST_F(Sluicectl, ListsAndRemovesAccounts) {
  controller::v1::Account* account = fake_.accounts.add_accounts();
  account->set_name("1001");
  account->mutable_create_time()->set_seconds(kStart);
  account->set_follow_redirections(false);
  ASSERT_EQ(Run({"accounts"}), 0) << err_;
  EXPECT_EQ(out_,
            "ACCOUNT  DISPLAY NAME  LEGACY DIGEST  REDIRECTIONS  CREATED (UTC)\n"
            "1001     -             no             pass          2025-11-25 02:18:45\n");
  ASSERT_EQ(Run({"accounts", "remove", "1001"}), 0) << err_;
  EXPECT_EQ(fake_.asked, "DeleteAccount name: \"1001\"");
}

TEST_F(Sluicectl, WritesCallRecordsAsCsvThatNoSpreadsheetRuns) {
  controller::v1::CallRecord* record = fake_.records.add_records();
  *record->mutable_call() = TestCall("c-1", "=cmd(\"x\",1)", "+4930123");
  record->mutable_call()->mutable_caller()->set_account("1001");
  record->mutable_call()->mutable_callee()->set_account("carrier");
  record->mutable_call()->mutable_end_cause()->set_q850_cause(16);
  record->mutable_call()->mutable_end_cause()->set_text("Normal, call clearing");
  record->mutable_call()->mutable_end_cause()->set_sip_status(200);
  record->mutable_call()->mutable_end_cause()->set_ended_by(controller::v1::ENDED_BY_CALLER);
  record->mutable_talk_duration()->set_seconds(65);
  controller::v1::StreamRecord* stream = record->add_streams();
  stream->set_media("audio");
  stream->set_codec("PCMU");
  stream->mutable_from_caller()->set_packets(100);
  stream->mutable_from_caller()->mutable_quality()->set_mos(4.29);
  stream->mutable_from_callee()->set_packets(90);
  stream->mutable_from_callee()->set_lost(10);
  stream->set_sent_to_callee(100);
  stream->set_sent_to_caller(88);
  ASSERT_EQ(Run({"cdrs", "-o", "csv", "--from", "2025-11-25"}), 0) << err_;
  EXPECT_EQ(out_,
            "call_id,caller,caller_account,callee,callee_account,relay,start_time,answer_time,end_time,ring_seconds,"
            "talk_seconds,sip_status,q850_cause,ended_by,text,media_known,stream_id,media,codec,caller_packets,"
            "caller_forwarded,caller_lost,caller_jitter_ms,caller_mos,callee_packets,callee_forwarded,callee_lost,"
            "callee_jitter_ms,callee_mos\r\n"
            "c-1,\"'=cmd(\"\"x\"\",1)\",1001,+4930123,carrier,relay-1,2025-11-25T02:18:45.000Z,"
            "2025-11-25T02:18:47.000Z,2025-11-25T02:19:52.000Z,0.000,65.000,200,16,caller,\"Normal, call clearing\","
            "yes,0,audio,PCMU,100,100,0,0.0,4.29,90,88,10,0.0,\r\n");
  EXPECT_THAT(fake_.asked, HasSubstr("start_time_from { seconds: 1764028800 }"));
}

TEST_F(Sluicectl, ListsTheLegsOfAllRecordsByTheirIds) {
  controller::v1::CallRecord* record = fake_.records.add_records();
  *record->mutable_call() = TestCall("c-1", "1001", "030123");
  AddFailover(*record->mutable_legs());
  ASSERT_EQ(Run({"cdrs", "--legs"}), 0) << err_;
  EXPECT_EQ(
      out_,
      "LEG    SIDE    NUMBER  ACCOUNT  PEER                  STARTED (UTC)        RANG  TALKED  STATUS  Q.850  ENDED "
      "BY\n"
      "c-1-1  caller  1001    1001     udp:198.18.1.2:45426  2025-11-25 02:18:45  0:02    1:05     200     16  caller\n"
      "c-1-2  callee  030123  carrier  udp:198.18.3.1:5060   2025-11-25 02:18:45  0:00    0:00       -    102  "
      "controller\n"
      "c-1-3  callee  030123  other    udp:198.18.3.2:5060   2025-11-25 02:18:49  0:02    1:05     200     16  "
      "caller\n");
  fake_.records.Clear();
  ASSERT_EQ(Run({"cdrs", "--legs"}), 0) << err_;
  EXPECT_EQ(out_, "no legs of call records\n");
}

TEST_F(Sluicectl, WritesTheLegsOfAllRecordsAsCsv) {
  controller::v1::CallRecord* record = fake_.records.add_records();
  *record->mutable_call() = TestCall("c-1", "1001", "030123");
  AddFailover(*record->mutable_legs());
  record->mutable_legs(0)->set_user_agent("Phone, \"big\"");
  ASSERT_EQ(Run({"cdrs", "--legs", "-o", "csv"}), 0) << err_;
  EXPECT_EQ(
      out_,
      "leg_id,call_id,side,number,account,sip_call_id,peer,user_agent,start_time,ring_time,answer_time,end_time,"
      "ring_seconds,talk_seconds,sip_status,q850_cause,ended_by\r\n"
      "c-1-1,c-1,caller,1001,1001,sip-1,udp:198.18.1.2:45426,\"Phone, \"\"big\"\"\",2025-11-25T02:18:45.000Z,"
      "2025-11-25T02:18:50.000Z,2025-11-25T02:18:52.000Z,2025-11-25T02:19:57.125Z,2.000,65.125,200,16,caller\r\n"
      "c-1-2,c-1,callee,030123,carrier,sip-2,udp:198.18.3.1:5060,,2025-11-25T02:18:45.000Z,,,"
      "2025-11-25T02:18:49.000Z,0.000,0.000,,102,controller\r\n"
      "c-1-3,c-1,callee,030123,other,sip-3,udp:198.18.3.2:5060,,2025-11-25T02:18:49.000Z,"
      "2025-11-25T02:18:50.000Z,2025-11-25T02:18:52.000Z,2025-11-25T02:19:57.125Z,2.000,65.125,200,16,caller\r\n");
}

TEST_F(Sluicectl, ListsCallRecordsWithTheirCauses) {
  for (const uint32_t cause : {16, 0}) {
    controller::v1::CallRecord* record = fake_.records.add_records();
    *record->mutable_call() = TestCall("c-1", "1001", "1002");
    record->mutable_call()->mutable_end_cause()->set_sip_status(200);
    record->mutable_call()->mutable_end_cause()->set_q850_cause(cause);
    record->mutable_call()->mutable_end_cause()->set_ended_by(controller::v1::ENDED_BY_CALLER);
    record->mutable_talk_duration()->set_seconds(65);
  }
  ASSERT_EQ(Run({"cdrs"}), 0) << err_;
  EXPECT_EQ(out_,
            "CALL  STARTED (UTC)        CALLER  CALLEE  STATUS  Q.850  ENDED BY  RANG  TALKED  LOST  MOS\n"
            "c-1   2025-11-25 02:18:45  1001    1002       200     16  caller    0:00    1:05     0    -\n"
            "c-1   2025-11-25 02:18:45  1001    1002       200      -  caller    0:00    1:05     0    -\n");
}

TEST_F(Sluicectl, AsksForTheRecordsOfOneAccountAndWritesThemAsJson) {
  *fake_.records.add_records()->mutable_call() = TestCall("c-1", "1001", "1002");
  ASSERT_EQ(Run({"cdrs", "--account", "1001", "-o", "json"}), 0) << err_;
  EXPECT_THAT(fake_.asked, HasSubstr("account: \"1001\""));
  EXPECT_THAT(out_, HasSubstr("\"callId\": \"c-1\""));
}

TEST_F(Sluicectl, SumsLossAndTakesTheWorstMosInTheTableOfRecords) {
  controller::v1::CallRecord* record = fake_.records.add_records();
  *record->mutable_call() = TestCall("c-1", "1001", "1002");
  for (const double mos : {4.2, 3.1}) {
    controller::v1::StreamRecord* stream = record->add_streams();
    stream->mutable_from_callee()->set_lost(2);
    stream->mutable_from_callee()->mutable_quality()->set_mos(mos);
  }
  ASSERT_EQ(Run({"cdrs"}), 0) << err_;
  EXPECT_THAT(out_, EndsWith("     4  3.10\n"));
}

TEST_F(Sluicectl, ShowsRelaysWithTheReasonOfThoseThatAreDown) {
  controller::v1::RelayStatus* relay = fake_.relays.add_relays();
  relay->set_name("relay-1");
  relay->set_address("unix:/run/sluice/relay.sock");
  relay->set_health(controller::v1::RELAY_HEALTH_DOWN);
  relay->mutable_since()->set_seconds(kStart);
  relay->set_text("cannot be reached");
  ASSERT_EQ(Run({"relays"}), 0) << err_;
  EXPECT_EQ(out_,
            "RELAY    HEALTH  SESSIONS  ADDRESS                      SINCE (UTC)          REASON\n"
            "relay-1  down           0  unix:/run/sluice/relay.sock  2025-11-25 02:18:45  cannot be reached\n");
}

TEST_F(Sluicectl, ShowsTrunksWithTheReasonOfThoseThatAreNotRegistered) {
  controller::v1::TrunkStatus* trunk = fake_.trunks.add_trunks();
  trunk->set_name("carrier");
  trunk->add_peers("udp:198.18.3.1:5060");
  trunk->set_registration(controller::v1::TRUNK_REGISTRATION_FAILED);
  trunk->set_text("403 Forbidden");
  trunk->set_calls(3);
  ASSERT_EQ(Run({"trunks"}), 0) << err_;
  EXPECT_EQ(out_,
            "TRUNK    REGISTRATION  UNTIL (UTC)  CALLS  REFUSED  PEERS                REASON\n"
            "carrier  failed        -                3        0  udp:198.18.3.1:5060  403 Forbidden\n");
}

TEST_F(Sluicectl, ShowsASession) {
  *fake_.sessions.add_sessions() = TestSession();
  ASSERT_EQ(Run({"session", "c-1"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("writer   controller-1/0\n"));
  EXPECT_THAT(out_, HasSubstr("probation"));
  ASSERT_EQ(Run({"sessions"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("controller-1/0  abc@198.18.1.2\n"));
}

TEST_F(Sluicectl, ShowsTheStatisticsOfBothAsTablesAndAsOneJsonValue) {
  fake_.statistics.set_calls(3);
  (*fake_.statistics.mutable_received_messages())["INVITE"] = 7;
  (*fake_.statistics.mutable_sent_messages())["200 INVITE"] = 5;
  fake_.relay_statistics.mutable_relay()->set_sessions(2);
  (*fake_.relay_statistics.mutable_relay()->mutable_drops())["no_flow"] = 9;
  relay::v1::WorkerStatistics* worker = fake_.relay_statistics.add_workers();
  worker->set_cpu(1);
  worker->set_busy_share(0.125);
  worker->mutable_residence()->set_samples(1);
  worker->mutable_residence()->mutable_p50()->set_nanos(3000);
  worker->mutable_residence()->mutable_p99()->set_nanos(1200000);
  ASSERT_EQ(Run({"stats"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("calls now         3\n"));
  EXPECT_THAT(out_,
              HasSubstr("SIP MESSAGE  RECEIVED  SENT\n200 INVITE          0     5\nINVITE              7     0\n"));
  EXPECT_THAT(out_, HasSubstr("WORKER  CPU  RECEIVED  FORWARDED    BUSY   P50     P99  LONGEST LOOP\n"
                              "     0    1         0          0  12.5 %  3 us  1.2 ms          0 us\n"));
  EXPECT_THAT(out_, HasSubstr("DROPPED PACKETS  COUNT\nno_flow              9\n"));
  ASSERT_EQ(Run({"stats", "-o", "json"}), 0) << err_;
  EXPECT_THAT(out_, StartsWith("{\"controller\":{"));
  EXPECT_THAT(out_, HasSubstr(",\"relay\":{"));
}

TEST_F(Sluicectl, ShowsEventsUntilItHasSeenEnough) {
  for (const char* digit : {"1", "2", "3"}) {
    relay::v1::Event* event = fake_.events.add_events();
    event->mutable_time()->set_seconds(kStart);
    event->set_session_id("c-1");
    event->set_leg(1);
    event->set_kind(relay::v1::EVENT_KIND_DTMF);
    event->set_digit(digit);
  }
  ASSERT_EQ(Run({"events", "--count", "2"}), 0) << err_;
  EXPECT_EQ(out_,
            "02:18:45.000  dtmf             c-1                       B 0   digit 1\n"
            "02:18:45.000  dtmf             c-1                       B 0   digit 2\n");
}

TEST_F(Sluicectl, ExplainsAPacketStepByStep) {
  fake_.explanation.add_steps("198.18.1.1 port 24594 belongs to session c-1");
  fake_.explanation.set_drop_reason("source_mismatch");
  fake_.explanation.set_session_id("c-1");
  ASSERT_EQ(Run({"explain", "198.18.9.9:1000", "[2001:db8::1]:24594", "--payload-type", "8"}), 0) << err_;
  EXPECT_EQ(out_,
            " 1  198.18.1.1 port 24594 belongs to session c-1\n"
            "dropped: source_mismatch, session c-1, stream 0, from A\n");
  EXPECT_THAT(fake_.asked, HasSubstr("destination { address: \"2001:db8::1\" port: 24594 } payload_type: 8"));
}

TEST_F(Sluicectl, LetsAControllerRefuseAndTakeCalls) {
  ASSERT_EQ(Run({"drain", "controller"}), 0) << err_;
  EXPECT_EQ(fake_.asked, "DrainController");
  ASSERT_EQ(Run({"undrain", "controller"}), 0) << err_;
  EXPECT_EQ(fake_.asked, "UndrainController");
}

TEST_F(Sluicectl, DrainsAndUndrains) {
  ASSERT_EQ(Run({"drain"}), 0) << err_;
  EXPECT_EQ(fake_.asked, "DrainRelay");
  ASSERT_EQ(Run({"undrain"}), 0) << err_;
  EXPECT_EQ(fake_.asked, "UndrainRelay");
}

TEST_F(Sluicectl, StartsAndStopsACapture) {
  ASSERT_EQ(Run({"capture", "start", "c-1", "--duration", "10s"}), 0) << err_;
  EXPECT_THAT(out_, StartsWith("capture  7\nfile     c-1.pcapng\n"));
  EXPECT_EQ(fake_.asked, "StartCapture session_id: \"c-1\" max_duration { seconds: 10 }");
  ASSERT_EQ(Run({"capture", "stop", "7"}), 0) << err_;
  EXPECT_EQ(out_, "packets      100\nbytes        20.9 KiB\nnot written  0\n");
}

TEST_F(Sluicectl, SaysInOneLineWhatTheProcessRefused) {
  fake_.refusal = grpc::Status(grpc::StatusCode::NOT_FOUND, "call_id: there is no call c-1");
  EXPECT_EQ(Run({"call", "c-1"}), 1);
  EXPECT_EQ(err_, "sluicectl: call_id: there is no call c-1\n");
  EXPECT_EQ(out_, "");
}

TEST_F(Sluicectl, SaysWhatToDoWhenNobodyIsThere) {
  EXPECT_EQ(RunAsIs({"calls", "--controller", "/nowhere/controller.sock"}), 1);
  EXPECT_EQ(err_,
            "sluicectl: cannot reach the controller at /nowhere/controller.sock: is sluice-controller running there? "
            "--controller ADDRESS or SLUICE_CONTROLLER names another\n");
}

TEST_F(Sluicectl, TakesAddressesFromTheEnvironment) {
  setenv("SLUICE_CONTROLLER", fake_.address().c_str(), 1);
  EXPECT_EQ(RunAsIs({"calls"}), 0) << err_;
  unsetenv("SLUICE_CONTROLLER");
}

struct WrongUseCase {
  std::vector<std::string> arguments;
  const char* error;
};

TEST_F(Sluicectl, TellsWrongUseFromErrorsByItsExitStatus) {
  for (const WrongUseCase& wrong : std::vector<WrongUseCase>{
           {{}, "which command?"},
           {{"cals"}, "there is no command cals"},
           {{"capture"}, "capture is not whole; allowed: capture start, capture stop"},
           {{"call"}, "call wants ID, not 0 arguments"},
           {{"calls", "c-1"}, "calls wants no argument, not 1 argument"},
           {{"calls", "--limit"}, "--limit wants a value"},
           {{"calls", "--limit", "0"}, "--limit: '0' is not allowed; allowed: 1 to 1000000"},
           {{"calls", "--session", "c-1"}, "calls has no option --session"},
           {{"calls", "--verbose"}, "there is no option --verbose"},
           {{"calls", "-o", "csv"}, "-o: 'csv' is not allowed for calls; allowed: table, json"},
           {{"cdrs", "--to", "now"}, "--to: 'now' is not a time"},
           {{"explain", "198.18.1.1", "198.18.1.2:1"}, "SOURCE: '198.18.1.1' is not an address with a port"},
           {{"capture", "start", "c-1", "--duration", "1"}, "--duration: '1' is not a duration"},
       }) {
    EXPECT_EQ(Run(wrong.arguments), 2) << wrong.error;
    EXPECT_THAT(err_, StartsWith(absl::StrCat("sluicectl: ", wrong.error)));
    EXPECT_EQ(out_, "") << wrong.error;
  }
}

TEST_F(Sluicectl, HelpsInGeneralAndWithOneCommand) {
  ASSERT_EQ(RunAsIs({"help"}), 0);
  EXPECT_THAT(out_, HasSubstr("  accounts add NAME"));
  ASSERT_EQ(RunAsIs({"help", "calls"}), 0);
  EXPECT_EQ(out_,
            "sluicectl calls [OPTION ...]\n\n"
            "Lists the calls that exist now, newest first.\n\n"
            "  --limit N  At most so many; 1000 unless told.\n");
}

}  // namespace
}  // namespace sluice::cli
