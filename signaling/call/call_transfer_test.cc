// Transfers that we make on the transferor's behalf (RFC 3515, RFC 5589).

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "signaling/call/call_test_bed.h"

namespace sluice::call {
namespace {

using sip::Header;

constexpr absl::string_view kReferTo = "Refer-To: <sip:20002230009@198.18.1.1;method=INVITE>\r\n";

// `from` refers the other side; answers what the agent is asked for.
FindTarget Refer(CallTestBed& bed, LegNumber from, uint32_t cseq = 3, absl::string_view fields = kReferTo) {
  bed.Request(from, bed.InDialog(from, "REFER", cseq, fields));
  const Respond accepted = bed.Take<Respond>();
  EXPECT_EQ(accepted.leg, from);
  EXPECT_EQ(accepted.message.status(), 202);
  return bed.Take<FindTarget>();
}

// The next NOTIFY to `leg`, answered.
sip::Message TakeNotify(CallTestBed& bed, LegNumber leg) {
  const SendRequest notify = bed.Take<SendRequest>();
  EXPECT_EQ(notify.leg, leg);
  EXPECT_EQ(notify.message.method(), sip::Method::kNotify);
  bed.Reply(notify, CallTestBed::Answer(notify, 200));
  return notify.message;
}

// The target's INVITE of a transfer by `from` of a standing call.
SendRequest BeginTransfer(CallTestBed& bed, LegNumber from) {
  bed.Establish();
  Refer(bed, from);
  TakeNotify(bed, from);
  bed.Do(bed.call().OnRoute(1, 0, {CallTestBed::Callee(2)}, bed.now));
  return bed.Take<SendRequest>();
}

// From the target's 200 on: the other side takes its offer, the target gets the answer, the transferor is let go.
void FinishTransfer(CallTestBed& bed, LegNumber from, const SendRequest& invite) {
  const LegNumber other = 1 - from;
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.2", 31000, 31070)));
  EXPECT_FALSE(bed.Has<SendAck>()) << "it is to carry the answer";
  EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[from].address, "192.168.2.2");
  bed.Media();
  const SendRequest offer = bed.Take<SendRequest>();
  EXPECT_EQ(offer.leg, other);
  EXPECT_EQ(offer.message.method(), sip::Method::kInvite);
  EXPECT_TRUE(absl::StrContains(offer.message.body(), other == 0 ? "m=audio 20000 " : "m=audio 20010 "));
  const std::string address = other == 0 ? "198.18.1.2" : "192.168.2.63";
  bed.Reply(offer, CallTestBed::Answer(offer, 200, PhoneSdp(address, 23000)));
  EXPECT_EQ(bed.Take<SendAck>().leg, other);
  const MediaSession session = bed.Take<UpdateMedia>().session;
  EXPECT_EQ(session.streams[0].legs[other].port, 23000);
  EXPECT_EQ(session.streams[0].legs[from].port, 31000);
  bed.Media();
  const SendAck ack = bed.Take<SendAck>();
  EXPECT_EQ(ack.leg, invite.leg);
  EXPECT_TRUE(absl::StrContains(ack.message.body(), other == 0 ? "m=audio 20010 " : "m=audio 20000 "));
}

TEST(CallTransfer, PutsTheTargetInThePlaceOfEitherSide) {
  for (const LegNumber from : {kCaller, LegNumber{1}}) {
    const LegNumber other = 1 - from;
    CallTestBed bed;
    bed.Establish();
    const FindTarget route = Refer(bed, from);
    EXPECT_EQ(route.leg, from);
    EXPECT_TRUE(route.is_transfer);
    EXPECT_EQ(route.account, from == kCaller ? "20002230001" : "20002230000");
    EXPECT_EQ(route.number, route.account);
    EXPECT_EQ(route.target, "sip:20002230009@198.18.1.1");
    const sip::Message trying = TakeNotify(bed, from);
    EXPECT_EQ(trying.body(), "SIP/2.0 100 Trying\r\n");
    EXPECT_EQ(trying.Get(Header::kEvent), "refer;id=3");
    EXPECT_TRUE(absl::StartsWith(trying.Get(Header::kSubscriptionState), "active"));

    bed.Do(bed.call().OnRoute(1, 0, {CallTestBed::Callee(2)}, bed.now));
    const SendRequest invite = bed.Take<SendRequest>();
    EXPECT_EQ(invite.leg, 2u);
    EXPECT_EQ(bed.Take<DialogMade>().leg, 2u);
    EXPECT_TRUE(invite.message.body().empty()) << "the target makes the offer";
    EXPECT_TRUE(absl::StrContains(invite.message.Get(Header::kFrom), other == kCaller ? "20002230001" : "20002230000"))
        << "it is called by the one that stays";
    EXPECT_EQ(invite.message.Get(Header::kTo), "<sip:20002230009@198.18.1.1>");
    EXPECT_TRUE(
        absl::StrContains(invite.message.Get(Header::kReferredBy), from == kCaller ? "20002230001" : "20002230000"));

    bed.Reply(invite, CallTestBed::Answer(invite, 180));
    EXPECT_EQ(TakeNotify(bed, from).body(), "SIP/2.0 180 Ringing\r\n");
    bed.Reply(invite, CallTestBed::Answer(invite, 180));
    EXPECT_FALSE(bed.Has<SendRequest>()) << "it has been told";

    FinishTransfer(bed, from, invite);
    const sip::Message done = TakeNotify(bed, from);
    EXPECT_EQ(done.body(), "SIP/2.0 200 OK\r\n");
    EXPECT_EQ(done.Get(Header::kSubscriptionState), "terminated;reason=noresource");
    const LegEnded let_go = bed.Take<LegEnded>();
    EXPECT_EQ(let_go.leg, from);
    EXPECT_EQ(let_go.by, Ended::By::kController);
    EXPECT_EQ(let_go.q850_cause, 16);
    const SendRequest bye = bed.Take<SendRequest>();
    EXPECT_EQ(bye.leg, from);
    EXPECT_EQ(bye.message.method(), sip::Method::kBye);
    bed.Reply(bye, CallTestBed::Answer(bye, 200));
    EXPECT_FALSE(bed.call().ended());

    // Now the two are one call.
    bed.Forget();
    bed.Request(other, bed.InDialog(other, "BYE", 9));
    const SendRequest last = bed.Take<SendRequest>();
    EXPECT_EQ(last.leg, 2u);
    bed.Reply(last, CallTestBed::Answer(last, 200));
    EXPECT_FALSE(bed.Has<LegEnded>()) << "these end with the call";
    EXPECT_EQ(bed.TakeEnd().by, other == kCaller ? Ended::By::kCaller : Ended::By::kCallee);
  }
}

TEST(CallTransfer, GoesOnWhenTheTransferorHangsUpAtOnce) {
  CallTestBed bed;
  const SendRequest invite = BeginTransfer(bed, kCaller);
  bed.Request(kCaller, bed.InDialog(kCaller, "BYE", 4));
  EXPECT_EQ(bed.Take<LegEnded>().by, Ended::By::kCaller);
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  EXPECT_FALSE(bed.Has<SendRequest>()) << "the callee stays";
  bed.Reply(invite, CallTestBed::Answer(invite, 180));
  EXPECT_FALSE(bed.Has<SendRequest>()) << "there is nobody to tell";
  FinishTransfer(bed, kCaller, invite);
  EXPECT_FALSE(bed.Has<SendRequest>());
  bed.Do(bed.call().HangUp(Ended::By::kOperator, "test", bed.now));
  const SendRequest first = bed.Take<SendRequest>();
  const SendRequest second = bed.Take<SendRequest>();
  EXPECT_EQ(first.leg, 1u);
  EXPECT_EQ(second.leg, 2u);
  bed.Reply(first, CallTestBed::Answer(first, 200));
  bed.Reply(second, CallTestBed::Answer(second, 200));
  bed.TakeEnd();
}

TEST(CallTransfer, LeavesTheCallAsItIsWhenTheTargetRefuses) {
  CallTestBed bed;
  const SendRequest invite = BeginTransfer(bed, 1);
  bed.Reply(invite, CallTestBed::Answer(invite, 486));
  const sip::Message busy = TakeNotify(bed, 1);
  EXPECT_EQ(busy.body(), "SIP/2.0 486 Busy Here\r\n");
  EXPECT_EQ(busy.Get(Header::kSubscriptionState), "terminated;reason=noresource");
  EXPECT_FALSE(bed.Has<SendRequest>());
  EXPECT_FALSE(bed.Has<UpdateMedia>());
  // Another try is welcome.
  Refer(bed, 1, 5);
}

TEST(CallTransfer, TellsWhyWhereNobodyCanBeInvited) {
  CallTestBed bed;
  bed.Establish();
  Refer(bed, kCaller);
  TakeNotify(bed, kCaller);
  bed.Do(bed.call().OnRoute(1, 404, {}, bed.now));
  EXPECT_EQ(TakeNotify(bed, kCaller).body(), "SIP/2.0 404 Not Found\r\n");
}

TEST(CallTransfer, EndsTheCallWhenItFailsAndTheTransferorHasGone) {
  CallTestBed bed;
  const SendRequest invite = BeginTransfer(bed, kCaller);
  bed.Request(kCaller, bed.InDialog(kCaller, "BYE", 4));
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 486));
  const SendRequest bye = bed.Take<SendRequest>();
  EXPECT_EQ(bye.leg, 1u);
  EXPECT_EQ(bye.message.method(), sip::Method::kBye);
  bed.Reply(bye, CallTestBed::Answer(bye, 200));
  const Ended end = bed.TakeEnd();
  EXPECT_EQ(end.q850_cause, 17);
  EXPECT_EQ(end.text, "the transfer has failed: 486 Busy Here");
}

