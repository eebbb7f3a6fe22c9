#include "signaling/call/reliable_responses.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::call {
namespace {

using sip::Header;
using Prack = ReliableResponses::Prack;

const absl::Time kStart = absl::FromUnixSeconds(1700000000);

sip::Message Invite(absl::string_view header, absl::string_view options) {
  sip::Message invite = sip::Message::Request("INVITE", "sip:b@example.org");
  invite.Add(Header::kCSeq, "7 INVITE");
  invite.Add(header, options);
  return invite;
}

sip::Message PrackOf(absl::string_view rack) {
  sip::Message prack = sip::Message::Request("PRACK", "sip:b@example.org");
  prack.Add(Header::kRAck, rack);
  return prack;
}

TEST(ReliableResponses, AreThoseWithASessionForWhoSupportsThemAndAllForWhoRequiresThem) {
  const ReliableResponses supported(Invite("Supported", "timer, 100rel"), 1);
  EXPECT_TRUE(supported.AppliesTo(true));
  EXPECT_FALSE(supported.AppliesTo(false));
  const ReliableResponses required(Invite("Require", "100rel"), 1);
  EXPECT_TRUE(required.AppliesTo(true));
  EXPECT_TRUE(required.AppliesTo(false));
  EXPECT_TRUE(ReliableResponses::IsSupportedBy(Invite("Require", "100rel")));
  EXPECT_FALSE(ReliableResponses::IsSupportedBy(Invite("Supported", "timer")));
}

TEST(ReliableResponses, AreNumberedInARow) {
  ReliableResponses responses(Invite("Require", "100rel"), 4711);
  for (const absl::string_view rseq : {"4711", "4712"}) {
    sip::Message ringing = sip::Message::Response(180);
    responses.Send(ringing, "", kStart);
    EXPECT_EQ(ringing.Get(Header::kRSeq), rseq);
    EXPECT_EQ(ringing.Get(Header::kRequire), "100rel");
    EXPECT_TRUE(responses.is_outstanding());
    EXPECT_EQ(responses.OnPrack(PrackOf(absl::StrCat(rseq, " 7 INVITE"))), Prack::kTaken);
    EXPECT_FALSE(responses.is_outstanding());
  }
}

TEST(ReliableResponses, TakeThePrackThatNamesTheOutstandingOneAndNoOther) {
  ReliableResponses responses(Invite("Supported", "100rel"), 5);
  EXPECT_EQ(responses.OnPrack(PrackOf("5 7 INVITE")), Prack::kUnknown) << "nothing was sent";
  sip::Message early = sip::Message::Response(183);
  responses.Send(early, "v=0", kStart);
  EXPECT_TRUE(responses.DelaysSuccess());
  for (const absl::string_view wrong : {"4 7 INVITE", "6 7 INVITE", "5 8 INVITE", "5 7 UPDATE", "garbage", ""}) {
    EXPECT_EQ(responses.OnPrack(PrackOf(wrong)), Prack::kUnknown) << wrong;
  }
  EXPECT_EQ(responses.OnPrack(PrackOf("5 7 INVITE")), Prack::kTakenWithSession);
  EXPECT_EQ(responses.OnPrack(PrackOf("5 7 INVITE")), Prack::kUnknown) << "it has been acknowledged";
  EXPECT_FALSE(responses.DelaysSuccess());
}

TEST(ReliableResponses, DoNotDelayTheSuccessWithoutASession) {
  ReliableResponses responses(Invite("Require", "100rel"), 5);
  sip::Message ringing = sip::Message::Response(180);
  responses.Send(ringing, "", kStart);
  EXPECT_FALSE(responses.DelaysSuccess());
}

TEST(ReliableResponses, RememberWhatTheDialogHasAgreedOn) {
  ReliableResponses responses(Invite("Require", "100rel"), 5);
  sip::Message early = sip::Message::Response(183);
  responses.Send(early, "v=0", kStart);
  responses.OnPrack(PrackOf("5 7 INVITE"));
  sip::Message ringing = sip::Message::Response(180);
  responses.Send(ringing, "", kStart);
  EXPECT_EQ(responses.session(), "v=0");
  responses.BeginDialog();
  EXPECT_EQ(responses.session(), "");
}

TEST(ReliableResponses, AreSentAgainAtGrowingIntervalsForThirtyTwoSeconds) {
  ReliableResponses responses(Invite("Require", "100rel"), 5);
  sip::Message ringing = sip::Message::Response(180);
  responses.Send(ringing, "", kStart);
  absl::Time now = kStart;
  int copies = 0;
  for (;; ++copies) {
    now += responses.wait();
    const sip::Message* again = responses.Repeat(now);
    if (again == nullptr) break;
    EXPECT_EQ(again->Get(Header::kRSeq), "5");
  }
  // After 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s.
  EXPECT_EQ(copies, 6);
  EXPECT_EQ(now, kStart + absl::Seconds(32));
}

}  // namespace
}  // namespace sluice::call
