// Calls that do not come about, or end before their time.

#include "absl/strings/match.h"
#include "signaling/call/call_test_bed.h"

namespace sluice::call {
namespace {

using sip::Header;

// The status that the caller gets, after its 100.
uint16_t RefusalOf(const sip::Message& invite) {
  CallTestBed bed;
  bed.Start(invite);
  bed.Take<Respond>();
  const uint16_t status = bed.Take<Respond>().message.status();
  EXPECT_EQ(bed.TakeEnd().sip_status, status);
  return status;
}

TEST(Call, RefusesWhatCannotBeCarriedBeforeAnybodyIsAsked) {
  EXPECT_EQ(RefusalOf(CallTestBed::Invite("", "garbage")), 488);
  EXPECT_EQ(RefusalOf(CallTestBed::Invite("", "v=0\r\nc=IN IP4 198.18.1.2\r\nm=audio 0 RTP/AVP 0\r\n")), 488);
  EXPECT_EQ(RefusalOf(CallTestBed::Invite("", "v=0\r\nc=IN IP4 198.18.1.2\r\nm=message 9 TCP/MSRP *\r\n")), 488);
  EXPECT_EQ(RefusalOf(CallTestBed::Invite("", "v=0\r\nc=IN IP4 phone.example\r\nm=audio 9 RTP/AVP 0\r\n")), 488);
  EXPECT_EQ(RefusalOf(CallTestBed::Invite("Require: teleport\r\n")), 420);
  EXPECT_EQ(RefusalOf(CallTestBed::Invite("Supported: timer\r\nSession-Expires: 60\r\n")), 422);
  sip::Message last_hop = CallTestBed::Invite();
  last_hop.Set(Header::kMaxForwards, "0");
  EXPECT_EQ(RefusalOf(last_hop), 483);
}

TEST(Call, SaysWhichOptionsAndWhichIntervalItWants) {
  CallTestBed options;
  options.Start(CallTestBed::Invite("Require: teleport, timer\r\n"));
  options.Take<Respond>();
  EXPECT_EQ(options.Take<Respond>().message.Get(Header::kUnsupported), "teleport");
  CallTestBed interval;
  interval.Start(CallTestBed::Invite("Supported: timer\r\nSession-Expires: 60\r\n"));
  interval.Take<Respond>();
  EXPECT_EQ(interval.Take<Respond>().message.Get(Header::kMinSe), "90");
}

TEST(Call, AnswersThatThereIsNoRelayWithRetryAfter) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Take<Respond>();
  bed.Media(MediaAnswer::Outcome::kUnavailable);
  const sip::Message response = bed.Take<Respond>().message;
  EXPECT_EQ(response.status(), 503);
  EXPECT_EQ(response.Get(Header::kRetryAfter), "5");
  EXPECT_FALSE(bed.Has<SendRequest>());
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kController);
}

TEST(Call, AnswersTheSameWhenTheRelayIsSilent) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Take<Respond>();
  bed.Fire(CallTimer::kAnswerWait, absl::Seconds(3));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 503);
  EXPECT_EQ(bed.TakeEnd().sip_status, 503);
}

TEST(Call, CarriesTheCalleesRefusalAcross) {
  const struct {
    uint16_t status;
    uint16_t cause;
  } kCases[] = {{486, 17}, {603, 21}, {480, 18}, {404, 1}, {500, 41}, {600, 17}};
  for (const auto& [status, cause] : kCases) {
    CallTestBed bed;
    bed.Start(CallTestBed::Invite());
    bed.Media();
    const SendRequest invite = bed.Take<SendRequest>();
    bed.Take<Respond>();
    bed.Reply(invite, CallTestBed::Answer(invite, status, "", "Reason: SIP;cause=399\r\nX-Why: because\r\n"));
    const Respond response = bed.Take<Respond>();
    EXPECT_EQ(response.message.status(), status);
    EXPECT_EQ(response.message.CallId(), "509381976447");
    EXPECT_EQ(response.message.Get(Header::kReason), "SIP;cause=399");
    EXPECT_EQ(response.message.Get("X-Why"), "because");
    EXPECT_FALSE(response.message.Has(Header::kContact)) << "B's address is nobody's business";
    const Ended end = bed.TakeEnd();
    EXPECT_EQ(end.by, Ended::By::kCallee);
    EXPECT_EQ(end.sip_status, status);
    EXPECT_EQ(end.q850_cause, cause);
  }
}