TEST(CallTransfer, GivesUpATargetThatDoesNotAnswer) {
  CallTestBed bed;
  const SendRequest invite = BeginTransfer(bed, kCaller);
  bed.Fire(CallTimer::kTransfer, absl::Seconds(180));
  EXPECT_EQ(TakeNotify(bed, kCaller).body(), "SIP/2.0 408 Request Timeout\r\n");
  EXPECT_EQ(bed.Take<CancelRequest>().number, invite.number);
  // Its answer crosses the CANCEL.
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.2")));
  EXPECT_TRUE(bed.Has<SendAck>());
  EXPECT_EQ(bed.Take<SendRequest>().message.method(), sip::Method::kBye);
  EXPECT_FALSE(bed.call().ended());
}

TEST(CallTransfer, GoesBackWhenTheOtherSideDoesNotTakeTheTargetsOffer) {
  CallTestBed bed;
  const SendRequest invite = BeginTransfer(bed, kCaller);
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.2", 31000, 31070)));
  bed.Media();
  bed.Take<UpdateMedia>();
  const SendRequest offer = bed.Take<SendRequest>();
  bed.Reply(offer, CallTestBed::Answer(offer, 488));
  EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[0].address, "198.18.1.2");
  EXPECT_EQ(TakeNotify(bed, kCaller).body(), "SIP/2.0 488 Not Acceptable Here\r\n");
  EXPECT_EQ(bed.Take<SendAck>().leg, 2u);
  const SendRequest bye = bed.Take<SendRequest>();
  EXPECT_EQ(bye.leg, 2u);
  bed.Reply(bye, CallTestBed::Answer(bye, 200));
  bed.Media();
  bed.Forget();
  bed.Request(kCaller, bed.InDialog(kCaller, "INFO", 5));
  EXPECT_EQ(bed.Take<SendRequest>().leg, 1u) << "they talk as before";
}

