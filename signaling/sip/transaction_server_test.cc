// What the transaction layer does for those who send us requests (RFC 3261 17.2, RFC 6026 7.1, RFC 4320).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_replace.h"
#include "signaling/sip/transaction_test_bed.h"

namespace sluice::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Answers the request that came last.
void Respond(TransactionTestBed& bed, uint16_t status, absl::string_view to_tag = "to") {
  const auto& last = bed.requests.back();
  bed.layer.Respond(last.id, Message::ResponseTo(last.request, status, to_tag), bed.now);
}

TEST(InviteServer, TellsOfAnInviteOnceHoweverOftenItComes) {
  TransactionTestBed bed;
  for (int i = 0; i < 3; ++i) bed.Receive(TestRequest("INVITE"));
  EXPECT_THAT(bed.events, ElementsAre("request INVITE"));
  EXPECT_EQ(bed.layer.statistics().retransmissions_received, 2);
  EXPECT_THAT(bed.sent, IsEmpty());
}

TEST(InviteServer, Sends100By200MillisecondsIfTheUserIsSilent) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  bed.AdvanceBy(absl::Seconds(10));
  EXPECT_EQ(bed.TimesOf("SIP/2.0 100"), "0.2");
  EXPECT_FALSE(bed.sent[0].retransmission);
}

TEST(InviteServer, SendsNo100OfItsOwnIfTheUserHasAnswered) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Respond(bed, 180);
  bed.AdvanceBy(absl::Seconds(10));
  EXPECT_EQ(bed.CountOf("SIP/2.0 100"), 0);
}

TEST(InviteServer, RepeatsTheLastProvisionalResponseForACopyOfTheInvite) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Respond(bed, 100);
  Respond(bed, 180);
  bed.Receive(TestRequest("INVITE"));
  ASSERT_EQ(bed.sent.size(), 3);
  EXPECT_EQ(bed.sent[2].message.status(), 180);
  EXPECT_TRUE(bed.sent[2].retransmission);
}

TEST(InviteServer, RepeatsAFailureByTimerGUntilTimerH) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Respond(bed, 486);
  bed.AdvanceBy(absl::Seconds(100));
  EXPECT_EQ(bed.TimesOf("SIP/2.0 486"), "0 0.5 1.5 3.5 7.5 11.5 15.5 19.5 23.5 27.5 31.5");
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
  EXPECT_THAT(bed.events, ElementsAre("request INVITE"));
}

TEST(InviteServer, StopsRepeatingAFailureAtItsAckAndAbsorbsCopiesUntilTimerI) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Respond(bed, 486);
  bed.AdvanceBy(absl::Milliseconds(100));
  bed.Receive(TestRequest("ACK", "z9hG4bKa1", "to"));
  bed.Receive(TestRequest("ACK", "z9hG4bKa1", "to"));
  bed.AdvanceBy(absl::Milliseconds(4999));
  EXPECT_EQ(bed.layer.statistics().transactions, 1);
  bed.Receive(TestRequest("INVITE"));
  bed.AdvanceBy(absl::Milliseconds(2));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
  EXPECT_EQ(bed.CountOf("SIP/2.0 486"), 1);
  EXPECT_THAT(bed.events, ElementsAre("request INVITE"));
  EXPECT_EQ(bed.layer.statistics().stray_acks, 0);
}

TEST(InviteServer, SendsAFailureOnceOnAReliableTransportAndEndsAtItsAck) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"), TestHop(Protocol::kTcp));
  Respond(bed, 486);
  bed.AdvanceBy(absl::Seconds(20));
  EXPECT_EQ(bed.CountOf("SIP/2.0 486"), 1);
  bed.Receive(TestRequest("ACK", "z9hG4bKa1", "to"), TestHop(Protocol::kTcp));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
}

TEST(InviteServer, Repeats2xxUntilItsAckAlsoOnAReliableTransport) {
  for (const Protocol protocol : {Protocol::kUdp, Protocol::kTcp}) {
    TransactionTestBed bed;
    bed.Receive(TestRequest("INVITE"), TestHop(protocol));
    Respond(bed, 200);
    bed.AdvanceBy(absl::Seconds(4));
    EXPECT_EQ(bed.TimesOf("SIP/2.0 200"), "0 0.5 1.5 3.5");
    bed.Receive(TestRequest("ACK", "z9hG4bKother", "to"), TestHop(protocol));
    bed.Receive(TestRequest("ACK", "z9hG4bKother", "to"), TestHop(protocol));
    bed.AdvanceBy(absl::Seconds(100));
    EXPECT_EQ(bed.CountOf("SIP/2.0 200"), 4);
    EXPECT_THAT(bed.events, ElementsAre("request INVITE", "ack"));
    EXPECT_EQ(bed.layer.statistics().transactions, 0);
  }
}

