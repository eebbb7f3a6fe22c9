// Re-INVITE and UPDATE within the answered call, and session timers.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "signaling/call/call_test_bed.h"

namespace sluice::call {
namespace {

using sip::Header;

std::string Held(const std::string& sdp) {
  return absl::StrReplaceAll(sdp, {{"t=0 0\r\n", "t=0 0\r\na=sendonly\r\n"}});
}

TEST(CallOffer, CarriesHoldAndResumeToTheOtherSide) {
  for (const LegNumber from : {kCaller, LegNumber{1}}) {
    const LegNumber to = 1 - from;
    const std::string address = from == kCaller ? "198.18.1.2" : "192.168.2.63";
    const std::string other = from == kCaller ? "192.168.2.63" : "198.18.1.2";
    CallTestBed bed;
    bed.Establish();
    bed.Request(from, bed.InDialog(from, "INVITE", 3, "X-Hold: yes\r\n", Held(PhoneSdp(address))));
    EXPECT_EQ(bed.Take<Respond>().message.status(), 100);
    const SendRequest hold = bed.Take<SendRequest>();
    EXPECT_EQ(hold.leg, to);
    EXPECT_EQ(hold.message.method(), sip::Method::kInvite);
    EXPECT_EQ(hold.message.Get("X-Hold"), "yes");
    EXPECT_TRUE(absl::StrContains(hold.message.body(), "a=sendonly\r\n"));
    EXPECT_TRUE(absl::StrContains(hold.message.body(), to == 1 ? "m=audio 20010 " : "m=audio 20000 "));
    bed.Reply(hold,
              CallTestBed::Answer(hold, 200, absl::StrReplaceAll(Held(PhoneSdp(other)), {{"sendonly", "recvonly"}})));
    EXPECT_EQ(bed.Take<SendAck>().message.CSeqNumber(), hold.message.CSeqNumber());
    const MediaSession session = bed.Take<UpdateMedia>().session;
    EXPECT_EQ(session.streams[0].legs[from].direction, MediaDirection::kSendOnly);
    EXPECT_EQ(session.streams[0].legs[to].direction, MediaDirection::kRecvOnly);
    bed.Media();
    const Respond held = bed.Take<Respond>();
    EXPECT_EQ(held.leg, from);
    EXPECT_EQ(held.message.status(), 200);
    EXPECT_TRUE(absl::StrContains(held.message.body(), "a=recvonly\r\n"));
    bed.Ack(from, bed.InDialog(from, "ACK", 3));

    bed.Request(from, bed.InDialog(from, "INVITE", 4, "", PhoneSdp(address)));
    bed.Take<Respond>();
    const SendRequest resume = bed.Take<SendRequest>();
    bed.Reply(resume, CallTestBed::Answer(resume, 200, PhoneSdp(other)));
    EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[from].direction, MediaDirection::kSendRecv);
    bed.Media();
    EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  }
}

TEST(CallOffer, RaisesTheVersionOfItsOriginWithEachChangeOnly) {
  CallTestBed bed;
  const SendRequest invite = bed.Establish();
  const auto origin = [](const sip::Message& message) {
    const absl::string_view body = message.body();
    const size_t begin = body.find("o=");
    return std::string(body.substr(begin, body.find('\r', begin) - begin));
  };
  bed.Request(kCaller, bed.InDialog(kCaller, "INVITE", 3, "", PhoneSdp("198.18.1.2")));
  const SendRequest same = bed.Take<SendRequest>();
  EXPECT_EQ(origin(same.message), origin(invite.message));
  bed.Reply(same, CallTestBed::Answer(same, 200, PhoneSdp("192.168.2.63")));
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 3));
  bed.Request(kCaller, bed.InDialog(kCaller, "INVITE", 4, "", Held(PhoneSdp("198.18.1.2"))));
  EXPECT_NE(origin(bed.Take<SendRequest>().message), origin(invite.message));
}

TEST(CallOffer, AsksForPortsBeforeItCarriesANewMediaLine) {
  CallTestBed bed;
  bed.Establish();
  const std::string more = absl::StrCat(PhoneSdp("198.18.1.2"), "m=audio 21090 RTP/AVP 8\r\n");
  bed.Request(kCaller, bed.InDialog(kCaller, "INVITE", 3, "", more));
  const MediaSession proposed = bed.Take<UpdateMedia>().session;
  ASSERT_EQ(proposed.streams.size(), 3u);
  EXPECT_EQ(proposed.streams[0].legs[1].address, "192.168.2.63") << "what flows goes on as it is";
  EXPECT_FALSE(bed.Has<SendRequest>());
  bed.Media();
  EXPECT_TRUE(absl::StrContains(bed.Take<SendRequest>().message.body(), "m=audio 20210 RTP/AVP 8\r\n"));
}

