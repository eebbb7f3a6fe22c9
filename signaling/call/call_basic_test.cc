// The call that this project was asked to build, message by message, and what may come between.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "signaling/call/call_test_bed.h"

namespace sluice::call {
namespace {

using sip::Header;

TEST(Call, CarriesTheCallOfTheDemoFromInviteToBye) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());

  // 100 to A at once, before anything else is known.
  const Respond trying = bed.Take<Respond>();
  EXPECT_EQ(trying.leg, kCaller);
  EXPECT_EQ(trying.message.status(), 100);
  EXPECT_EQ(trying.message.Get(Header::kVia), "SIP/2.0/UDP 198.18.1.2:45426;rport;branch=z9hG4bK16771");
  EXPECT_TRUE(trying.message.ToTag().empty());
  // Media for both m-lines, A's side known.
  const MediaSession session = bed.Take<CreateMedia>().session;
  ASSERT_EQ(session.streams.size(), 2u);
  EXPECT_EQ(session.streams[0].legs[0].address, "198.18.1.2");
  EXPECT_EQ(session.streams[0].legs[0].port, 21000);
  EXPECT_EQ(session.streams[1].legs[0].port, 21070);
  EXPECT_EQ(session.streams[0].legs[1].address, "");
  EXPECT_TRUE(session.streams[0].legs[1].behind_nat);
  EXPECT_EQ(session.streams[0].legs[1].sip_address, "198.18.2.9");
  EXPECT_FALSE(bed.Has<SendRequest>());
  bed.Media();

  // The INVITE to B: a call of its own that carries what A said.
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_EQ(invite.leg, 1u);
  EXPECT_EQ(invite.hop.remote.ToString(), kCalleeSeenAt);
  EXPECT_EQ(invite.message.request_uri(), kCalleeContact);
  EXPECT_NE(invite.message.CallId(), "509381976447");
  EXPECT_TRUE(absl::StartsWith(invite.message.Get(Header::kFrom), "\"测试APP2\" <sip:20002230001@198.18.1.1>;tag="));
  EXPECT_NE(invite.message.FromTag(), "z9hG4bK73846736");
  EXPECT_EQ(invite.message.Get(Header::kTo), "<sip:20002230000@198.18.1.1>");
  EXPECT_EQ(invite.message.Get(Header::kContact), "<sip:20002230001@198.18.1.1:7080>");
  EXPECT_EQ(invite.message.Get(Header::kMaxForwards), "69");
  EXPECT_EQ(invite.message.Get(Header::kUserAgent), "Zed-3-PDA");
  EXPECT_EQ(invite.message.Get("Service1-Extension"), "V1.0");
  EXPECT_EQ(invite.message.Get(Header::kSupported), "timer, 100rel, replaces");
  EXPECT_EQ(invite.message.Get(Header::kSessionExpires), "90");
  EXPECT_FALSE(invite.message.Has(Header::kVia));
  const std::string offer = absl::StrReplaceAll(
      PhoneSdp("198.18.2.1", 20010, 20110),
      {{"o=20002230001@198.18.1.1 0 0", absl::StrCat("o=20002230001@198.18.1.1 ", 26032650, " ", 26032650)}});
  EXPECT_EQ(invite.message.body(), offer);