TEST(InviteServer, AbsorbsCopiesOfAnAnsweredInviteUntilTimerL) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Respond(bed, 200);
  bed.Receive(TestRequest("ACK", "z9hG4bKother", "to"));
  bed.AdvanceBy(absl::Milliseconds(31999));
  bed.Receive(TestRequest("INVITE"));
  EXPECT_THAT(bed.events, ElementsAre("request INVITE", "ack"));
  bed.AdvanceBy(absl::Milliseconds(2));
  bed.Receive(TestRequest("INVITE"));
  EXPECT_THAT(bed.events, ElementsAre("request INVITE", "ack", "request INVITE"));
}

TEST(InviteServer, TellsThatTheAckOf2xxIsMissingAfter64T1) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Respond(bed, 200);
  bed.AdvanceBy(absl::Milliseconds(31999));
  EXPECT_THAT(bed.events, ElementsAre("request INVITE"));
  bed.AdvanceBy(absl::Milliseconds(1));
  EXPECT_THAT(bed.events, ElementsAre("request INVITE", "ack missing"));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
}

TEST(InviteServer, StopsRepeatingA2xxWhoseDialogHasEnded) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Respond(bed, 200);
  bed.AdvanceBy(absl::Seconds(1));
  bed.layer.AbandonAck(bed.requests.back().id, bed.now);
  bed.Receive(TestRequest("INVITE"));
  bed.Receive(TestRequest("ACK", "z9hG4bKother", "to"));
  bed.AdvanceBy(absl::Seconds(100));
  EXPECT_EQ(bed.CountOf("SIP/2.0 200"), 2);
  EXPECT_THAT(bed.events, ElementsAre("request INVITE"));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
}

TEST(InviteServer, PassesA2xxOnAsOftenAsItComesUntilItsAck) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  const auto pass = [&] {
    const auto& last = bed.requests.back();
    bed.layer.PassSuccess(last.id, Message::ResponseTo(last.request, 200, "to"), bed.now);
  };
  pass();
  bed.AdvanceBy(absl::Seconds(3));
  EXPECT_EQ(bed.TimesOf("SIP/2.0 200"), "0");
  pass();
  EXPECT_EQ(bed.TimesOf("SIP/2.0 200"), "0 3");
  bed.Receive(TestRequest("ACK", "z9hG4bKother", "to"));
  pass();
  EXPECT_EQ(bed.TimesOf("SIP/2.0 200"), "0 3");
  bed.AdvanceBy(absl::Seconds(100));
  EXPECT_THAT(bed.events, ElementsAre("request INVITE", "ack"));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
}

TEST(InviteServer, TakesTheAckOf2xxWithTheBranchOfTheInvite) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Respond(bed, 200);
  bed.Receive(TestRequest("ACK", "z9hG4bKa1", "to"));
  EXPECT_THAT(bed.events, ElementsAre("request INVITE", "ack"));
}

TEST(InviteServer, IgnoresAnswersAfterAFinalOne) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Respond(bed, 200);
  Respond(bed, 486);
  Respond(bed, 180);
  EXPECT_EQ(bed.sent.size(), 1);
}

TEST(NonInviteServer, AbsorbsCopiesInSilenceUntilTheAnswerAndRepeatsItUntilTimerJ) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("BYE"));
  bed.Receive(TestRequest("BYE"));
  EXPECT_THAT(bed.sent, IsEmpty());
  Respond(bed, 200);
  bed.Receive(TestRequest("BYE"));
  EXPECT_EQ(bed.CountOf("SIP/2.0 200"), 2);
  bed.AdvanceBy(absl::Milliseconds(31999));
  EXPECT_EQ(bed.layer.statistics().transactions, 1);
  bed.AdvanceBy(absl::Milliseconds(1));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
  EXPECT_EQ(bed.CountOf("SIP/2.0 200"), 2);
  EXPECT_THAT(bed.events, ElementsAre("request BYE"));
}

TEST(NonInviteServer, EndsWithItsAnswerOnAReliableTransport) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("BYE"), TestHop(Protocol::kTcp));
  Respond(bed, 200);
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
}

TEST(NonInviteServer, NeverSends408) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INFO"));
  Respond(bed, 408);
  EXPECT_THAT(bed.sent, IsEmpty());
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
}

TEST(NonInviteServer, ForgetsWhatNobodyAnsweredIn64T1) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INFO"));
  bed.AdvanceBy(absl::Seconds(32));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
  Respond(bed, 200);
  EXPECT_THAT(bed.sent, IsEmpty());
}

