#include "signaling/sip/dialog.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::sip {
namespace {

Message Parsed(absl::string_view text) {
  ParseResult result = Message::Parse(text);
  EXPECT_TRUE(result.ok()) << result.error->text;
  return std::move(result.message);
}

// What we send when we call.
Message OurInvite() {
  return Parsed(
      "INVITE sip:bob@198.18.2.9:43518 SIP/2.0\r\n"
      "Via: SIP/2.0/UDP 198.18.1.1:7080;branch=z9hG4bK1\r\n"
      "Route: <sip:edge@198.18.7.7;lr>\r\n"
      "Max-Forwards: 70\r\n"
      "From: \"Alice\" <sip:alice@example.com>;tag=ours\r\n"
      "To: <sip:bob@example.com>\r\n"
      "Call-ID: c1\r\n"
      "CSeq: 100 INVITE\r\n"
      "Contact: <sip:alice@198.18.1.1:7080>\r\n\r\n");
}

Message Answer(int status, absl::string_view tag, absl::string_view contact, absl::string_view record_route = "") {
  return Parsed(absl::StrCat("SIP/2.0 ", status, " Text\r\nVia: SIP/2.0/UDP 198.18.1.1:7080;branch=z9hG4bK1\r\n",
                             record_route.empty() ? "" : absl::StrCat("Record-Route: ", record_route, "\r\n"),
                             "From: \"Alice\" <sip:alice@example.com>;tag=ours\r\nTo: <sip:bob@example.com>",
                             tag.empty() ? "" : absl::StrCat(";tag=", tag), "\r\nCall-ID: c1\r\nCSeq: 100 INVITE\r\n",
                             contact.empty() ? "" : absl::StrCat("Contact: <", contact, ">\r\n"), "\r\n"));
}

// What we receive when we are called.
Message TheirInvite(absl::string_view record_route = "") {
  return Parsed(absl::StrCat("INVITE sip:bob@example.com SIP/2.0\r\n",
                             record_route.empty() ? "" : absl::StrCat("Record-Route: ", record_route, "\r\n"),
                             "Via: SIP/2.0/UDP 10.1.1.1:45426;branch=z9hG4bK2\r\n"
                             "From: <sip:alice@example.com>;tag=theirs\r\n"
                             "To: <sip:bob@example.com>\r\n"
                             "Call-ID: c2\r\n"
                             "CSeq: 2 INVITE\r\n"
                             "Contact: <sip:alice@10.1.1.1:45426>\r\n\r\n"));
}

Message TheirRequest(absl::string_view method, uint32_t cseq, absl::string_view contact = "") {
  return Parsed(absl::StrCat(method, " sip:bob@198.18.1.1:7080 SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.1.1:45426\r\n",
                             "From: <sip:alice@example.com>;tag=theirs\r\nTo: <sip:bob@example.com>;tag=ours\r\n",
                             "Call-ID: c2\r\nCSeq: ", cseq, " ", method, "\r\n",
                             contact.empty() ? "" : absl::StrCat("Contact: <", contact, ">\r\n"), "\r\n"));
}

TEST(Dialog, IsNotEstablishedBeforeAResponseNamesThePeer) {
  Dialog dialog = Dialog::OfSentRequest(OurInvite());
  EXPECT_FALSE(dialog.is_established());
  dialog.OnResponse(Answer(100, "", ""));
  dialog.OnResponse(Answer(180, "", ""));
  EXPECT_FALSE(dialog.is_established());
  dialog.OnResponse(Answer(180, "b1", "sip:bob@192.168.2.63:43518"));
  EXPECT_TRUE(dialog.is_established());
  EXPECT_FALSE(dialog.is_confirmed());
  EXPECT_EQ(dialog.remote_tag(), "b1");
}

TEST(Dialog, TakesTagTargetAndRoutesOfTheAnswerThatWins) {
  Dialog dialog = Dialog::OfSentRequest(OurInvite());
  dialog.OnResponse(Answer(180, "b1", "sip:bob@192.168.2.63:1", "<sip:p9@198.18.9.9;lr>"));
  dialog.OnResponse(Answer(200, "b2", "sip:bob@192.168.2.64:2", "<sip:p1@198.18.9.1;lr>, <sip:p2@198.18.9.2;lr>"));
  EXPECT_TRUE(dialog.is_confirmed());
  EXPECT_EQ(dialog.remote_tag(), "b2");
  EXPECT_EQ(dialog.remote_target(), "sip:bob@192.168.2.64:2");
  // The caller walks them from its own end: reversed.
  EXPECT_EQ(dialog.NextHop(), "sip:p2@198.18.9.2;lr");
}

TEST(Dialog, AcknowledgesWithTheSequenceNumberOfTheInvite) {
  Dialog dialog = Dialog::OfSentRequest(OurInvite());
  dialog.OnResponse(Answer(200, "b1", "sip:bob@192.168.2.63:43518;transport=udp"));
  const Message ack = dialog.MakeAck(100);
  EXPECT_EQ(ack.StartLine(), "ACK sip:bob@192.168.2.63:43518;transport=udp SIP/2.0");
  EXPECT_EQ(ack.Get(Header::kCSeq), "100 ACK");
  EXPECT_EQ(ack.Get(Header::kFrom), "\"Alice\" <sip:alice@example.com>;tag=ours");
  EXPECT_EQ(ack.ToTag(), "b1");
  EXPECT_EQ(dialog.local_cseq(), 100u);
}

TEST(Dialog, ForgetsTheRouteOfTheFirstRequestOnceAnswered) {
  Dialog dialog = Dialog::OfSentRequest(OurInvite());
  EXPECT_EQ(dialog.NextHop(), "sip:edge@198.18.7.7;lr");
  dialog.OnResponse(Answer(200, "b1", "sip:bob@192.168.2.63:43518"));
  EXPECT_EQ(dialog.NextHop(), "sip:bob@192.168.2.63:43518");
  EXPECT_FALSE(dialog.MakeRequest(Method::kBye).Has(Header::kRoute));
}

TEST(Dialog, CountsItsOwnRequests) {
  Dialog dialog = Dialog::OfSentRequest(OurInvite());
  dialog.OnResponse(Answer(200, "b1", "sip:bob@192.168.2.63:43518"));
  EXPECT_EQ(dialog.MakeRequest(Method::kInfo).CSeqNumber(), 101u);
  const Message bye = dialog.MakeRequest(Method::kBye);
  EXPECT_EQ(bye.Get(Header::kCSeq), "102 BYE");
  EXPECT_EQ(bye.Get(Header::kMaxForwards), "70");
}

TEST(Dialog, SwapsTargetAndFirstRouteForAStrictRouter) {
  Dialog dialog = Dialog::OfSentRequest(OurInvite());
  dialog.OnResponse(Answer(200, "b1", "sip:bob@192.168.2.63:43518", "<sip:b@198.18.9.2;lr>, <sip:a@198.18.9.1>"));
  const Message bye = dialog.MakeRequest(Method::kBye);
  EXPECT_EQ(bye.request_uri(), "sip:a@198.18.9.1");
  ASSERT_EQ(bye.Elements(Header::kRoute).size(), 2u);
  EXPECT_EQ(bye.Elements(Header::kRoute)[0], "<sip:b@198.18.9.2;lr>");
  EXPECT_EQ(bye.Elements(Header::kRoute)[1], "<sip:bob@192.168.2.63:43518>");
}

TEST(Dialog, OfACalledSideMirrorsTheRequest) {
  Dialog dialog = Dialog::OfReceivedRequest(TheirInvite("<sip:p1@198.18.9.1;lr>, <sip:p2@198.18.9.2;lr>"), "ours");
  EXPECT_TRUE(dialog.is_established());
  EXPECT_EQ(dialog.local_tag(), "ours");
  EXPECT_EQ(dialog.remote_tag(), "theirs");
  // The called side walks the routes as they came.
  EXPECT_EQ(dialog.NextHop(), "sip:p1@198.18.9.1;lr");
  const Message bye = dialog.MakeRequest(Method::kBye);
  EXPECT_EQ(bye.request_uri(), "sip:alice@10.1.1.1:45426");
  EXPECT_EQ(bye.Get(Header::kTo), "<sip:alice@example.com>;tag=theirs");
  EXPECT_EQ(bye.Get(Header::kFrom), "<sip:bob@example.com>;tag=ours");
}

TEST(Dialog, AcceptsGapsAndRefusesRequestsThatComeTooLate) {
  Dialog dialog = Dialog::OfReceivedRequest(TheirInvite(), "ours");
  EXPECT_EQ(dialog.OnRequest(TheirRequest("INFO", 6)), Dialog::Order::kInOrder);
  EXPECT_EQ(dialog.OnRequest(TheirRequest("INFO", 5)), Dialog::Order::kOutOfOrder);
  EXPECT_EQ(dialog.OnRequest(TheirRequest("INFO", 6)), Dialog::Order::kOutOfOrder);
  EXPECT_EQ(dialog.OnRequest(TheirRequest("BYE", 7)), Dialog::Order::kInOrder);
}

TEST(Dialog, TakesANewTargetOnlyFromRequestsThatRefreshIt) {
  Dialog dialog = Dialog::OfReceivedRequest(TheirInvite(), "ours");
  dialog.OnRequest(TheirRequest("INFO", 3, "sip:alice@10.9.9.9:1"));
  EXPECT_EQ(dialog.remote_target(), "sip:alice@10.1.1.1:45426");
  dialog.OnRequest(TheirRequest("UPDATE", 4, "sip:alice@10.9.9.9:2"));
  EXPECT_EQ(dialog.remote_target(), "sip:alice@10.9.9.9:2");
  // One that is out of order changes nothing.
  dialog.OnRequest(TheirRequest("INVITE", 4, "sip:alice@10.9.9.9:3"));
  EXPECT_EQ(dialog.remote_target(), "sip:alice@10.9.9.9:2");
}

TEST(Dialog, FailureResponsesDoNotNameThePeer) {
  Dialog dialog = Dialog::OfSentRequest(OurInvite());
  dialog.OnResponse(Answer(486, "busy", "sip:bob@192.168.2.63:43518"));
  EXPECT_FALSE(dialog.is_established());
}

}  // namespace
}  // namespace sluice::sip