TEST(CallOffer, GoesBackToWhatWasWhenTheOtherSideRefuses) {
  CallTestBed bed;
  bed.Establish();
  const std::string more = absl::StrCat(PhoneSdp("198.18.1.2"), "m=audio 21090 RTP/AVP 8\r\n");
  bed.Request(kCaller, bed.InDialog(kCaller, "INVITE", 3, "", more));
  bed.Take<Respond>();
  bed.Take<UpdateMedia>();
  bed.Media();
  const SendRequest passed = bed.Take<SendRequest>();
  bed.Reply(passed, CallTestBed::Answer(passed, 488));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 488);
  EXPECT_EQ(bed.Take<UpdateMedia>().session.streams.size(), 2u);
  EXPECT_FALSE(bed.call().ended());
  bed.Media();
  bed.Request(kCaller, bed.InDialog(kCaller, "INVITE", 4, "", PhoneSdp("198.18.1.2")));
  EXPECT_TRUE(bed.Has<SendRequest>()) << "the next one is welcome";
}

TEST(CallOffer, AnswersGlareWith491AndTheSameSidesSecondWith500) {
  CallTestBed bed;
  bed.Establish();
  bed.Request(kCaller, bed.InDialog(kCaller, "INVITE", 3, "", Held(PhoneSdp("198.18.1.2"))));
  bed.Take<Respond>();
  bed.Request(1, bed.InDialog(1, "INVITE", 3, "", PhoneSdp("192.168.2.63")));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 491);
  bed.Request(kCaller, bed.InDialog(kCaller, "INVITE", 4, "", PhoneSdp("198.18.1.2")));
  const sip::Message again = bed.Take<Respond>().message;
  EXPECT_EQ(again.status(), 500);
  EXPECT_TRUE(again.Has(Header::kRetryAfter));
}

TEST(CallOffer, CarriesAnOfferlessReInviteAndItsLateAnswer) {
  CallTestBed bed;
  bed.Establish();
  bed.Request(kCaller, bed.InDialog(kCaller, "INVITE", 3));
  bed.Take<Respond>();
  const SendRequest passed = bed.Take<SendRequest>();
  EXPECT_TRUE(passed.message.body().empty());
  bed.Reply(passed, CallTestBed::Answer(passed, 200, PhoneSdp("192.168.2.63")));
  EXPECT_FALSE(bed.Has<SendAck>());
  EXPECT_TRUE(absl::StrContains(bed.Take<Respond>().message.body(), "m=audio 20000 "));
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 3, "", PhoneSdp("198.18.1.2", 22000)));
  EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[0].port, 22000);
  bed.Media();
  const SendAck ack = bed.Take<SendAck>();
  EXPECT_EQ(ack.message.CSeqNumber(), passed.message.CSeqNumber());
  EXPECT_TRUE(absl::StrContains(ack.message.body(), "m=audio 20010 "));
}

TEST(CallOffer, CarriesUpdateAsUpdateOrAsReInviteWhereThePeerHasNone) {
  for (const bool known : {true, false}) {
    CallTestBed bed;
    bed.Establish(CallTestBed::Invite(), known ? "Allow: INVITE, UPDATE\r\n" : "");
    bed.Request(kCaller, bed.InDialog(kCaller, "UPDATE", 3, "", Held(PhoneSdp("198.18.1.2"))));
    const SendRequest passed = bed.Take<SendRequest>();
    EXPECT_EQ(passed.message.method(), known ? sip::Method::kUpdate : sip::Method::kInvite);
    bed.Reply(passed, CallTestBed::Answer(passed, 200, PhoneSdp("192.168.2.63")));
    EXPECT_EQ(bed.Has<SendAck>(), !known);
    bed.Media();
    const Respond answer = bed.Take<Respond>();
    EXPECT_EQ(answer.message.status(), 200);
    EXPECT_EQ(answer.message.method(), sip::Method::kUpdate);
  }
}