TEST(Cancel, IsAnswered481IfThereIsNoSuchInvite) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("CANCEL"));
  bed.Receive(TestRequest("CANCEL"));
  EXPECT_EQ(bed.CountOf("SIP/2.0 481"), 2);
  EXPECT_EQ(bed.sent[0].bytes, bed.sent[1].bytes);
  EXPECT_THAT(bed.events, IsEmpty());
}

TEST(Cancel, OfAnOpenInviteIsAnswered200AndTold) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Respond(bed, 180, "callee");
  bed.Receive(TestRequest("CANCEL"));
  bed.Receive(TestRequest("CANCEL"));
  EXPECT_THAT(bed.events, ElementsAre("request INVITE", "cancel"));
  ASSERT_EQ(bed.CountOf("SIP/2.0 200"), 2);
  EXPECT_EQ(bed.sent[1].message.ToTag(), "callee");
  EXPECT_EQ(bed.sent[1].message.method(), Method::kCancel);
  Respond(bed, 487, "callee");
  EXPECT_EQ(bed.CountOf("SIP/2.0 487"), 1);
}

TEST(Cancel, OfAnAnsweredInviteIsAnswered200AndNotTold) {
  for (const uint16_t status : {200, 486}) {
    TransactionTestBed bed;
    bed.Receive(TestRequest("INVITE"));
    Respond(bed, status);
    bed.Receive(TestRequest("CANCEL"));
    EXPECT_THAT(bed.events, ElementsAre("request INVITE"));
    EXPECT_EQ(bed.sent.back().message.status(), 200);
    EXPECT_EQ(bed.sent.back().message.method(), Method::kCancel);
  }
}

TEST(Matching, TellsBranchesOfDifferentCallsApart) {
  // Phones behind different NATs, with the same private address and a branch of few digits.
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE", "z9hG4bK56308"));
  bed.Receive(absl::StrReplaceAll(TestRequest("INVITE", "z9hG4bK56308"), {{"call-1", "call-2"}}));
  EXPECT_THAT(bed.events, ElementsAre("request INVITE", "request INVITE"));
}

TEST(Matching, TakesRfc2543PeersByTheirFields) {
  for (const char* branch : {"1", "Z9hg4bK-lower", "z9hG4bK"}) {
    TransactionTestBed bed;
    bed.Receive(TestRequest("INVITE", branch));
    bed.Receive(TestRequest("INVITE", branch));
    EXPECT_THAT(bed.events, ElementsAre("request INVITE")) << branch;
    bed.Receive(TestRequest("CANCEL", branch));
    EXPECT_THAT(bed.events, ElementsAre("request INVITE", "cancel")) << branch;
    Respond(bed, 487);
    bed.Receive(TestRequest("ACK", branch, "to"));
    bed.AdvanceBy(absl::Seconds(10));
    EXPECT_EQ(bed.CountOf("SIP/2.0 487"), 1) << branch;
    // The same branch is another transaction under another CSeq.
    bed.Receive(TestRequest("INVITE", branch, "", 2));
    EXPECT_THAT(bed.events, ElementsAre("request INVITE", "cancel", "request INVITE")) << branch;
  }
}

TEST(Matching, TakesARequestWithoutAnyBranch) {
  TransactionTestBed bed;
  const std::string invite = absl::StrReplaceAll(TestRequest("INVITE", "X"), {{";branch=X", ""}});
  bed.Receive(invite);
  bed.Receive(invite);
  EXPECT_THAT(bed.events, ElementsAre("request INVITE"));
}

TEST(Matching, TellsBranchesApartThatDifferBehind4000Bytes) {
  TransactionTestBed bed;
  const std::string branch = "z9hG4bK" + std::string(4000, 'x');
  bed.Receive(TestRequest("OPTIONS", branch + "1"));
  bed.Receive(TestRequest("OPTIONS", branch + "2"));
  bed.Receive(TestRequest("OPTIONS", branch + "2"));
  EXPECT_THAT(bed.events, ElementsAre("request OPTIONS", "request OPTIONS"));
}

TEST(Answers, GoToWhereTheRequestCameFromAndSaySo) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("OPTIONS"));
  Respond(bed, 200);
  ASSERT_EQ(bed.sent.size(), 1);
  EXPECT_EQ(bed.sent[0].hop, TestHop());
  const Via via = *bed.sent[0].message.TopVia();
  EXPECT_EQ(via.parameters.Get("received"), "198.18.1.1");
  EXPECT_EQ(via.parameters.Get("rport"), "45426");
}

TEST(BadInput, IsAnsweredWithItsFaultWhereItCanBe) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("OPTIONS", "z9hG4bKa1", "", 1, "", "INVITE"));
  ASSERT_EQ(bed.sent.size(), 1);
  EXPECT_EQ(bed.sent[0].message.StartLine(), "SIP/2.0 400 CSeq names another method");
  EXPECT_FALSE(bed.sent[0].message.ToTag().empty());
  bed.Receive(absl::StrReplaceAll(TestRequest("OPTIONS"), {{"0.1 SIP/2.0\r\nVia", "0.1 SIP/7.0\r\nVia"}}));
  EXPECT_EQ(bed.sent.back().message.status(), 505);
  EXPECT_EQ(bed.layer.statistics().refused_requests, 2);
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
  EXPECT_THAT(bed.events, IsEmpty());
}