TEST(CallTransfer, KeepsThePlaceOfMediaLinesThatTheTargetHasNot) {
  CallTestBed bed;
  const SendRequest invite = BeginTransfer(bed, kCaller);
  bed.Reply(invite, CallTestBed::Answer(invite, 200,
                                        "v=0\r\nc=IN IP4 192.168.2.2\r\nm=audio 31000 RTP/AVP 114\r\n"
                                        "a=rtpmap:114 AMR/8000\r\n"));
  bed.Media();
  const SendRequest offer = bed.Take<SendRequest>();
  EXPECT_TRUE(absl::StrContains(offer.message.body(), "m=video 0 RTP/AVP 126")) << offer.message.body();
  bed.Reply(offer, CallTestBed::Answer(offer, 200, PhoneSdp("192.168.2.63", 21000, 0)));
  bed.Media();
  const SendAck to_other = bed.Take<SendAck>();
  EXPECT_EQ(to_other.leg, 1u);
  const std::string answer(bed.Take<SendAck>().message.body());
  EXPECT_TRUE(absl::StrContains(answer, "m=audio ")) << answer;
  EXPECT_FALSE(absl::StrContains(answer, "m=video")) << "the target knows of none";
}

TEST(CallTransfer, WaitsForAnExchangeThatIsUnderWay) {
  CallTestBed bed;
  const SendRequest invite = BeginTransfer(bed, kCaller);
  bed.Request(1, bed.InDialog(1, "INVITE", 4, "", PhoneSdp("192.168.2.63", 25000)));
  bed.Take<Respond>();
  const SendRequest passed = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.2", 31000, 31070)));
  EXPECT_FALSE(bed.Has<UpdateMedia>());
  bed.Reply(passed, CallTestBed::Answer(passed, 200, PhoneSdp("198.18.1.2")));
  bed.Media();
  bed.Take<UpdateMedia>();
  EXPECT_FALSE(bed.Has<UpdateMedia>()) << "the ACK has not come";
  bed.Ack(1, bed.InDialog(1, "ACK", 4));
  EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[0].address, "192.168.2.2");
}