TEST(CallOffer, PassesTheCancelOfAReInviteAndLetsTheOtherSideDecide) {
  CallTestBed bed;
  bed.Establish();
  const sip::Message invite = bed.InDialog(kCaller, "INVITE", 3, "", Held(PhoneSdp("198.18.1.2")));
  bed.Request(kCaller, invite);
  const Respond trying = bed.Take<Respond>();
  const SendRequest passed = bed.Take<SendRequest>();
  bed.Do(bed.call().OnCancel(kCaller, trying.transaction, invite, bed.now));
  EXPECT_EQ(bed.Take<CancelRequest>().number, passed.number);
  bed.Reply(passed, CallTestBed::Answer(passed, 487));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 487);
  EXPECT_FALSE(bed.call().ended());
}

TEST(CallOffer, EndsTheCallWhenAReInviteFindsNoDialog) {
  CallTestBed bed;
  bed.Establish();
  bed.Request(kCaller, bed.InDialog(kCaller, "INVITE", 3, "", Held(PhoneSdp("198.18.1.2"))));
  bed.Take<Respond>();
  const SendRequest passed = bed.Take<SendRequest>();
  bed.Reply(passed, CallTestBed::Answer(passed, 481));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 481);
  const SendRequest bye = bed.Take<SendRequest>();
  EXPECT_EQ(bye.leg, kCaller);
  bed.Reply(bye, CallTestBed::Answer(bye, 200));
  bed.TakeEnd();
}

TEST(CallOffer, HangsUpInTheMiddleOfAReInviteAndLeavesNothing) {
  CallTestBed bed;
  bed.Establish();
  bed.Request(kCaller, bed.InDialog(kCaller, "INVITE", 3, "", Held(PhoneSdp("198.18.1.2"))));
  bed.Take<Respond>();
  const SendRequest passed = bed.Take<SendRequest>();
  bed.Request(1, bed.InDialog(1, "BYE", 3));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  EXPECT_EQ(bed.Take<Respond>().message.status(), 487);
  const SendRequest bye = bed.Take<SendRequest>();
  bed.Reply(bye, CallTestBed::Answer(bye, 200));
  EXPECT_FALSE(bed.call().ended()) << "the re-INVITE is still under way";
  bed.Reply(passed, CallTestBed::Answer(passed, 200, PhoneSdp("192.168.2.63")));
  EXPECT_TRUE(bed.Has<SendAck>());
  bed.TakeEnd();
}

TEST(CallSessionTimer, IsRefreshedByUsWhereTheCalleeKnowsNone) {
  CallTestBed bed;
  const SendRequest invite = bed.Establish();
  bed.Fire(CallTimer::kRefresh, absl::Seconds(45));
  const SendRequest refresh = bed.Take<SendRequest>();
  EXPECT_EQ(refresh.leg, 1u);
  EXPECT_EQ(refresh.message.method(), sip::Method::kInvite);
  EXPECT_EQ(refresh.message.body(), invite.message.body()) << "an offer that changes nothing";
  EXPECT_EQ(refresh.message.Get(Header::kSessionExpires), "90;refresher=uac");
  bed.Reply(refresh, CallTestBed::Answer(refresh, 200, PhoneSdp("192.168.2.63")));
  EXPECT_TRUE(bed.Has<SendAck>());
  EXPECT_FALSE(bed.Has<UpdateMedia>());
  EXPECT_FALSE(bed.call().ended());
}

TEST(CallSessionTimer, IsRefreshedByUpdateWhereThePeerAllowsIt) {
  CallTestBed bed;
  bed.Establish(CallTestBed::Invite(),
                "Allow: UPDATE\r\nSupported: timer\r\nRequire: timer\r\nSession-Expires: 120;refresher=uac\r\n");
  bed.Fire(CallTimer::kRefresh, absl::Seconds(60));
  const SendRequest refresh = bed.Take<SendRequest>();
  EXPECT_EQ(refresh.message.method(), sip::Method::kUpdate);
  EXPECT_TRUE(refresh.message.body().empty());
  bed.Reply(refresh, CallTestBed::Answer(refresh, 200, "", "Session-Expires: 120;refresher=uac\r\n"));
  bed.Forget();
  bed.Fire(CallTimer::kRefresh, absl::Seconds(60));
  EXPECT_TRUE(bed.Has<SendRequest>());
}

TEST(CallSessionTimer, EndsTheCallWhenThePeerThatWasToRefreshDoesNot) {
  CallTestBed bed;
  bed.Establish(CallTestBed::Invite(), "Supported: timer\r\nRequire: timer\r\nSession-Expires: 90;refresher=uas\r\n");
  bed.Fire(CallTimer::kSession, absl::Seconds(60));
  EXPECT_EQ(bed.Count<SendRequest>(), 2);
  for (int i = 0; i < 2; ++i) {
    const SendRequest bye = bed.Take<SendRequest>();
    bed.Reply(bye, CallTestBed::Answer(bye, 200));
  }
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kSessionTimer);
}