TEST(BadInput, IsDroppedAndCountedWhereNobodyCouldUnderstandAnAnswer) {
  TransactionTestBed bed;
  bed.Receive("garbage\r\n\r\n");
  bed.Receive(std::string(100, '\0'));
  bed.Receive("SIP/2.0 20 OK\r\n\r\n");
  bed.Receive(TestRequest("ACK", "z9hG4bKa1", "", 1, "", "INVITE"));
  bed.Receive("OPTIONS sip:b@198.18.0.1 SIP/2.0\r\nFrom: <sip:a@h>;tag=1\r\n\r\n");
  EXPECT_EQ(bed.layer.statistics().malformed, 5);
  EXPECT_THAT(bed.sent, IsEmpty());
  EXPECT_THAT(bed.events, IsEmpty());
}

TEST(BadInput, KeepAlivesAreNone) {
  TransactionTestBed bed;
  bed.Receive("\r\n\r\n");
  EXPECT_EQ(bed.layer.statistics().malformed, 0);
}

TEST(BadInput, AcksAndResponsesThatBelongToNothingAreCounted) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("ACK"));
  EXPECT_EQ(bed.layer.statistics().stray_acks, 1);
  bed.Receive(Message::ResponseTo(Message::Parse(TestRequest("BYE")).message, 200, "x").Serialize());
  EXPECT_EQ(bed.layer.statistics().stray_responses, 1);
  EXPECT_THAT(bed.sent, IsEmpty());
}

TEST(Limits, RequestsAboveThemAreAnswered503WithoutATransaction) {
  TransactionOptions options;
  options.max_transactions = 1;
  TransactionTestBed bed(options);
  bed.Receive(TestRequest("INVITE", "z9hG4bK1"));
  bed.Receive(TestRequest("INVITE", "z9hG4bK2"));
  EXPECT_THAT(bed.events, ElementsAre("request INVITE"));
  ASSERT_EQ(bed.sent.size(), 1);
  EXPECT_EQ(bed.sent[0].message.status(), 503);
  EXPECT_EQ(bed.layer.statistics().transactions, 1);
}

TEST(Trace, TellsEachMessageAndWhatIsARetransmission) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("BYE"));
  Respond(bed, 200);
  bed.Receive(TestRequest("BYE"));
  EXPECT_THAT(bed.trace, ElementsAre("< BYE sip:b@198.18.0.1 SIP/2.0", "> SIP/2.0 200 OK",
                                     "< BYE sip:b@198.18.0.1 SIP/2.0 (again)", "> SIP/2.0 200 OK (again)"));
}

// Challenges what came last, without state.
void Challenge(TransactionTestBed& bed) {
  const auto& last = bed.requests.back();
  bed.layer.RespondStatelessly(last.id, Message::ResponseTo(last.request, 407, bed.layer.StatelessToTag(last.request)));
}

TEST(StatelessAnswer, LeavesNothingAndIsNotSentAgain) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Challenge(bed);
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
  bed.AdvanceBy(absl::Seconds(100));
  EXPECT_EQ(bed.TimesOf("SIP/2.0 407"), "0");
}

TEST(StatelessAnswer, IsGivenToACopyOfTheRequestWithTheSameTag) {
  TransactionTestBed bed;
  for (int i = 0; i < 2; ++i) {
    bed.Receive(TestRequest("INVITE"));
    Challenge(bed);
  }
  EXPECT_THAT(bed.events, ElementsAre("request INVITE", "request INVITE"));
  ASSERT_EQ(bed.sent.size(), 2);
  EXPECT_EQ(bed.sent[0].message.ToTag(), bed.sent[1].message.ToTag());
}

TEST(StatelessAnswer, HasItsAckAbsorbedAndNoOther) {
  TransactionTestBed bed;
  bed.Receive(TestRequest("INVITE"));
  Challenge(bed);
  const std::string tag(bed.sent.back().message.ToTag());
  bed.Receive(TestRequest("ACK", "z9hG4bKa1", tag));
  EXPECT_EQ(bed.layer.statistics().stray_acks, 0);
  bed.Receive(TestRequest("ACK", "z9hG4bKa1", "guessed"));
  EXPECT_EQ(bed.layer.statistics().stray_acks, 1);
  EXPECT_THAT(bed.events, ElementsAre("request INVITE"));
}

}  // namespace
}  // namespace sluice::sip
