// Reliable provisional responses (RFC 3262), and what becomes possible with them: offers and answers ahead of the 2xx.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "signaling/call/call_test_bed.h"

namespace sluice::call {
namespace {

using sip::Header;

constexpr absl::string_view kSupported = "Supported: 100rel\r\nAllow: UPDATE\r\n";
constexpr absl::string_view kRequired = "Require: 100rel\r\n";

std::string Reliable(int rseq) { return absl::StrCat("Require: 100rel\r\nAllow: UPDATE\r\nRSeq: ", rseq, "\r\n"); }

sip::Message PrackOf(CallTestBed& bed, const Respond& response, uint32_t cseq, absl::string_view sdp = "") {
  return bed.InDialog(kCaller, "PRACK", cseq,
                      absl::StrCat("RAck: ", response.message.Get(Header::kRSeq), " 2 INVITE\r\n"), sdp);
}

// The callee's INVITE of a call whose caller says `fields`.
SendRequest Begin(CallTestBed& bed, absl::string_view fields, int callees = 1) {
  bed.Start(CallTestBed::Invite(fields), callees);
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  if (callees == 1) bed.Forget();
  return invite;
}

// Both sides have an answer ahead of the 2xx; answers the callee's INVITE. The caller's next CSeq is 4.
SendRequest AgreeEarly(CallTestBed& bed) {
  const SendRequest invite = Begin(bed, kSupported);
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.63"), Reliable(1)));
  const SendRequest prack = bed.Take<SendRequest>();
  bed.Reply(prack, CallTestBed::Answer(prack, 200));
  bed.Media();
  bed.Request(kCaller, PrackOf(bed, bed.Take<Respond>(), 3));
  bed.Forget();
  return invite;
}

TEST(CallReliable, OffersItselfToTheCalleeAndAcknowledgesEachResponseOnce) {
  CallTestBed bed;
  const SendRequest invite = Begin(bed, "");
  EXPECT_TRUE(invite.message.HasElement(Header::kSupported, "100rel"));
  bed.Reply(invite, CallTestBed::Answer(invite, 180, "", Reliable(70)));
  const SendRequest prack = bed.Take<SendRequest>();
  EXPECT_EQ(prack.message.method(), sip::Method::kPrack);
  EXPECT_EQ(prack.message.Get(Header::kRAck), absl::StrCat("70 ", invite.message.CSeqNumber(), " INVITE"));
  EXPECT_EQ(prack.message.CSeqNumber(), invite.message.CSeqNumber() + 1);
  EXPECT_EQ(prack.message.ToTag(), "callee1");
  const Respond ringing = bed.Take<Respond>();
  EXPECT_EQ(ringing.message.status(), 180);
  EXPECT_FALSE(ringing.message.Has(Header::kRSeq)) << "the caller knows nothing of it";
  EXPECT_FALSE(ringing.message.Has(Header::kRequire));
  bed.Reply(prack, CallTestBed::Answer(prack, 200));

  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 180, "", Reliable(70)));
  bed.Reply(invite, CallTestBed::Answer(invite, 183, "", Reliable(72)));
  EXPECT_FALSE(bed.Has<SendRequest>()) << "a copy, and one ahead of its time";
  EXPECT_FALSE(bed.Has<Respond>());
  bed.Reply(invite, CallTestBed::Answer(invite, 183, "", Reliable(71)));
  EXPECT_EQ(bed.Take<SendRequest>().message.RAck()->rseq, 71u);
}

TEST(CallReliable, AcknowledgesEveryBranchBehindTheCallee) {
  CallTestBed bed;
  const SendRequest invite = Begin(bed, "");
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.63"), Reliable(1), "one"));
  bed.Media();
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.64"), Reliable(9), "two"));
  const SendRequest first = bed.Take<SendRequest>();
  const SendRequest second = bed.Take<SendRequest>();
  EXPECT_EQ(first.message.ToTag(), "one");
  EXPECT_EQ(second.message.ToTag(), "two");
  EXPECT_EQ(second.message.RAck()->rseq, 9u);
  EXPECT_GT(second.message.CSeqNumber(), first.message.CSeqNumber());
  // The second one answers, and stands by what it has said reliably.
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, "", "", "two"));
  EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[1].address, "192.168.2.64");
  bed.Media();
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
}