TEST(CallTransfer, TriesAgainWhenItsOfferMeetsOneOfTheOtherSide) {
  CallTestBed bed;
  const SendRequest invite = BeginTransfer(bed, kCaller);
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.2", 31000, 31070)));
  bed.Media();
  for (int tries = 0; tries < 3; ++tries) {
    const SendRequest offer = bed.Take<SendRequest>();
    bed.Forget();
    bed.Reply(offer, CallTestBed::Answer(offer, 491));
    const SetTimer wait = bed.Take<SetTimer>();
    EXPECT_EQ(wait.timer, CallTimer::kTransfer);
    EXPECT_EQ(wait.after, absl::Milliseconds(2100)) << "the callee's Call-ID is ours";
    bed.Fire(CallTimer::kTransfer, wait.after);
  }
  const SendRequest last = bed.Take<SendRequest>();
  bed.Reply(last, CallTestBed::Answer(last, 491));
  EXPECT_EQ(TakeNotify(bed, kCaller).body(), "SIP/2.0 491 Request Pending\r\n");
}

TEST(CallTransfer, GivesATargetUpThoughTheOthersNegotiateMeanwhile) {
  CallTestBed bed;
  const SendRequest invite = BeginTransfer(bed, kCaller);
  bed.Request(1, bed.InDialog(1, "INVITE", 4, "", PhoneSdp("192.168.2.63", 25000)));
  bed.Take<Respond>();
  const SendRequest passed = bed.Take<SendRequest>();
  bed.Fire(CallTimer::kTransfer, absl::Seconds(180));
  EXPECT_EQ(TakeNotify(bed, kCaller).body(), "SIP/2.0 408 Request Timeout\r\n");
  EXPECT_EQ(bed.Take<CancelRequest>().number, invite.number);
  bed.Reply(passed, CallTestBed::Answer(passed, 200, PhoneSdp("198.18.1.2")));
  bed.Media();
  EXPECT_EQ(bed.Take<Respond>().message.Get(Header::kCSeq), "4 INVITE");
}