  // B's 100 stays here; its 180 reaches A in A's dialog.
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 100));
  EXPECT_FALSE(bed.Has<Respond>());
  bed.Reply(invite, CallTestBed::Answer(invite, 180));
  EXPECT_EQ(bed.Take<Progress>().step, Progress::Step::kRinging);
  const Respond ringing = bed.Take<Respond>();
  EXPECT_EQ(ringing.message.status(), 180);
  EXPECT_EQ(ringing.message.CallId(), "509381976447");
  EXPECT_EQ(ringing.message.Get(Header::kContact), "<sip:20002230000@198.18.1.1:7080>");
  const std::string our_tag(ringing.message.ToTag());
  EXPECT_FALSE(our_tag.empty());

  // B answers: ACK at once, to where B's packets come from, whatever its Contact says.
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63"), "Service1-Extension: V1.0\r\n"));
  const SendAck ack = bed.Take<SendAck>();
  EXPECT_EQ(ack.number, invite.number);
  EXPECT_EQ(ack.message.request_uri(), kCalleeContact);
  EXPECT_EQ(ack.hop.remote.ToString(), kCalleeSeenAt);
  EXPECT_EQ(ack.message.CSeqNumber(), invite.message.CSeqNumber());
  EXPECT_EQ(ack.message.ToTag(), "callee1");
  const MediaSession agreed = bed.Take<UpdateMedia>().session;
  EXPECT_EQ(agreed.streams[0].legs[1].address, "192.168.2.63");
  EXPECT_EQ(agreed.streams[1].legs[1].port, 21070);
  EXPECT_EQ(agreed.streams[0].codec, "AMR");
  EXPECT_FALSE(bed.Has<Respond>()) << "A hears of the answer when its media can flow";
  bed.Media();
  const Respond ok = bed.Take<Respond>();
  EXPECT_EQ(ok.message.status(), 200);
  EXPECT_EQ(ok.transaction, 1u);
  EXPECT_EQ(ok.message.ToTag(), our_tag);
  EXPECT_EQ(ok.message.Get(Header::kCSeq), "2 INVITE");
  EXPECT_EQ(ok.message.Get(Header::kUserAgent), "Zed-3-PDA");
  EXPECT_EQ(ok.message.Get("Service1-Extension"), "V1.0");
  EXPECT_EQ(ok.message.Get(Header::kContact), "<sip:20002230000@198.18.1.1:7080>");
  EXPECT_FALSE(ok.message.Has(Header::kSessionExpires)) << "A knows no session timers";
  EXPECT_TRUE(absl::StrContains(ok.message.body(), "c=IN IP4 198.18.1.1\r\n")) << ok.message.body();
  EXPECT_TRUE(absl::StrContains(ok.message.body(), "m=audio 20000 RTP/AVP 114 101\r\n"));
  EXPECT_TRUE(absl::StrContains(ok.message.body(), "m=video 20100 RTP/AVP 126\r\n"));
  EXPECT_FALSE(absl::StrContains(ok.message.body(), "192.168"));
  EXPECT_EQ(bed.Take<Progress>().step, Progress::Step::kAnswered);
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 2));

  // A hangs up, with a gap in its CSeq.
  bed.Forget();
  bed.Request(kCaller, bed.InDialog(kCaller, "BYE", 6));
  const Respond bye_ok = bed.Take<Respond>();
  EXPECT_EQ(bye_ok.message.status(), 200);
  EXPECT_EQ(bye_ok.message.Get(Header::kCSeq), "6 BYE");
  const SendRequest bye = bed.Take<SendRequest>();
  EXPECT_EQ(bye.leg, 1u);
  EXPECT_EQ(bye.message.StartLine(), absl::StrCat("BYE ", kCalleeContact, " SIP/2.0"));
  EXPECT_EQ(bye.hop.remote.ToString(), kCalleeSeenAt);
  EXPECT_GT(bye.message.CSeqNumber(), invite.message.CSeqNumber());
  EXPECT_FALSE(bed.call().ended());
  bed.Reply(bye, CallTestBed::Answer(bye, 200));
  const Ended end = bed.TakeEnd();
  EXPECT_EQ(end.by, Ended::By::kCaller);
  EXPECT_EQ(end.sip_status, 200);
  EXPECT_EQ(end.q850_cause, 16);
}

TEST(Call, TellsTheDialogsThatItMakesAndEnds) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const DialogMade caller = bed.Take<DialogMade>();
  EXPECT_EQ(caller.leg, kCaller);
  EXPECT_EQ(caller.call_id, "509381976447");
  const DialogMade callee = bed.Take<DialogMade>();
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_EQ(callee.leg, 1u);
  EXPECT_EQ(callee.call_id, invite.message.CallId());
  EXPECT_EQ(callee.local_tag, invite.message.FromTag());
  bed.Reply(invite, CallTestBed::Answer(invite, 486));
  EXPECT_EQ(bed.Take<DialogEnded>().local_tag, caller.local_tag);
  EXPECT_EQ(bed.Take<DialogEnded>().local_tag, callee.local_tag);
}