TEST(CallReliable, SendsTheCallerWhatHasASessionReliablyWhereItSupportsThat) {
  CallTestBed bed;
  const SendRequest invite = Begin(bed, kSupported);
  bed.Reply(invite, CallTestBed::Answer(invite, 180));
  EXPECT_FALSE(bed.Take<Respond>().message.Has(Header::kRSeq));
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.63")));
  bed.Media();
  const Respond early = bed.Take<Respond>();
  EXPECT_EQ(early.message.Get(Header::kRequire), "100rel");
  EXPECT_TRUE(early.message.RSeq().has_value());
  EXPECT_TRUE(early.message.HasElement(Header::kAllow, "PRACK"));

  // The answer must not overtake it (RFC 3262 3).
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  EXPECT_TRUE(bed.Has<SendAck>());
  EXPECT_FALSE(bed.Has<Respond>());
  bed.Request(kCaller, PrackOf(bed, early, 3));
  const Respond acknowledged = bed.Take<Respond>();
  EXPECT_EQ(acknowledged.message.status(), 200);
  EXPECT_EQ(acknowledged.message.Get(Header::kCSeq), "3 PRACK");
  const Respond answer = bed.Take<Respond>();
  EXPECT_EQ(answer.message.status(), 200);
  EXPECT_EQ(answer.message.Get(Header::kCSeq), "2 INVITE");
  EXPECT_EQ(answer.message.ToTag(), early.message.ToTag());
  bed.Fire(CallTimer::kPrack);
  EXPECT_FALSE(bed.Has<Respond>()) << "nothing is sent again";
}

TEST(CallReliable, SendsEverythingReliablyToWhoRequiresItOneAfterTheOther) {
  CallTestBed bed;
  const SendRequest invite = Begin(bed, kRequired);
  bed.Reply(invite, CallTestBed::Answer(invite, 180));
  const Respond ringing = bed.Take<Respond>();
  const uint32_t rseq = ringing.message.RSeq().value_or(0);
  bed.Reply(invite, CallTestBed::Answer(invite, 181));
  EXPECT_FALSE(bed.Has<Respond>()) << "the first has not been acknowledged";
  bed.Request(kCaller, PrackOf(bed, ringing, 3));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  const Respond forwarded = bed.Take<Respond>();
  EXPECT_EQ(forwarded.message.status(), 181);
  EXPECT_EQ(forwarded.message.RSeq(), rseq + 1);
  // Without a session it does not hold the answer up, and its PRACK is still taken then.
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  bed.Request(kCaller, PrackOf(bed, forwarded, 4));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
}

TEST(CallReliable, RefusesAPrackThatAcknowledgesNothing) {
  CallTestBed bed;
  const SendRequest invite = Begin(bed, kRequired);
  bed.Reply(invite, CallTestBed::Answer(invite, 180));
  const Respond ringing = bed.Take<Respond>();
  bed.Request(kCaller, bed.InDialog(kCaller, "PRACK", 3, "RAck: 1 1 INVITE\r\n"));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 481);
  bed.Request(1, bed.InDialog(1, "PRACK", 3, "RAck: 1 1 INVITE\r\n"));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 481);
  bed.Fire(CallTimer::kPrack, absl::Milliseconds(500));
  EXPECT_EQ(bed.Take<Respond>().message.RSeq(), ringing.message.RSeq()) << "it is still awaited";
}

TEST(CallReliable, RepeatsAResponseAndGivesTheCallUpWhenNoPrackComes) {
  CallTestBed bed;
  const SendRequest invite = Begin(bed, kRequired);
  bed.Reply(invite, CallTestBed::Answer(invite, 180));
  const Respond ringing = bed.Take<Respond>();
  bed.Forget();
  absl::Duration wait = absl::Milliseconds(500);
  for (int copies = 0; copies < 6; ++copies) {
    bed.Fire(CallTimer::kPrack, wait);
    EXPECT_EQ(bed.Take<Respond>().message.Serialize(), ringing.message.Serialize());
    const absl::Duration next = bed.Take<SetTimer>().after;
    EXPECT_EQ(next, copies < 5 ? wait * 2 : absl::Milliseconds(500));
    wait = next;
  }
  bed.Fire(CallTimer::kPrack, wait);
  EXPECT_EQ(bed.Take<Respond>().message.status(), 504);
  EXPECT_EQ(bed.Take<CancelRequest>().number, invite.number);
  bed.Reply(invite, CallTestBed::Answer(invite, 487));
  EXPECT_EQ(bed.TakeEnd().sip_status, 504);
}