TEST(CallTransfer, TakesTheFirstOfSeveralTargetsAndCancelsTheOthers) {
  CallTestBed bed;
  bed.Establish();
  Refer(bed, kCaller);
  TakeNotify(bed, kCaller);
  bed.Do(bed.call().OnRoute(1, 0, {CallTestBed::Callee(2), CallTestBed::Callee(3)}, bed.now));
  const SendRequest first = bed.Take<SendRequest>();
  const SendRequest second = bed.Take<SendRequest>();
  bed.Reply(second, CallTestBed::Answer(second, 200, PhoneSdp("192.168.2.3")));
  EXPECT_EQ(bed.Take<CancelRequest>().number, first.number);
  EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[0].address, "192.168.2.3");
}

TEST(CallTransfer, AsksWhoIsBehindTheCallThatTheTransferorHasWithTheTarget) {
  CallTestBed bed;
  bed.Establish();
  const FindTarget route = Refer(
      bed, kCaller, 3, "Refer-To: <sip:20002230009@198.18.1.1?Replaces=call2%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs>\r\n");
  ASSERT_TRUE(route.replaces.has_value());
  EXPECT_EQ(route.replaces->ToString(), "call2;to-tag=ours;from-tag=theirs");
  EXPECT_EQ(route.target, "sip:20002230009@198.18.1.1");
  TakeNotify(bed, kCaller);
  Party target = CallTestBed::Callee(2);
  target.invitation =
      std::make_shared<const Invitation>(Invitation{.replaces = "call2b;to-tag=targets;from-tag=ours2"});
  bed.Do(bed.call().OnRoute(1, 0, {target}, bed.now));
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_EQ(invite.message.Get(Header::kReplaces), "call2b;to-tag=targets;from-tag=ours2");
  FinishTransfer(bed, kCaller, invite);
}

TEST(CallTransfer, SaysWhoIsAtTheOtherEndOfADialogThatIsToBeReplaced) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  EXPECT_FALSE(bed.call().FindReplacement(kCaller, "z9hG4bK73846736").has_value())
      << "the callee has not begun its dialog (RFC 3891 3)";
  CallTestBed answered;
  const SendRequest invite = answered.Establish();
  const std::optional<Replacement> callee = answered.call().FindReplacement(kCaller, "z9hG4bK73846736");
  ASSERT_TRUE(callee.has_value());
  EXPECT_EQ(callee->account, "20002230001");
  EXPECT_EQ(callee->number, "20002230000");
  EXPECT_EQ(callee->party.account, "20002230000");
  EXPECT_EQ(callee->party.target_uri, kCalleeContact);
  EXPECT_EQ(callee->party.hop.remote.ToString(), kCalleeSeenAt);
  EXPECT_EQ(callee->party.invitation->replaces,
            absl::StrCat(invite.message.CallId(), ";to-tag=callee1;from-tag=", invite.message.FromTag()));
  const std::optional<Replacement> caller = answered.call().FindReplacement(1, "callee1");
  ASSERT_TRUE(caller.has_value());
  EXPECT_EQ(caller->party.target_uri, "sip:20002230001@198.18.1.2:45426;transport=udp");
  EXPECT_TRUE(absl::StartsWith(caller->party.invitation->replaces, "509381976447;to-tag=z9hG4bK73846736;from-tag=tag"));

  EXPECT_FALSE(answered.call().FindReplacement(kCaller, "callee1").has_value()) << "the tag is another's";
  EXPECT_FALSE(answered.call().FindReplacement(7, "callee1").has_value());
  answered.Request(kCaller, answered.InDialog(kCaller, "BYE", 3));
  EXPECT_FALSE(answered.call().FindReplacement(1, "callee1").has_value()) << "it is over";
}