TEST(Call, EndsWhenTheCalleeHangsUp) {
  CallTestBed bed;
  bed.Establish();
  bed.Request(1, bed.InDialog(1, "BYE", 1, "Reason: Q.850;cause=31;text=\"odd\"\r\n"));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  const SendRequest bye = bed.Take<SendRequest>();
  EXPECT_EQ(bye.leg, kCaller);
  EXPECT_EQ(bye.message.request_uri(), "sip:20002230001@198.18.1.2:45426;transport=udp");
  EXPECT_EQ(bye.message.Get(Header::kReason), "Q.850;cause=31;text=\"odd\"");
  bed.Reply(bye, CallTestBed::Answer(bye, 200));
  const Ended end = bed.TakeEnd();
  EXPECT_EQ(end.by, Ended::By::kCallee);
  EXPECT_EQ(end.q850_cause, 31);
}

TEST(Call, EndsOnceWhenBothHangUpAtTheSameTime) {
  CallTestBed bed;
  bed.Establish();
  bed.Request(kCaller, bed.InDialog(kCaller, "BYE", 3));
  const SendRequest bye = bed.Take<SendRequest>();
  bed.Take<Respond>();
  bed.Request(1, bed.InDialog(1, "BYE", 1));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  EXPECT_FALSE(bed.call().ended());
  bed.Reply(bye, CallTestBed::Answer(bye, 481));
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kCaller);
}

TEST(Call, EndsAlsoWhenTheByeIsNeverAnswered) {
  CallTestBed bed;
  bed.Establish();
  bed.Request(kCaller, bed.InDialog(kCaller, "BYE", 3));
  const SendRequest bye = bed.Take<SendRequest>();
  bed.Do(bed.call().OnRequestFailed(1, bye.number, sip::TransactionFailure::kTimeout, bed.now));
  EXPECT_EQ(bed.TakeEnd().sip_status, 200);
}

TEST(Call, HoldsBackTheByeToTheCallerUntilItsAckHasCome) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  bed.Request(1, bed.InDialog(1, "BYE", 1));
  EXPECT_FALSE(bed.Has<SendRequest>());
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 2));
  const SendRequest bye = bed.Take<SendRequest>();
  EXPECT_EQ(bye.leg, kCaller);
  bed.Reply(bye, CallTestBed::Answer(bye, 200));
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kCallee);
}

TEST(Call, EndsBothLegsWhenTheAckNeverComes) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  bed.Do(bed.call().OnAckMissing(kCaller, 1, bed.now));
  const SendRequest first = bed.Take<SendRequest>();
  const SendRequest second = bed.Take<SendRequest>();
  EXPECT_EQ(first.message.method(), sip::Method::kBye);
  EXPECT_NE(first.leg, second.leg);
  bed.Reply(first, CallTestBed::Answer(first, 200));
  bed.Reply(second, CallTestBed::Answer(second, 200));
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kController);
}

TEST(Call, PassesEarlyMediaAndWritesItAsOneAnswerWithTheLaterOne) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.63")));
  EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[1].port, 21000);
  bed.Media();
  const Respond early = bed.Take<Respond>();
  EXPECT_EQ(early.message.status(), 183);
  EXPECT_TRUE(absl::StrContains(early.message.body(), "m=audio 20000 "));
  // The same again in the 200: nothing to ask the relay for, and not another version of the SDP.
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  EXPECT_FALSE(bed.Has<UpdateMedia>());
  EXPECT_EQ(bed.Take<Respond>().message.body(), early.message.body());
}

TEST(Call, TakesTheEarlyAnswerWhereTheFinalOneHasNone) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 183, PhoneSdp("192.168.2.63")));
  bed.Media();
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 200));
  const Respond ok = bed.Take<Respond>();
  EXPECT_EQ(ok.message.status(), 200);
  EXPECT_TRUE(absl::StrContains(ok.message.body(), "m=audio 20000 "));
}

TEST(Call, AnswersWithThePortsItKnowsWhenTheRelayIsSlow) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite());
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  bed.Fire(CallTimer::kAnswerWait, absl::Seconds(3));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 200);
  // Its answer comes after all and changes nothing.
  bed.Media();
  EXPECT_FALSE(bed.Has<Respond>());
}

