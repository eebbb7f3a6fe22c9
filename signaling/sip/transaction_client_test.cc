// What the transaction layer does for requests of ours (RFC 3261 17.1, 9.1, 13.2.2.4, RFC 6026 7.2).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "signaling/sip/transaction_test_bed.h"

namespace sluice::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Message Ours(absl::string_view method) {
  Message request = Message::Request(method, "sip:b@198.18.1.1");
  request.Add(Header::kMaxForwards, "70");
  request.Add(Header::kRoute, "<sip:198.18.1.1;lr>");
  request.Add(Header::kFrom, "<sip:a@198.18.0.1>;tag=from");
  request.Add(Header::kTo, "<sip:b@198.18.1.1>");
  request.Add(Header::kCallId, "ours-1");
  request.Add(Header::kCSeq, absl::StrCat("7 ", method));
  return request;
}

ClientTransactionId Send(TransactionTestBed& bed, absl::string_view method, Protocol protocol = Protocol::kUdp) {
  return bed.layer.SendRequest(Ours(method), TestHop(protocol), bed.now);
}

Message Ack(absl::string_view to_tag) {
  Message ack = Ours("ACK");
  ack.Set(Header::kTo, absl::StrCat("<sip:b@198.18.1.1>;tag=", to_tag));
  return ack;
}

TEST(InviteClient, PutsAViaOfOurOwnOnTop) {
  TransactionTestBed bed;
  Send(bed, "INVITE");
  Send(bed, "OPTIONS", Protocol::kTcp);
  const Via via = *bed.sent[0].message.TopVia();
  EXPECT_EQ(via.ToString().substr(0, 34), "SIP/2.0/UDP 198.18.0.1:5060;rport;");
  EXPECT_TRUE(IsUniqueBranch(via.branch()));
  EXPECT_EQ(bed.sent[1].message.TopVia()->transport, "TCP");
  EXPECT_NE(bed.sent[1].message.TopBranch(), via.branch());
}

TEST(InviteClient, RepeatsByTimerAUntilTimerBAndFails) {
  TransactionTestBed bed;
  Send(bed, "INVITE");
  bed.AdvanceBy(absl::Milliseconds(31999));
  EXPECT_EQ(bed.TimesOf("INVITE"), "0 0.5 1.5 3.5 7.5 15.5 31.5");
  EXPECT_THAT(bed.events, IsEmpty());
  bed.AdvanceBy(absl::Milliseconds(1));
  EXPECT_THAT(bed.events, ElementsAre("timeout"));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
  EXPECT_EQ(bed.layer.NextDeadline(), absl::InfiniteFuture());
}

// Longer than what goes by UDP.
Message Large(absl::string_view method) {
  Message request = Ours(method);
  request.Add("X-Long", std::string(1300, 'x'));
  return request;
}

TEST(LargeRequest, GoesByAStreamAndStaysThereOnceItIsAnswered) {
  for (const absl::string_view method : {"INVITE", "MESSAGE"}) {
    TransactionTestBed bed;
    bed.has_streams = true;
    bed.layer.SendRequest(Large(method), TestHop(), bed.now);
    ASSERT_EQ(bed.sent.size(), 1u);
    EXPECT_EQ(bed.sent[0].hop, TestHop(Protocol::kTcp));
    EXPECT_EQ(bed.sent[0].message.TopVia()->transport, "TCP");
    bed.Receive(bed.Answer(0, 200), TestHop(Protocol::kTcp));
    bed.AdvanceBy(absl::Seconds(100));
    EXPECT_EQ(bed.sent.size(), 1u);
    EXPECT_THAT(bed.events, ElementsAre("response 200"));
    EXPECT_EQ(bed.layer.statistics().transactions, 0);
  }
}

TEST(LargeRequest, GoesByUdpWhereThereIsNoStreamAndASmallOneAlways) {
  TransactionTestBed bed;
  bed.layer.SendRequest(Large("INVITE"), TestHop(), bed.now);
  bed.has_streams = true;
  Send(bed, "INVITE");
  for (const auto& sent : bed.sent) EXPECT_EQ(sent.message.TopVia()->transport, "UDP");
}