TEST(Call, EndsWithTheCauseThatTheRefusalNames) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Take<Respond>();
  bed.Reply(invite, CallTestBed::Answer(invite, 480, "", "Reason: SIP;cause=480, Q.850;cause=27;text=\"gone\"\r\n"));
  EXPECT_EQ(bed.Take<Respond>().message.Get(Header::kReason), "SIP;cause=480, Q.850;cause=27;text=\"gone\"");
  const Ended end = bed.TakeEnd();
  EXPECT_EQ(end.sip_status, 480);
  EXPECT_EQ(end.q850_cause, 27);
}

TEST(Call, DoesNotPassAChallengeForCredentialsThatTheCallerHasNot) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Take<Respond>();
  bed.Reply(invite, CallTestBed::Answer(invite, 407, "", "Proxy-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n"));
  const sip::Message response = bed.Take<Respond>().message;
  EXPECT_EQ(response.status(), 502);
  EXPECT_EQ(response.Get(Header::kReason), "SIP;cause=407");
  EXPECT_FALSE(response.Has(Header::kProxyAuthenticate));
}

TEST(Call, PassesTheTargetsOfARedirection) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Take<Respond>();
  bed.Reply(invite, CallTestBed::Answer(invite, 302));
  const sip::Message response = bed.Take<Respond>().message;
  EXPECT_EQ(response.status(), 302);
  EXPECT_TRUE(absl::StrContains(response.Get(Header::kContact), kCalleeContact));
}

TEST(Call, CallsACalleeThatNeverAnswersTimedOut) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Take<Respond>();
  bed.Do(bed.call().OnRequestFailed(1, invite.number, sip::TransactionFailure::kTimeout, bed.now));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 408);
  EXPECT_EQ(bed.TakeEnd().sip_status, 408);
}

TEST(Call, GivesUpRingingInTimeAndCancels) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 180));
  bed.Forget();
  bed.Fire(CallTimer::kRing, absl::Seconds(180));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 408);
  EXPECT_EQ(bed.Take<CancelRequest>().number, invite.number);
  EXPECT_FALSE(bed.call().ended()) << "the callee's 487 is still to come";
  bed.Reply(invite, CallTestBed::Answer(invite, 487));
  EXPECT_TRUE(bed.call().ended());
}

TEST(Call, CancelsTheCalleeWhenTheCallerCancels) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 180));
  const sip::Message cancel = bed.InDialog(kCaller, "CANCEL", 2, "Reason: SIP;cause=600\r\nReason: Q.850;cause=31\r\n");
  bed.Forget();
  bed.Do(bed.call().OnCancel(kCaller, 1, cancel, bed.now));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 487);
  const CancelRequest cancelled = bed.Take<CancelRequest>();
  EXPECT_EQ(cancelled.number, invite.number);
  EXPECT_EQ(cancelled.reason, "SIP;cause=600");
  EXPECT_TRUE(bed.Has<DeleteMedia>());
  bed.Reply(invite, CallTestBed::Answer(invite, 487));
  const Ended end = bed.Take<Ended>();
  EXPECT_EQ(end.by, Ended::By::kCaller);
  EXPECT_EQ(end.sip_status, 487);
  EXPECT_EQ(end.q850_cause, 31);
}

TEST(Call, EndsTheCalleesDialogWhenItsAnswerCrossesTheCancel) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 180));
  bed.Do(bed.call().OnCancel(kCaller, 1, bed.InDialog(kCaller, "CANCEL", 2), bed.now));
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  EXPECT_EQ(bed.Take<SendAck>().message.CSeqNumber(), invite.message.CSeqNumber());
  const SendRequest bye = bed.Take<SendRequest>();
  EXPECT_EQ(bye.message.method(), sip::Method::kBye);
  EXPECT_EQ(bye.message.ToTag(), "callee1");
  bed.Reply(bye, CallTestBed::Answer(bye, 200));
  EXPECT_EQ(bed.TakeEnd().sip_status, 487);
}