TEST(Call, CarriesALateOfferFromTheCalleeAndTheAnswerFromTheAck) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite("", ""));
  EXPECT_FALSE(bed.Has<CreateMedia>());
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_TRUE(invite.message.body().empty());
  bed.Forget();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  EXPECT_FALSE(bed.Has<SendAck>()) << "the ACK is to carry the answer";
  const MediaSession session = bed.Take<CreateMedia>().session;
  EXPECT_EQ(session.streams[0].legs[1].address, "192.168.2.63");
  bed.Media();
  EXPECT_TRUE(absl::StrContains(bed.Take<Respond>().message.body(), "m=audio 20000 "));
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 2, "", PhoneSdp("198.18.1.2")));
  EXPECT_EQ(bed.Take<UpdateMedia>().session.streams[0].legs[0].address, "198.18.1.2");
  bed.Media();
  const SendAck ack = bed.Take<SendAck>();
  EXPECT_EQ(ack.number, invite.number);
  EXPECT_TRUE(absl::StrContains(ack.message.body(), "m=audio 20010 ")) << ack.message.body();
}

TEST(Call, EndsWhenTheAckLeavesALateOfferUnanswered) {
  CallTestBed bed;
  bed.Start(CallTestBed::Invite("", ""));
  const SendRequest invite = bed.Take<SendRequest>();
  bed.Reply(invite, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")));
  bed.Media();
  bed.Ack(kCaller, bed.InDialog(kCaller, "ACK", 2));
  EXPECT_EQ(bed.Take<SendAck>().number, invite.number) << "the callee's 200 is acknowledged before its BYE";
  const SendRequest first = bed.Take<SendRequest>();
  const SendRequest second = bed.Take<SendRequest>();
  bed.Reply(first, CallTestBed::Answer(first, 200));
  bed.Reply(second, CallTestBed::Answer(second, 200));
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kController);
}

TEST(Call, PassesRequestsInTheDialogAndTheirAnswers) {
  for (const absl::string_view method : {"INFO", "OPTIONS", "MESSAGE", "NOTIFY", "WHATEVER"}) {
    CallTestBed bed;
    bed.Establish();
    bed.Request(kCaller, bed.InDialog(kCaller, method, 3, "X-Key: 1\r\nContent-Disposition: render\r\n", "Signal=5"));
    EXPECT_FALSE(bed.Has<Respond>()) << method;
    const SendRequest passed = bed.Take<SendRequest>();
    EXPECT_EQ(passed.leg, 1u);
    EXPECT_EQ(passed.message.method_name(), method);
    EXPECT_EQ(passed.message.body(), "Signal=5");
    EXPECT_EQ(passed.message.Get("X-Key"), "1");
    EXPECT_EQ(passed.message.Get(Header::kContentDisposition), "render");
    EXPECT_EQ(passed.message.Get(Header::kMaxForwards), "69");
    EXPECT_EQ(passed.message.ToTag(), "callee1");
    bed.Reply(passed, CallTestBed::Answer(passed, 202, "", "X-Answer: 2\r\n"));
    const Respond answer = bed.Take<Respond>();
    EXPECT_EQ(answer.leg, kCaller);
    EXPECT_EQ(answer.message.status(), 202);
    EXPECT_EQ(answer.message.Get("X-Answer"), "2");
    EXPECT_EQ(answer.message.CSeqNumber(), 3u);
  }
}

TEST(Call, PassesRequestsOfTheCalleeToo) {
  CallTestBed bed;
  bed.Establish();
  bed.Request(1, bed.InDialog(1, "INFO", 7));
  const SendRequest passed = bed.Take<SendRequest>();
  EXPECT_EQ(passed.leg, kCaller);
  EXPECT_EQ(passed.hop.remote.ToString(), kCallerAddress);
  bed.Do(bed.call().OnRequestFailed(kCaller, passed.number, sip::TransactionFailure::kTimeout, bed.now));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 504);
  EXPECT_FALSE(bed.call().ended());
}