TEST(LargeRequest, GoesByUdpAtOnceWhenNoConnectionTakesIt) {
  TransactionTestBed bed;
  bed.has_streams = true;
  const ClientTransactionId id = bed.layer.SendRequest(Large("INVITE"), TestHop(), bed.now);
  bed.layer.OnUndelivered(std::string(bed.sent[0].bytes));
  ASSERT_EQ(bed.sent.size(), 2u);
  EXPECT_EQ(bed.sent[1].hop, TestHop());
  EXPECT_EQ(bed.sent[1].message.TopVia()->transport, "UDP");
  EXPECT_EQ(bed.sent[1].message.TopBranch(), bed.sent[0].message.TopBranch());
  EXPECT_FALSE(bed.sent[1].retransmission);
  // Told twice, and of the way that it does not go any more.
  bed.layer.OnUndelivered(std::string(bed.sent[0].bytes));
  EXPECT_THAT(bed.events, ElementsAre("stream silent"));
  bed.layer.Cancel(id, "", bed.now);
  bed.Receive(bed.Answer(1, 180));
  ASSERT_EQ(bed.sent.size(), 3u);
  EXPECT_EQ(bed.sent[2].hop, TestHop());
  EXPECT_EQ(bed.sent[2].message.TopVia()->ToString(), bed.sent[1].message.TopVia()->ToString());
}

TEST(LargeRequest, GoesByUdpWhenNobodyAnswersForT1AndEndsAsAnyOther) {
  TransactionTestBed bed;
  bed.has_streams = true;
  const ClientTransactionId id = bed.layer.SendRequest(Large("INVITE"), TestHop(), bed.now);
  bed.layer.Cancel(id, "SIP;cause=200", bed.now);
  bed.AdvanceBy(absl::Seconds(32));
  EXPECT_EQ(bed.TimesOf("INVITE"), "0 0.5 1.5 3.5 7.5 15.5 31.5");
  EXPECT_EQ(bed.sent[0].hop.protocol, Protocol::kTcp);
  EXPECT_FALSE(bed.sent[1].retransmission);
  for (size_t i = 1; i < bed.sent.size(); ++i) EXPECT_EQ(bed.sent[i].hop, TestHop());
  EXPECT_TRUE(bed.sent[2].retransmission);
  EXPECT_THAT(bed.events, ElementsAre("stream silent", "timeout"));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
}

TEST(LargeRequest, TakesALateAnswerByTheStream) {
  TransactionTestBed bed;
  bed.has_streams = true;
  const ClientTransactionId id = bed.layer.SendRequest(Large("INVITE"), TestHop(), bed.now);
  bed.layer.Cancel(id, "SIP;cause=200", bed.now);
  bed.AdvanceBy(absl::Seconds(1));
  bed.Receive(bed.Answer(0, 180), TestHop(Protocol::kTcp));
  EXPECT_EQ(bed.sent.back().message.method(), Method::kCancel);
  EXPECT_EQ(bed.sent.back().message.Get(Header::kReason), "SIP;cause=200");
  bed.Receive(bed.Answer(0, 487), TestHop(Protocol::kTcp));
  EXPECT_EQ(bed.sent.back().message.method(), Method::kAck);
  EXPECT_THAT(bed.events, ElementsAre("stream silent", "response 180", "response 487"));
}

TEST(InviteClient, IsSentOnceOnAReliableTransportAndFailsByTimerB) {
  TransactionTestBed bed;
  Send(bed, "INVITE", Protocol::kTcp);
  bed.AdvanceBy(absl::Seconds(32));
  EXPECT_EQ(bed.TimesOf("INVITE"), "0");
  EXPECT_THAT(bed.events, ElementsAre("timeout"));
}

TEST(InviteClient, FailsAtOnceWhenNoConnectionTookIt) {
  TransactionTestBed bed;
  Send(bed, "INVITE", Protocol::kTcp);
  bed.layer.OnUndelivered(bed.sent[0].bytes);
  EXPECT_THAT(bed.events, ElementsAre("undelivered"));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
  bed.layer.OnUndelivered(bed.sent[0].bytes);
  EXPECT_THAT(bed.events, ElementsAre("undelivered"));
}

TEST(InviteClient, GoesOnWhenItWasAnsweredAndACopyFindsNoConnection) {
  TransactionTestBed bed;
  Send(bed, "INVITE");
  Send(bed, "OPTIONS");
  bed.Receive(bed.Answer(0, 180));
  bed.Receive(bed.Answer(1, 100));
  bed.events.clear();
  for (const size_t index : {0, 1}) bed.layer.OnUndelivered(std::string(bed.sent[index].bytes));
  EXPECT_THAT(bed.events, IsEmpty());
  EXPECT_EQ(bed.layer.statistics().transactions, 2);
}