TEST(CallReliable, CarriesALateOfferFromTheEarlyResponseAndTheAnswerFromThePrack) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite(kSupported, ""));
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_TRUE(invite.message.HasElement(Header::kSupported, "100rel"));
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.63"), Reliable(5)));
  EXPECT_FALSE(bed.Has<SendRequest>()) << "the PRACK is to carry the answer";
  EXPECT_EQ(bed.Take<CreateMedia>().session.streams[0].legs[1].address, "192.168.2.63");
  bed.Media();
  const Respond offer = bed.Take<Respond>();
  EXPECT_TRUE(offer.message.Has(Header::kRSeq));
  EXPECT_TRUE(absl::StrContains(offer.message.body(), "m=audio 20000 "));
  bed.Request(kCaller, PrackOf(bed, offer, 3, PhoneSdp("198.18.1.2")));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[0].address, "198.18.1.2");
  bed.Media();
  const SendRequest prack = bed.Take<SendRequest>();
  EXPECT_EQ(prack.message.RAck()->rseq, 5u);
  EXPECT_TRUE(absl::StrContains(prack.message.body(), "m=audio 20010 ")) << prack.message.body();
  bed.Reply(prack, CallTestBed::Answer(prack, 200));

  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 200));
  EXPECT_TRUE(bed.Take<SendAck>().message.body().empty());
  const Respond answer = bed.Take<Respond>();
  EXPECT_EQ(answer.message.status(), 200);
  EXPECT_TRUE(answer.message.body().empty()) << "all has been agreed on";
  EXPECT_FALSE(bed.Has<UpdateMedia>());
}

TEST(CallReliable, AsksForNoEarlyOfferThatTheCallerCouldNotAnswer) {
  CallTestBed unable;
  unable.Start(CallTestBed::Invite("", ""));
  EXPECT_FALSE(unable.Take<SendRequest>().message.HasElement(Header::kSupported, "100rel"));
  CallTestBed several;
  several.Start(CallTestBed::Invite(kSupported, ""), 2);
  EXPECT_FALSE(several.Take<SendRequest>().message.HasElement(Header::kSupported, "100rel"));
}

TEST(CallReliable, RefusesTheCallerWhosePrackLeavesAnEarlyOfferUnanswered) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite(kSupported, ""));
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.63"), Reliable(5)));
  bed.Media();
  bed.Request(kCaller, PrackOf(bed, bed.Take<Respond>(), 3));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  EXPECT_EQ(bed.Take<Respond>().message.status(), 488);
  EXPECT_TRUE(bed.Has<CancelRequest>());
}

TEST(CallReliable, DropsTheAnswerToAnEarlyOfferWhoseCalleeHasToBeAskedAgain) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite(kSupported, ""));
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.63"), Reliable(5)));
  bed.Media();
  const Respond offer = bed.Take<Respond>();
  bed.Reply(invite, CallTestBed::Answer(invite, 422, "", "Min-SE: 300\r\n"));
  const SendRequest again = bed.Take<SendRequest>();
  EXPECT_EQ(again.message.method(), sip::Method::kInvite);
  bed.Request(kCaller, PrackOf(bed, offer, 3, PhoneSdp("198.18.1.2")));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  EXPECT_FALSE(bed.Has<SendRequest>()) << "nobody waits for it";
  bed.Reply(again, CallTestBed::Answer(again, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  EXPECT_TRUE(absl::StrContains(bed.Take<Respond>().message.body(), "m=audio 20000 "));
}

TEST(CallReliable, ContinuesInAnotherDialogWhenAnotherCalleeAnswersThanTheOneThatWasHeard) {
  CallTestBed bed;
  const SendRequest first = Begin(bed, kSupported, 2);
  const SendRequest second = bed.Take<SendRequest>();
  bed.Forget();
  bed.Reply(first, CallTestBed::Answer(first, 183, PhoneSdp("192.168.2.63")));
  bed.Media();
  const Respond early = bed.Take<Respond>();
  bed.Request(kCaller, PrackOf(bed, early, 3));
  bed.Forget();
  const std::string other = absl::StrReplaceAll(PhoneSdp("192.168.2.64"), {{"a=ptime:100", "a=ptime:20"}});
  bed.Reply(second, CallTestBed::Answer(second, 200, other));
  bed.Media();
  const DialogEnded ended = bed.Take<DialogEnded>();
  EXPECT_EQ(ended.leg, kCaller);
  EXPECT_EQ(ended.local_tag, early.message.ToTag());
  const DialogMade made = bed.Take<DialogMade>();
  const Respond answer = bed.Take<Respond>();
  EXPECT_EQ(answer.message.status(), 200);
  EXPECT_EQ(answer.message.ToTag(), made.local_tag);
  EXPECT_NE(answer.message.ToTag(), early.message.ToTag()) << "the caller holds another answer there";
  EXPECT_TRUE(absl::StrContains(answer.message.body(), "a=ptime:20\r\n"));
}

TEST(CallReliable, CarriesAnUpdateAheadOfTheAnswerFromEitherSide) {
  for (const LegNumber from : {kCaller, LegNumber{1}}) {
    CallTestBed bed;
    const SendRequest invite = AgreeEarly(bed);
    const std::string address = from == kCaller ? "198.18.1.2" : "192.168.2.63";
    bed.Request(from, bed.InDialog(from, "UPDATE", 4, "", PhoneSdp(address, 23000)));
    const SendRequest update = bed.Take<SendRequest>();
    EXPECT_EQ(update.leg, 1 - from);
    EXPECT_EQ(update.message.method(), sip::Method::kUpdate);
    EXPECT_TRUE(absl::StrContains(update.message.body(), from == kCaller ? "m=audio 20010 " : "m=audio 20000 "));

    // The callee's answer to the INVITE waits until this is agreed on.
    bed.Reply(invite, CallTestBed::Answer(invite, 200));
    EXPECT_FALSE(bed.Has<SendAck>());
    const std::string other = from == kCaller ? "192.168.2.63" : "198.18.1.2";
    bed.Reply(update, CallTestBed::Answer(update, 200, PhoneSdp(other)));
    EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[from].port, 23000);
    bed.Media();
    const Respond updated = bed.Take<Respond>();
    EXPECT_EQ(updated.message.Get(Header::kCSeq), "4 UPDATE");
    EXPECT_EQ(updated.message.status(), 200);
    EXPECT_TRUE(bed.Has<SendAck>());
    const Respond answer = bed.Take<Respond>();
    EXPECT_EQ(answer.message.Get(Header::kCSeq), "2 INVITE");
    EXPECT_EQ(answer.message.status(), 200);
    EXPECT_TRUE(answer.message.body().empty());
    EXPECT_FALSE(bed.Has<UpdateMedia>()) << "what was agreed on last stands";
  }
}