TEST(CallTransfer, SaysWhoseCallIsPickedUpWhereAPhoneRings) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 100));
  EXPECT_FALSE(bed.call().FindReplacement(1, "callee1").has_value()) << "the caller has not heard of it";
  bed.Reply(invite, CallTestBed::Answer(invite, 180));
  const std::optional<Replacement> caller = bed.call().FindReplacement(1, "callee1");
  ASSERT_TRUE(caller.has_value());
  EXPECT_TRUE(caller->is_early);
  EXPECT_EQ(caller->account, "20002230000");
  EXPECT_EQ(caller->number, "20002230001");
  EXPECT_EQ(caller->party.target_uri, "sip:20002230001@198.18.1.2:45426;transport=udp");
  EXPECT_TRUE(absl::StartsWith(caller->party.invitation->replaces, "509381976447;to-tag=z9hG4bK73846736;from-tag=tag"));
  EXPECT_TRUE(absl::EndsWith(caller->party.invitation->replaces, ";early-only"));
  EXPECT_FALSE(bed.call().FindReplacement(kCaller, "z9hG4bK73846736").has_value());
  bed.Reply(invite, CallTestBed::Answer(invite, 486));
  EXPECT_FALSE(bed.call().FindReplacement(1, "callee1").has_value()) << "it is over";
}

TEST(CallTransfer, MakesNoSubscriptionForWhoWantsNone) {
  CallTestBed bed;
  bed.Establish();
  bed.Request(kCaller, bed.InDialog(kCaller, "REFER", 3, absl::StrCat(kReferTo, "Refer-Sub: false\r\n")));
  EXPECT_EQ(bed.Take<Respond>().message.Get("Refer-Sub"), "false");
  EXPECT_FALSE(bed.Has<SendRequest>());
}

TEST(CallTransfer, PassesOnWhoHasReferred) {
  CallTestBed bed;
  bed.Establish();
  Refer(bed, kCaller, 3, absl::StrCat(kReferTo, "Referred-By: <sip:boss@example.org>\r\n"));
  TakeNotify(bed, kCaller);
  bed.Do(bed.call().OnRoute(1, 0, {CallTestBed::Callee(2)}, bed.now));
  EXPECT_EQ(bed.Take<SendRequest>().message.Get(Header::kReferredBy), "<sip:boss@example.org>");
}

TEST(CallTransfer, RefusesWhatIsNoTransferOfThisCall) {
  struct Case {
    absl::string_view description;
    std::string fields;
    int status;
  };
  const Case cases[] = {
      {"nobody", "", 400},
      {"no address", "Refer-To: <nonsense>\r\n", 400},
      {"a call that has no name", "Refer-To: <sip:a@198.18.1.1?Replaces=%3B>\r\n", 400},
      {"something else than a call", "Refer-To: <sip:a@198.18.1.1;method=BYE>\r\n", 403},
  };
  for (const Case& one : cases) {
    CallTestBed bed;
    bed.Establish();
    bed.Request(kCaller, bed.InDialog(kCaller, "REFER", 3, one.fields));
    EXPECT_EQ(bed.Take<Respond>().message.status(), one.status) << one.description;
    EXPECT_FALSE(bed.Has<FindTarget>());
  }
  CallTestBed bed;
  bed.Establish();
  Refer(bed, kCaller);
  bed.Request(1, bed.InDialog(1, "REFER", 3, kReferTo));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 491) << "one at a time";
}

TEST(CallTransfer, IsLeftToTheOtherSideWhereTheOptionsSaySo) {
  CallOptions options = CallTestBed::DefaultOptions();
  options.passes_refer = true;
  CallTestBed bed(options);
  bed.Establish();
  bed.Request(kCaller, bed.InDialog(kCaller, "REFER", 3, kReferTo));
  const SendRequest passed = bed.Take<SendRequest>();
  EXPECT_EQ(passed.leg, 1u);
  EXPECT_EQ(passed.message.method(), sip::Method::kRefer);
}