TEST(Call, GivesUpACalleeThatAnswersNeitherCancelNorInvite) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  bed.Do(bed.call().OnCancel(kCaller, 1, CallTestBed::Invite(), bed.now));
  EXPECT_FALSE(bed.call().ended());
  bed.Fire(CallTimer::kRing, absl::Seconds(32));
  EXPECT_EQ(bed.TakeEnd().sip_status, 487);
}

TEST(Call, EndsCleanlyWhenTheAnswerDoesNotFitTheOffer) {
  for (const absl::string_view sdp : {"v=0\r\nc=IN IP4 198.18.1.9\r\nm=audio 4000 RTP/AVP 0\r\n", "garbage", ""}) {
    CallTestBed bed;
    bed.Start(CallTestBed::Invite());
    bed.Media();
    const SendRequest invite = bed.Take<SendRequest>();
    bed.Take<Respond>();
    bed.Reply(invite, CallTestBed::Answer(invite, 200, sdp));
    EXPECT_TRUE(bed.Has<SendAck>());
    EXPECT_EQ(bed.Take<Respond>().message.status(), 488);
    const SendRequest bye = bed.Take<SendRequest>();
    EXPECT_EQ(bye.leg, 1u);
    bed.Reply(bye, CallTestBed::Answer(bye, 200));
    EXPECT_EQ(bed.TakeEnd().sip_status, 488);
  }
}

TEST(Call, EndsWhenTheRelayRefusesTheCalleesAddress) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Take<Respond>();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("127.0.0.1")));
  bed.Media(MediaAnswer::Outcome::kRefused);
  EXPECT_EQ(bed.Take<Respond>().message.status(), 488);
  EXPECT_EQ(bed.Take<SendRequest>().message.method(), sip::Method::kBye);
}

TEST(Call, RingsAllCalleesAndTakesTheFirstThatAnswers) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite(), 3);
  bed.Media();
  SendRequest invites[] = {bed.Take<SendRequest>(), bed.Take<SendRequest>(), bed.Take<SendRequest>()};
  EXPECT_NE(invites[0].message.CallId(), invites[1].message.CallId());
  for (const SendRequest& invite : invites) bed.Reply(invite, CallTestBed::Answer(invite, 180));
  EXPECT_EQ(bed.Count<Progress>(), 1) << "it rings once";
  bed.Forget();
  bed.Reply(invites[1], CallTestBed::Answer(invites[1], 200, PhoneSdp("192.168.2.64")));
  const CancelRequest first = bed.Take<CancelRequest>();
  EXPECT_EQ(first.number, invites[0].number);
  EXPECT_EQ(first.reason, "SIP;cause=200;text=\"Call completed elsewhere\"");
  EXPECT_EQ(bed.Take<CancelRequest>().number, invites[2].number);
  bed.Media();
  EXPECT_EQ(bed.Take<Progress>().leg, 2u);
  bed.Forget();
  // One is cancelled, the other's answer crosses the CANCEL.
  bed.Reply(invites[0], CallTestBed::Answer(invites[0], 487));
  bed.Reply(invites[2], CallTestBed::Answer(invites[2], 200, PhoneSdp("192.168.2.65")));
  EXPECT_EQ(bed.Take<SendAck>().leg, 3u);
  EXPECT_EQ(bed.Take<SendRequest>().leg, 3u);
  EXPECT_FALSE(bed.Has<Respond>());
}

TEST(Call, AnswersTheBestOfTheRefusalsOfSeveralCallees) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite(), 3);
  bed.Media();
  SendRequest invites[] = {bed.Take<SendRequest>(), bed.Take<SendRequest>(), bed.Take<SendRequest>()};
  bed.Take<Respond>();
  bed.Reply(invites[0], CallTestBed::Answer(invites[0], 480));
  bed.Reply(invites[1], CallTestBed::Answer(invites[1], 486));
  EXPECT_FALSE(bed.Has<Respond>()) << "one still rings";
  bed.Do(bed.call().OnRequestFailed(3, invites[2].number, sip::TransactionFailure::kTimeout, bed.now));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 486);
  EXPECT_EQ(bed.TakeEnd().sip_status, 486);
}