TEST(Call, EndsWhenAPeerDoesNotKnowItsDialogAnyMore) {
  CallTestBed bed;
  bed.Establish();
  bed.Request(kCaller, bed.InDialog(kCaller, "INFO", 3));
  const SendRequest passed = bed.Take<SendRequest>();
  bed.Reply(passed, CallTestBed::Answer(passed, 481));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 481);
  const SendRequest bye = bed.Take<SendRequest>();
  EXPECT_EQ(bye.leg, kCaller) << "nobody is left at the other end to be told";
  bed.Reply(bye, CallTestBed::Answer(bye, 200));
  EXPECT_EQ(bed.TakeEnd().by, Ended::By::kCallee);
}

TEST(Call, AnswersRequestsThatComeLateOrBelongToNobody) {
  CallTestBed bed;
  bed.Establish();
  bed.Request(kCaller, bed.InDialog(kCaller, "INFO", 2));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 500);
  bed.Request(5, bed.InDialog(kCaller, "INFO", 3));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 481);
  bed.Request(1, bed.InDialog(kCaller, "INFO", 3));
  EXPECT_EQ(bed.Take<Respond>().message.status(), 481);
  EXPECT_FALSE(bed.Has<SendRequest>());
}

TEST(Call, RefusesAMediaLineThatNoRelayCarriesAndKeepsTheOthers) {
  CallTestBed bed;
  const std::string offer = absl::StrCat(PhoneSdp("198.18.1.2"), "m=message 9 TCP/MSRP *\r\n");
  bed.Start(CallTestBed::Invite("", offer));
  EXPECT_EQ(bed.Take<CreateMedia>().session.streams.size(), 2u);
  bed.Media();
  const SendRequest invite = bed.Take<SendRequest>();
  EXPECT_TRUE(absl::StrContains(invite.message.body(), "m=audio 20010 "));
  EXPECT_TRUE(absl::StrContains(invite.message.body(), "m=message 0 TCP/MSRP *\r\n")) << invite.message.body();
}

TEST(Call, CarriesTheOtherPartsOfAMultipartBody) {
  CallTestBed bed;
  const std::string body =
      absl::StrCat("--cut\r\nContent-Type: application/isup\r\n\r\nISUP\r\n--cut\r\n",
                   "Content-Type: application/sdp\r\n\r\n", PhoneSdp("198.18.1.2"), "\r\n--cut--\r\n");
  sip::Message invite = CallTestBed::Invite();
  invite.SetBody("multipart/mixed;boundary=cut", body);
  bed.Start(invite);
  bed.Media();
  const SendRequest sent = bed.Take<SendRequest>();
  EXPECT_EQ(sent.message.Get(Header::kContentType), "multipart/mixed;boundary=cut");
  EXPECT_TRUE(
      absl::StartsWith(sent.message.body(), "--cut\r\nContent-Type: application/isup\r\n\r\nISUP\r\n--cut\r\n"));
  EXPECT_TRUE(absl::EndsWith(sent.message.body(), "fps=10\r\n\r\n--cut--\r\n"));
  EXPECT_TRUE(absl::StrContains(sent.message.body(), "m=audio 20010 "));
}

TEST(Call, PassesNeitherCredentialsNorRoutesNorBlockedHeaders) {
  CallOptions options = CallTestBed::DefaultOptions();
  options.blocked_headers = {"x-internal"};
  CallTestBed bed(options);
  bed.Start(
      CallTestBed::Invite("Proxy-Authorization: Digest username=\"u\", response=\"r\"\r\n"
                          "Record-Route: <sip:198.18.9.9;lr>\r\nX-Internal: secret\r\nX-Other: seen\r\n"));
  bed.Media();
  const sip::Message invite = bed.Take<SendRequest>().message;
  EXPECT_FALSE(invite.Has(Header::kProxyAuthorization));
  EXPECT_FALSE(invite.Has(Header::kRecordRoute));
  EXPECT_FALSE(invite.Has("X-Internal"));
  EXPECT_EQ(invite.Get("X-Other"), "seen");
}

TEST(Call, KeepsTheDomainOfAnAnonymousCaller) {
  CallTestBed bed;
  sip::Message invite = CallTestBed::Invite();
  invite.Set(Header::kFrom, "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=x");
  bed.Start(invite);
  bed.Media();
  EXPECT_TRUE(absl::StartsWith(bed.Take<SendRequest>().message.Get(Header::kFrom),
                               "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="));
}

}  // namespace
}  // namespace sluice::call