TEST(CallTransfer, StopsTellingATransferorThatDoesNotWantToHear) {
  CallTestBed bed;
  bed.Establish();
  Refer(bed, kCaller);
  const SendRequest notify = bed.Take<SendRequest>();
  bed.Reply(notify, CallTestBed::Answer(notify, 481));
  bed.Do(bed.call().OnRoute(1, 404, {}, bed.now));
  EXPECT_FALSE(bed.Has<SendRequest>());
  EXPECT_FALSE(bed.call().ended());
}

TEST(CallTransfer, EndsWithTheCallWhenTheOtherSideHangsUp) {
  CallTestBed bed;
  const SendRequest invite = BeginTransfer(bed, kCaller);
  bed.Request(1, bed.InDialog(1, "BYE", 4));
  EXPECT_EQ(bed.Take<CancelRequest>().number, invite.number);
  const SendRequest bye = bed.Take<SendRequest>();
  EXPECT_EQ(bye.leg, kCaller);
  bed.Reply(bye, CallTestBed::Answer(bye, 200));
  bed.Reply(invite, CallTestBed::Answer(invite, 487));
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kCallee);
}

// The limit that a call of `options` is given last, when A's transfer to a target with `longest` has come to its end.
absl::Duration LimitAfterTransfer(const CallOptions& options, absl::Duration longest, bool succeeds) {
  CallTestBed bed(options);
  bed.Establish();
  Refer(bed, kCaller);
  TakeNotify(bed, kCaller);
  Party target = CallTestBed::Callee(2);
  target.max_duration = longest;
  bed.Do(bed.call().OnRoute(1, 0, {target}, bed.now));
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Forget();
  // It rings for so long.
  bed.now += absl::Seconds(5);
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.2")));
  bed.Media();
  const SendRequest offer = bed.Take<SendRequest>();
  EXPECT_EQ(offer.message.method(), sip::Method::kInvite);
  bed.Reply(offer, CallTestBed::Answer(offer, succeeds ? 200 : 488, succeeds ? PhoneSdp("192.168.2.63") : ""));
  bed.Media();
  return bed.TakeLimit();
}

TEST(CallTransfer, LastsNoLongerThanTheTargetAllowsFromWhenItWasFound) {
  CallOptions hour = CallTestBed::DefaultOptions();
  hour.max_duration = absl::Hours(1);
  const CallOptions endless = CallTestBed::DefaultOptions();
  EXPECT_EQ(LimitAfterTransfer(endless, absl::Seconds(60), true), absl::Seconds(55));
  EXPECT_EQ(LimitAfterTransfer(hour, absl::Seconds(60), true), absl::Seconds(55));
  EXPECT_EQ(LimitAfterTransfer(hour, absl::Hours(2), true), absl::InfiniteDuration()) << "the earlier end holds";
  EXPECT_EQ(LimitAfterTransfer(hour, absl::Seconds(2), true), absl::ZeroDuration()) << "it has rung for longer";
}

TEST(CallTransfer, LastsAsLongAsBeforeWhenItFails) {
  CallOptions hour = CallTestBed::DefaultOptions();
  hour.max_duration = absl::Hours(1);
  EXPECT_EQ(LimitAfterTransfer(hour, absl::Seconds(60), false), absl::Hours(1) - absl::Seconds(5));

  CallTestBed bed;
  const SendRequest invite = BeginTransfer(bed, kCaller);
  bed.Reply(invite, CallTestBed::Answer(invite, 486));
  EXPECT_EQ(TakeNotify(bed, kCaller).body(), "SIP/2.0 486 Busy Here\r\n");
  bed.Fire(CallTimer::kDuration);
  EXPECT_FALSE(bed.Has<Ending>()) << "it has no limit";
}

TEST(CallTransfer, TellsTheTransferorTheReasonOfARefusal) {
  CallTestBed bed;
  bed.Establish();
  Refer(bed, kCaller);
  TakeNotify(bed, kCaller);
  bed.Do(bed.call().OnRoute(1, 402, {}, bed.now, "No credit"));
  EXPECT_EQ(TakeNotify(bed, kCaller).body(), "SIP/2.0 402 No credit\r\n");
}

}  // namespace
}  // namespace sluice::call