TEST(InviteClient, MindsNothingElseThatIsUndelivered) {
  TransactionTestBed bed;
  Send(bed, "INVITE", Protocol::kTcp);
  // A response of ours, a request of somebody else's, and no message at all.
  bed.layer.OnUndelivered(bed.Answer(0, 200));
  bed.layer.OnUndelivered(TestRequest("INVITE"));
  bed.layer.OnUndelivered("x");
  EXPECT_THAT(bed.events, IsEmpty());
  EXPECT_EQ(bed.layer.statistics().transactions, 1);
}

TEST(InviteClient, WaitsAsLongAsItTakesOnceAProvisionalResponseIsHere) {
  TransactionTestBed bed;
  Send(bed, "INVITE");
  bed.Receive(bed.Answer(0, 100, ""));
  bed.Receive(bed.Answer(0, 100, ""));
  bed.AdvanceBy(absl::Seconds(1000));
  bed.Receive(bed.Answer(0, 180));
  bed.Receive(bed.Answer(0, 183, "other"));
  EXPECT_EQ(bed.CountOf("INVITE"), 1);
  EXPECT_THAT(bed.events, ElementsAre("response 100", "response 180", "response 183"));
}

TEST(InviteClient, AcknowledgesAFailureForEachOfItsCopiesUntilTimerD) {
  TransactionTestBed bed;
  Send(bed, "INVITE");
  bed.Receive(bed.Answer(0, 486, "busy"));
  bed.Receive(bed.Answer(0, 486, "busy"));
  EXPECT_THAT(bed.events, ElementsAre("response 486"));
  ASSERT_EQ(bed.CountOf("ACK"), 2);
  EXPECT_EQ(bed.sent[1].bytes, bed.sent[2].bytes);
  EXPECT_TRUE(bed.sent[2].retransmission);
  const Message& ack = bed.sent[1].message;
  EXPECT_EQ(ack.request_uri(), "sip:b@198.18.1.1");
  EXPECT_EQ(ack.Get(Header::kVia), bed.sent[0].message.Get(Header::kVia));
  EXPECT_EQ(ack.Get(Header::kRoute), "<sip:198.18.1.1;lr>");
  EXPECT_EQ(ack.Get(Header::kCSeq), "7 ACK");
  EXPECT_EQ(ack.ToTag(), "busy");
  bed.AdvanceBy(absl::Milliseconds(31999));
  bed.Receive(bed.Answer(0, 486, "busy"));
  EXPECT_EQ(bed.CountOf("ACK"), 3);
  bed.AdvanceBy(absl::Milliseconds(1));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
  bed.Receive(bed.Answer(0, 486, "busy"));
  EXPECT_EQ(bed.CountOf("ACK"), 3);
  EXPECT_EQ(bed.layer.statistics().stray_responses, 1);
}

TEST(InviteClient, EndsWithItsFailureOnAReliableTransport) {
  TransactionTestBed bed;
  Send(bed, "INVITE", Protocol::kTcp);
  bed.Receive(bed.Answer(0, 486));
  EXPECT_EQ(bed.CountOf("ACK"), 1);
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
}

TEST(InviteClient, AcknowledgesEachCopyOf2xxWithTheUsersAckUntilTimerM) {
  TransactionTestBed bed;
  const ClientTransactionId invite = Send(bed, "INVITE");
  bed.Receive(bed.Answer(0, 200, "t"));
  // A copy that comes ahead of the user's ACK is absorbed.
  bed.Receive(bed.Answer(0, 200, "t"));
  EXPECT_EQ(bed.CountOf("ACK"), 0);
  bed.layer.SendAck(invite, Ack("t"), TestHop(), bed.now);
  bed.Receive(bed.Answer(0, 200, "t"));
  EXPECT_THAT(bed.events, ElementsAre("response 200"));
  ASSERT_EQ(bed.CountOf("ACK"), 2);
  EXPECT_EQ(bed.sent[1].bytes, bed.sent[2].bytes);
  EXPECT_NE(bed.sent[1].message.TopBranch(), bed.sent[0].message.TopBranch());
  bed.AdvanceBy(absl::Milliseconds(31999));
  EXPECT_EQ(bed.layer.statistics().transactions, 1);
  bed.AdvanceBy(absl::Milliseconds(1));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
  EXPECT_THAT(bed.events, ElementsAre("response 200"));
}