TEST(CallReliable, RefusesAnUpdateAheadOfTheAnswerWhileNothingIsAgreedOn) {
  CallTestBed bed;
  const SendRequest invite = Begin(bed, kSupported);
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.63"), Reliable(1)));
  bed.Media();
  bed.Forget();
  bed.Request(kCaller, bed.InDialog(kCaller, "UPDATE", 3, "", PhoneSdp("198.18.1.2", 23000)));
  const sip::Message refusal = bed.Take<Respond>().message;
  EXPECT_EQ(refusal.status(), 500);
  EXPECT_TRUE(refusal.Has(Header::kRetryAfter));
}

TEST(CallReliable, CarriesAnOfferFromThePrackAsUpdate) {
  CallTestBed bed;
  const SendRequest invite = Begin(bed, kSupported);
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.63"), Reliable(1)));
  bed.Media();
  const Respond early = bed.Take<Respond>();
  bed.Forget();
  bed.Request(kCaller, PrackOf(bed, early, 3, PhoneSdp("198.18.1.2", 23000)));
  EXPECT_FALSE(bed.Has<Respond>());
  const SendRequest update = bed.Take<SendRequest>();
  EXPECT_EQ(update.message.method(), sip::Method::kUpdate);
  bed.Reply(update, CallTestBed::Answer(update, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  const sip::Message answer = bed.Take<Respond>().message;
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.Get(Header::kCSeq), "3 PRACK");
  EXPECT_TRUE(absl::StrContains(answer.body(), "m=audio 20000 "));
}

TEST(CallReliable, RefusesAnOfferInAPrackThatTheCalleeCannotGetAndGoesOn) {
  CallTestBed bed;
  const SendRequest invite = Begin(bed, kSupported);
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.63")));
  bed.Media();
  const Respond early = bed.Take<Respond>();
  bed.Request(kCaller, PrackOf(bed, early, 3, PhoneSdp("198.18.1.2", 23000)));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 488);
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
}

TEST(CallReliable, AnswersAnUpdateWhoseCalleeFailsMeanwhileAndTellsTheCallerWhy) {
  CallTestBed bed;
  const SendRequest invite = AgreeEarly(bed);
  bed.Request(kCaller, bed.InDialog(kCaller, "UPDATE", 4, "", PhoneSdp("198.18.1.2", 23000)));
  bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 486));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 481);
  EXPECT_EQ(bed.Take<Respond>().message.status(), 486);
  EXPECT_EQ(bed.TakeEnd().sip_status, 486);
}

TEST(CallReliable, EndsTheCalleeThatAnswersWhileAnUpdateIsUnderWayAndTheCallerCancels) {
  CallTestBed bed;
  const SendRequest invite = AgreeEarly(bed);
  bed.Request(kCaller, bed.InDialog(kCaller, "UPDATE", 4, "", PhoneSdp("198.18.1.2", 23000)));
  const SendRequest update = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 200));
  bed.Do(bed.call().OnCancel(kCaller, 1, CallTestBed::Invite(), bed.now));
  EXPECT_EQ(bed.Take<SendAck>().number, invite.number);
  const SendRequest bye = bed.Take<SendRequest>();
  EXPECT_EQ(bye.message.method(), sip::Method::kBye);
  bed.Reply(bye, CallTestBed::Answer(bye, 200));
  EXPECT_EQ(bed.TakeEnd().sip_status, 487);
}

}  // namespace
}  // namespace sluice::call