TEST(Call, DividesItsBreadthAmongTheCallees) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite("Max-Breadth: 5\r\n"), 2);
  bed.Media();
  EXPECT_EQ(bed.Take<SendRequest>().message.Get(Header::kMaxBreadth), "2");
  EXPECT_EQ(bed.Take<SendRequest>().message.Get(Header::kMaxBreadth), "2");
  CallTestBed alone;
  alone.Start(CallTestBed::Invite());
  alone.Media();
  EXPECT_FALSE(alone.Take<SendRequest>().message.Has(Header::kMaxBreadth)) << "nothing forks";
  CallTestBed narrow;
  narrow.Start(CallTestBed::Invite("Max-Breadth: 1\r\n"), 2);
  narrow.Take<Respond>();
  narrow.Media();
  EXPECT_FALSE(narrow.Has<SendRequest>());
  EXPECT_EQ(narrow.Take<Respond>().message.status(), 440);
}

TEST(Call, StopsRingingEverywhereWhenOneDeclinesForAll) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite(), 2);
  bed.Media();
  SendRequest invites[] = {bed.Take<SendRequest>(), bed.Take<SendRequest>()};
  bed.Take<Respond>();
  bed.Reply(invites[0], CallTestBed::Answer(invites[0], 603));
  EXPECT_EQ(bed.Take<CancelRequest>().number, invites[1].number);
  EXPECT_EQ(bed.Take<Respond>().message.status(), 603);
  bed.Reply(invites[1], CallTestBed::Answer(invites[1], 487));
  EXPECT_EQ(bed.TakeEnd().sip_status, 603);
}

TEST(Call, EndsTheDialogOfASecondForkBehindTheCallee) {
  CallTestBed bed;
  const SendRequest invite = bed.Establish();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.77"), "", "other"));
  EXPECT_EQ(bed.Take<SendAck>().message.ToTag(), "other");
  const SendRequest bye = bed.Take<SendRequest>();
  EXPECT_EQ(bye.message.method(), sip::Method::kBye);
  EXPECT_EQ(bye.message.ToTag(), "other");
  EXPECT_FALSE(bed.Has<Progress>()) << "the call goes on";
  // The same 2xx again is the transaction layer's affair.
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  EXPECT_FALSE(bed.Has<SendRequest>());
}

TEST(Call, IsEndedByAnOperatorBeforeAndAfterTheAnswer) {
  CallTestBed ringing;
  ringing.Start(CallTestBed::Invite());
  ringing.Media();
  const SendRequest invite = ringing.Take<SendRequest>();
  ringing.Take<Respond>();
  ringing.Do(ringing.call().HangUp(Ended::By::kOperator, "by hand", ringing.now));
  EXPECT_EQ(ringing.Take<Respond>().message.status(), 480);
  EXPECT_EQ(ringing.Take<CancelRequest>().number, invite.number);
  ringing.Reply(invite, CallTestBed::Answer(invite, 487));
  EXPECT_EQ(ringing.TakeEnd().by, Ended::By::kOperator);

  CallTestBed answered;
  answered.Establish();
  answered.Do(answered.call().HangUp(Ended::By::kOperator, "by hand", answered.now));
  const SendRequest first = answered.Take<SendRequest>();
  const SendRequest second = answered.Take<SendRequest>();
  EXPECT_EQ(first.message.Get(Header::kReason), "Q.850;cause=16;text=\"by hand\"");
  answered.Reply(first, CallTestBed::Answer(first, 200));
  answered.Reply(second, CallTestBed::Answer(second, 200));
  EXPECT_EQ(answered.TakeEnd().text, "by hand");
}

TEST(Call, EndsBothLegsWhenTheirMediaIsSilent) {
  CallTestBed bed;
  bed.Establish();
  bed.Do(bed.call().OnMediaTimeout("no packet for 60 s", bed.now));
  EXPECT_EQ(bed.Count<SendRequest>(), 2);
  EXPECT_TRUE(bed.Has<DeleteMedia>());
  for (int i = 0; i < 2; ++i) {
    const SendRequest bye = bed.Take<SendRequest>();
    bed.Reply(bye, CallTestBed::Answer(bye, 200));
  }
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kMediaTimeout);
}

}  // namespace
}  // namespace sluice::call