TEST(InviteClient, TellsOfEach2xxThatAForkSends) {
  TransactionTestBed bed;
  const ClientTransactionId invite = Send(bed, "INVITE");
  bed.Receive(bed.Answer(0, 200, "one"));
  bed.layer.SendAck(invite, Ack("one"), TestHop(), bed.now);
  bed.Receive(bed.Answer(0, 200, "two"));
  bed.layer.SendAck(invite, Ack("two"), TestHop(), bed.now);
  bed.Receive(bed.Answer(0, 200, "one"));
  EXPECT_THAT(bed.events, ElementsAre("response 200", "response 200"));
  ASSERT_EQ(bed.CountOf("ACK"), 3);
  EXPECT_EQ(bed.sent.back().message.ToTag(), "one");
}

TEST(InviteClient, TakesNoFailureBehind2xxAndNo2xxBehindAFailure) {
  for (const uint16_t first : {200, 486}) {
    TransactionTestBed bed;
    Send(bed, "INVITE");
    bed.Receive(bed.Answer(0, first, "a"));
    bed.Receive(bed.Answer(0, first == 200 ? 486 : 200, "b"));
    EXPECT_EQ(bed.events.size(), 1) << first;
  }
}

TEST(NonInviteClient, RepeatsByTimerEUntilTimerFAndFails) {
  TransactionTestBed bed;
  Send(bed, "BYE");
  bed.AdvanceBy(absl::Seconds(32));
  EXPECT_EQ(bed.TimesOf("BYE"), "0 0.5 1.5 3.5 7.5 11.5 15.5 19.5 23.5 27.5 31.5");
  EXPECT_THAT(bed.events, ElementsAre("timeout"));
}

TEST(NonInviteClient, RepeatsEveryT2OnceAProvisionalResponseIsHere) {
  TransactionTestBed bed;
  Send(bed, "BYE");
  bed.AdvanceBy(absl::Milliseconds(100));
  bed.Receive(bed.Answer(0, 100, ""));
  bed.AdvanceBy(absl::Milliseconds(31900));
  EXPECT_EQ(bed.TimesOf("BYE"), "0 0.5 4.5 8.5 12.5 16.5 20.5 24.5 28.5");
  EXPECT_THAT(bed.events, ElementsAre("response 100", "timeout"));
}

TEST(NonInviteClient, AbsorbsCopiesOfTheAnswerUntilTimerK) {
  TransactionTestBed bed;
  Send(bed, "BYE");
  bed.Receive(bed.Answer(0, 200));
  bed.Receive(bed.Answer(0, 200));
  bed.AdvanceBy(absl::Milliseconds(4999));
  EXPECT_EQ(bed.layer.statistics().transactions, 1);
  bed.AdvanceBy(absl::Milliseconds(1));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
  EXPECT_EQ(bed.CountOf("BYE"), 1);
  EXPECT_THAT(bed.events, ElementsAre("response 200"));
  EXPECT_EQ(bed.layer.statistics().retransmissions_received, 1);
}

TEST(NonInviteClient, EndsWithTheAnswerOnAReliableTransport) {
  TransactionTestBed bed;
  Send(bed, "BYE", Protocol::kTls);
  bed.Receive(bed.Answer(0, 200));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
}

TEST(Cancelling, WaitsForAProvisionalResponse) {
  TransactionTestBed bed;
  const ClientTransactionId invite = Send(bed, "INVITE");
  bed.layer.Cancel(invite, "SIP;cause=200;text=\"Call completed elsewhere\"", bed.now);
  EXPECT_EQ(bed.CountOf("CANCEL"), 0);
  bed.Receive(bed.Answer(0, 100, ""));
  ASSERT_EQ(bed.CountOf("CANCEL"), 1);
  const Message& cancel = bed.sent[1].message;
  EXPECT_EQ(cancel.Get(Header::kVia), bed.sent[0].message.Get(Header::kVia));
  EXPECT_EQ(cancel.Get(Header::kCSeq), "7 CANCEL");
  EXPECT_EQ(cancel.Get(Header::kReason), "SIP;cause=200;text=\"Call completed elsewhere\"");
  EXPECT_EQ(cancel.request_uri(), "sip:b@198.18.1.1");
}

TEST(Cancelling, SendsOneCancelAndTellsNothingOfItsAnswer) {
  TransactionTestBed bed;
  const ClientTransactionId invite = Send(bed, "INVITE");
  bed.Receive(bed.Answer(0, 180));
  bed.layer.Cancel(invite, "", bed.now);
  bed.layer.Cancel(invite, "", bed.now);
  bed.Receive(bed.Answer(1, 200));
  bed.Receive(bed.Answer(0, 487));
  bed.AdvanceBy(absl::Seconds(100));
  EXPECT_EQ(bed.CountOf("CANCEL"), 1);
  EXPECT_EQ(bed.CountOf("ACK"), 1);
  EXPECT_THAT(bed.events, ElementsAre("response 180", "response 487"));
  EXPECT_EQ(bed.layer.statistics().transactions, 0);
}