TEST(CallSessionTimer, TriesAgainSoonerWhereTheCallIdIsThePeersWhenItsRefreshMeetsAnother) {
  struct Case {
    LegNumber leg;
    uint64_t number;
    absl::Duration wait;
  };
  // RFC 3261 14.1: 2.1 to 4 s and 0 to 2 s, in steps of 10 ms.
  for (const Case& one : {Case{1, 0, absl::Milliseconds(2100)}, Case{1, 190, absl::Seconds(4)},
                          Case{0, 0, absl::ZeroDuration()}, Case{0, 200, absl::Seconds(2)}}) {
    CallOptions options = CallTestBed::DefaultOptions();
    if (one.leg == kCaller) options.session_expires = absl::ZeroDuration();
    CallTestBed bed(options);
    bed.number = one.number;
    bed.Establish(one.leg == kCaller ? CallTestBed::Invite("Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n")
                                     : CallTestBed::Invite());
    bed.Fire(CallTimer::kRefresh, absl::Seconds(45));
    const SendRequest refresh = bed.Take<SendRequest>();
    EXPECT_EQ(refresh.leg, one.leg);
    bed.Forget();
    bed.Reply(refresh, CallTestBed::Answer(refresh, 491));
    EXPECT_EQ(bed.Take<SetTimer>().after, one.wait);
  }
}

TEST(CallSessionTimer, IsKeptByThePeersRefresh) {
  CallTestBed bed;
  bed.Establish(CallTestBed::Invite(), "Supported: timer\r\nRequire: timer\r\nSession-Expires: 90;refresher=uas\r\n");
  bed.now += absl::Seconds(45);
  bed.Request(1, bed.InDialog(1, "UPDATE", 3, "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n"));
  const sip::Message answer = bed.Take<Respond>().message;
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.Get(Header::kSessionExpires), "90;refresher=uac");
  EXPECT_FALSE(bed.Has<SendRequest>()) << "the other leg has a timer of its own";
  bed.Forget();
  bed.Fire(CallTimer::kSession, absl::Seconds(15));
  EXPECT_FALSE(bed.Has<SendRequest>());
}

TEST(CallSessionTimer, EndsTheCallWhenARefreshIsNotAnswered) {
  CallTestBed bed;
  bed.Establish();
  bed.Fire(CallTimer::kRefresh, absl::Seconds(45));
  const SendRequest refresh = bed.Take<SendRequest>();
  bed.Do(bed.call().OnRequestFailed(1, refresh.number, sip::TransactionFailure::kTimeout, bed.now));
  EXPECT_EQ(bed.Count<SendRequest>(), 2);
}

TEST(CallSessionTimer, TriesAgainWithTheIntervalThatTheCalleeDemands) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 422, "", "Min-SE: 300\r\n"));
  EXPECT_FALSE(bed.Has<Respond>());
  EXPECT_FALSE(bed.Has<DialogMade>());
  const SendRequest again = bed.Take<SendRequest>();
  EXPECT_EQ(again.message.Get(Header::kSessionExpires), "300");
  EXPECT_EQ(again.message.Get(Header::kMinSe), "300");
  EXPECT_EQ(again.message.CallId(), invite.message.CallId());
  EXPECT_EQ(again.message.FromTag(), invite.message.FromTag());
  EXPECT_EQ(again.message.CSeqNumber(), invite.message.CSeqNumber() + 1);
}

TEST(CallSessionTimer, AgreesWithACallerThatKnowsTimers) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite("Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\n"));
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  const sip::Message ok = bed.Take<Respond>().message;
  EXPECT_EQ(ok.Get(Header::kSessionExpires), "90;refresher=uac");
  EXPECT_EQ(ok.Get(Header::kRequire), "timer");
}

TEST(Call, EndsAtItsLongestDuration) {
  CallOptions options = CallTestBed::DefaultOptions();
  options.max_duration = absl::Hours(1);
  CallTestBed bed(options);
  bed.Establish();
  bed.Fire(CallTimer::kDuration, absl::Hours(1));
  EXPECT_EQ(bed.Count<SendRequest>(), 2);
}

}  // namespace
}  // namespace sluice::call