TEST(Cancelling, DoesNothingAfterAFinalResponse) {
  for (const uint16_t status : {200, 603}) {
    TransactionTestBed bed;
    const ClientTransactionId invite = Send(bed, "INVITE");
    bed.Receive(bed.Answer(0, status));
    bed.layer.Cancel(invite, "", bed.now);
    EXPECT_EQ(bed.CountOf("CANCEL"), 0) << status;
  }
}

TEST(Cancelling, IsForgottenIfTheFirstResponseIsFinal) {
  TransactionTestBed bed;
  const ClientTransactionId invite = Send(bed, "INVITE");
  bed.layer.Cancel(invite, "", bed.now);
  bed.Receive(bed.Answer(0, 200));
  EXPECT_EQ(bed.CountOf("CANCEL"), 0);
  EXPECT_THAT(bed.events, ElementsAre("response 200"));
}

TEST(Cancelling, GivesUpOnAPeerThatNeverAnswersTheInviteAfterIt) {
  TransactionTestBed bed;
  const ClientTransactionId invite = Send(bed, "INVITE");
  bed.Receive(bed.Answer(0, 180));
  bed.AdvanceBy(absl::Seconds(60));
  bed.layer.Cancel(invite, "", bed.now);
  bed.Receive(bed.Answer(1, 200));
  bed.AdvanceBy(absl::Milliseconds(31999));
  EXPECT_THAT(bed.events, ElementsAre("response 180"));
  bed.AdvanceBy(absl::Milliseconds(1));
  EXPECT_THAT(bed.events, ElementsAre("response 180", "timeout"));
}

TEST(Matching, TakesNoResponseOfAnotherMethodBranchOrWithASecondVia) {
  TransactionTestBed bed;
  Send(bed, "INVITE");
  Message response = Message::ResponseTo(bed.sent[0].message, 200, "to");
  Message wrong = response;
  wrong.Set(Header::kCSeq, "7 BYE");
  bed.Receive(wrong.Serialize());
  wrong = response;
  wrong.Set(Header::kVia, "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bK0123456789abcdef");
  bed.Receive(wrong.Serialize());
  wrong = response;
  wrong.Add(Header::kVia, "SIP/2.0/UDP 198.18.9.9:5060;branch=z9hG4bKx");
  bed.Receive(wrong.Serialize());
  EXPECT_THAT(bed.events, IsEmpty());
  EXPECT_EQ(bed.layer.statistics().stray_responses, 3);
  bed.Receive(response.Serialize());
  EXPECT_THAT(bed.events, ElementsAre("response 200"));
}

TEST(Limits, RequestsOfOursAboveThemFailAtTheNextAdvance) {
  TransactionOptions options;
  options.max_transactions = 1;
  TransactionTestBed bed(options);
  const ClientTransactionId first = Send(bed, "BYE");
  const ClientTransactionId second = Send(bed, "BYE");
  EXPECT_NE(first, second);
  EXPECT_THAT(bed.events, IsEmpty());
  EXPECT_LE(bed.layer.NextDeadline(), bed.now);
  bed.AdvanceBy(absl::ZeroDuration());
  EXPECT_THAT(bed.events, ElementsAre("too many"));
  EXPECT_EQ(bed.CountOf("BYE"), 1);
}

TEST(Reentrance, TheUserMayAnswerAndSendFromInsideEvents) {
  TransactionTestBed bed;
  bed.on_request = [&bed](ServerTransactionId id, const Message& request) {
    bed.layer.Respond(id, Message::ResponseTo(request, 200, "to"), bed.now);
    Send(bed, "OPTIONS", Protocol::kTcp);
  };
  bed.on_response = [&bed](ClientTransactionId, const Message&) { Send(bed, "BYE", Protocol::kTcp); };
  bed.Receive(TestRequest("MESSAGE"), TestHop(Protocol::kTcp));
  ASSERT_EQ(bed.CountOf("OPTIONS"), 1);
  bed.Receive(bed.Answer(1, 200), TestHop(Protocol::kTcp));
  EXPECT_EQ(bed.CountOf("BYE"), 1);
  EXPECT_EQ(bed.layer.statistics().transactions, 1);
}

}  // namespace
}  // namespace sluice::sip
